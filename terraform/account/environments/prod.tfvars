# An AWS account: the same Region and administrators as in ../../environments/prod.tfvars.
region         = "eu-west-2"
administrators = ["arn:aws:iam::111122223333:role/trilake-deploy"]
