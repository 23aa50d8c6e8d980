# The laptop: localaws answers as account 123456789012.
region         = "us-east-1"
administrators = ["arn:aws:iam::123456789012:user/deployer"]
