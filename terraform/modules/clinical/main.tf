# The FHIR data store, the role its import jobs read and write files with, and the governed clinical tables.

data "aws_partition" "this" {}

locals {
  name   = "${var.core.name_prefix}-clinical"
  bucket = "arn:${data.aws_partition.this.partition}:s3:::${var.core.raw_bucket}"
}

resource "awscc_healthlake_fhir_datastore" "this" {
  datastore_name         = local.name
  datastore_type_version = "R4"

  sse_configuration = {
    kms_encryption_config = {
      cmk_type   = "CUSTOMER_MANAGED_KMS_KEY"
      kms_key_id = var.core.kms_key_arn
    }
  }

  # This resource takes a list of pairs where others take a map.
  tags = [for name, value in var.tags : { key = name, value = value }]

  lifecycle {
    # A changed name, key or identity provider replaces the store, and deleting it deletes every resource in it
    # (https://docs.aws.amazon.com/healthlake/latest/devguide/managing-data-stores-delete.html).
    prevent_destroy = true
  }
}

resource "aws_iam_role" "import" {
  name        = "${local.name}-import"
  description = "HealthLake import jobs: read the files, write the manifests"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "healthlake.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.core.account_id }
        ArnEquals    = { "aws:SourceArn" = awscc_healthlake_fhir_datastore.this.datastore_arn }
      }
    }]
  })
}

# What the service asks for, on the room's own prefix of the raw bucket: files below clinical/, manifests too
# (https://docs.aws.amazon.com/healthlake/latest/devguide/importing-fhir-data.html).
resource "aws_iam_role_policy" "import" {
  name = "import"
  role = aws_iam_role.import.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "FilesAndManifests"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = "${local.bucket}/clinical/*"
      },
      {
        Sid      = "Bucket"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration"]
        Resource = local.bucket
      },
      {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
        Resource = var.core.kms_key_arn
      },
    ]
  })
}

module "catalog" {
  source = "../catalog"

  name           = "${replace(var.core.name_prefix, "-", "_")}_clinical"
  description    = "Governed clinical tables: flat, current state of the FHIR data store"
  location       = "s3://${var.core.lake_bucket}/clinical"
  administrators = var.administrators
  tables         = var.tables
  tags           = var.tags
}
