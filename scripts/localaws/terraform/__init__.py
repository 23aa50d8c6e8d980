"""A Terraform provider for the laptop: the true schemas of hashicorp/aws and hashicorp/awscc over localaws.

Terraform starts it as a plugin (`python -m localaws.terraform aws`); `mirror.lay_out` writes the folder and the
CLI configuration that make it do so. Creates, reads, updates and deletes through boto3 at AWS_ENDPOINT_URL.
Make targets: deploy, plan, destroy.
Example: TF_CLI_CONFIG_FILE=.trilake/local/terraform/terraform.rc terraform plan
"""
