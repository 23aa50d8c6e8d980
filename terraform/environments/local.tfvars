# The laptop: localaws answers as account 123456789012.
environment        = "local"
region             = "us-east-1"
administrators     = ["arn:aws:iam::123456789012:user/deployer"]
persona_principals = ["arn:aws:iam::123456789012:root"]
force_destroy      = true
