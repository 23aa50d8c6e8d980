# What every room stands on: one customer-managed key, four buckets, the lake location under Lake Formation, the
# pipeline's workgroup and the ledger.

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

locals {
  account_id = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition

  # The four places. Protected ones hold the only copy of something.
  protected_buckets = toset(["raw", "lake"])
  working_buckets   = toset(["results", "artifact"])
  buckets           = merge(aws_s3_bucket.protected, aws_s3_bucket.working)

  # Days after which a replaced or deleted object is really gone; null: the bucket keeps no versions.
  noncurrent_days = { raw = 90, lake = 30, artifact = 30, results = null }
}

resource "aws_kms_key" "this" {
  description             = "Trilake ${var.environment}: patient data, query results and logs"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  tags                    = var.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "AccountDecidesThroughIam"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "LogsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "logs.${var.region}.amazonaws.com" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
        Resource  = "*"
        Condition = {
          ArnLike = {
            "kms:EncryptionContext:aws:logs:arn" = "arn:${local.partition}:logs:${var.region}:${local.account_id}:*"
          }
        }
      },
    ]
  })

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name_prefix}"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_lakeformation_resource" "lake" {
  arn      = aws_s3_bucket.protected["lake"].arn
  role_arn = aws_iam_role.lake_access.arn

  depends_on = [aws_iam_role_policy.lake_access]
}

# Not the service-linked role: its policy is not editable, grows with each location and bypasses organisation policies
# (https://docs.aws.amazon.com/lake-formation/latest/dg/service-linked-role-limitations.html).
resource "aws_iam_role" "lake_access" {
  name        = "${var.name_prefix}-lake-access"
  description = "Lake Formation reads and writes the lake bucket for whoever it has let in"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lakeformation.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "lake_access" {
  name = "lake-bucket"
  role = aws_iam_role.lake_access.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Objects"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        Resource = "${aws_s3_bucket.protected["lake"].arn}/*"
      },
      {
        Sid      = "Bucket"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
        Resource = aws_s3_bucket.protected["lake"].arn
      },
      {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
        Resource = aws_kms_key.this.arn
      },
    ]
  })
}

resource "aws_athena_workgroup" "pipeline" {
  name          = "${var.name_prefix}-pipeline"
  description   = "Queries of the pipeline: governed tables, views, the ledger"
  force_destroy = var.force_destroy
  tags          = var.tags

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.bytes_scanned_cutoff

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    # Results are not under Lake Formation: Athena needs their place to be unregistered
    # (https://docs.aws.amazon.com/athena/latest/ug/lf-athena-limitations.html).
    result_configuration {
      output_location = "s3://${aws_s3_bucket.working["results"].bucket}/queries/pipeline/"

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = aws_kms_key.this.arn
      }
    }
  }
}

module "operations" {
  source = "../catalog"

  name           = "${replace(var.name_prefix, "-", "_")}_operations"
  description    = "What became of every file: the ledger of all three modalities"
  location       = "s3://${aws_s3_bucket.protected["lake"].bucket}/operations"
  administrators = var.administrators
  tables         = var.tables
  tags           = var.tags
}
