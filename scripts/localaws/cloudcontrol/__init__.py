"""AWS Cloud Control: one API over resource types, which the Terraform provider `awscc` speaks.

Reads and writes HealthLake, HealthImaging and HealthOmics through their own APIs. Make targets: deploy, destroy.
Example: world.client("cloudcontrol").create_resource(TypeName="AWS::HealthImaging::Datastore", DesiredState="{}")
"""
