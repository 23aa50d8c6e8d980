# The room `core` alone, as a root module for the tests: everything else stands on it.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

locals {
  row_keys = yamldecode(file("${path.root}/../../../sql/core/row_keys.yaml"))
  tables   = yamldecode(file("${path.root}/../../../sql/operations/contract.yaml")).tables
}

module "core" {
  source = "../../../terraform/modules/core"

  environment           = "test"
  region                = "us-east-1"
  name_prefix           = "trilake-test"
  administrators        = ["arn:aws:iam::123456789012:user/deployer"]
  bytes_scanned_cutoff  = 10485760
  result_retention_days = 7
  force_destroy         = true
  tables                = local.tables
  tags                  = { project = "trilake" }
}

output "core" {
  value = module.core.settings
}
