# An AWS account. Replace the account number and the roles by yours, and say the same administrators in
# account/environments/prod.tfvars, which is applied first.
environment    = "prod"
region         = "eu-west-2"
administrators = ["arn:aws:iam::111122223333:role/trilake-deploy"]
# Better than the account's root: the roles that your identity provider hands to people of each persona.
persona_principals    = ["arn:aws:iam::111122223333:root"]
bytes_scanned_cutoff  = { persona = 53687091200 }
result_retention_days = 7
tags                  = { owner = "data-platform", data = "patient" }
