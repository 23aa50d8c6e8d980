# A lake small enough to see through: two rooms, their governed tables, and whatever policy a test gives it.

variable "contract" {
  type = map(map(object({
    grain         = string
    patient_level = bool
    columns       = list(object({ name = string, type = string, class = string, source = string }))
  })))
}

variable "policy" {
  type = object({
    minimum_cell = number
    personas = map(object({
      description = string
      grants      = list(object({ tables = list(string), classes = list(string), rows = optional(string) }))
    }))
  })
}

variable "block_public" {
  type    = bool
  default = true
}

variable "sse_algorithm" {
  type    = string
  default = "aws:kms"
}

provider "aws" {
  region = "us-east-1"
}

locals {
  administrators = ["arn:aws:iam::123456789012:user/deployer"]
}

resource "aws_s3_bucket" "lake" {
  bucket        = "trilake-test-lake-123456789012"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "lake" {
  bucket                  = aws_s3_bucket.lake.id
  block_public_acls       = var.block_public
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lake" {
  bucket = aws_s3_bucket.lake.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = var.sse_algorithm
    }
  }
}

module "catalog" {
  source   = "../modules/catalog"
  for_each = var.contract

  name           = "trilake_test_${each.key}"
  description    = "Room ${each.key}"
  location       = "s3://${aws_s3_bucket.lake.bucket}/${each.key}"
  administrators = local.administrators
  tables         = each.value
}

module "governance" {
  source = "../modules/governance"

  core = {
    account_id      = "123456789012"
    region          = "us-east-1"
    name_prefix     = "trilake-test"
    raw_bucket      = "trilake-test-raw-123456789012"
    lake_bucket     = "trilake-test-lake-123456789012"
    results_bucket  = "trilake-test-results-123456789012"
    artifact_bucket = "trilake-test-artifact-123456789012"
    kms_key_arn     = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  }
  policy               = var.policy
  contract             = var.contract
  classes              = yamldecode(file("${path.module}/../sql/core/classes.yaml"))[*].class
  row_rule             = merge(yamldecode(file("${path.module}/../sql/core/row_rule.yaml")), { row_keys = ["site_id", "consent_research"] })
  databases            = { for room, catalog in module.catalog : room => catalog.settings.database }
  extract_uri          = "s3://trilake-test-results-123456789012/extracts"
  administrators       = local.administrators
  persona_principals   = ["arn:aws:iam::123456789012:root"]
  bytes_scanned_cutoff = 10485760
  force_destroy        = true
}
