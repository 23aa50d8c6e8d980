# A building block, not a room: the HealthOmics stores of an account that may have them, and the role that their import
# jobs read files with. What Athena sees of the stores is shared by the service through RAM; the owner of the shared
# databases is known only when they are there, so `make ingest` accepts the shares and makes the resource links.

data "aws_partition" "this" {}

locals {
  partition   = data.aws_partition.this.partition
  name        = "${replace(var.core.name_prefix, "-", "_")}_genomic"
  bucket      = "arn:${local.partition}:s3:::${var.core.raw_bucket}"
  omics       = "arn:${local.partition}:omics:${var.core.region}:${var.core.account_id}"
  is_own      = var.reference_arn == null # No reference is there yet: make the store for one.
  reference   = local.is_own ? var.imported_reference_arn : var.reference_arn
  has_stores  = local.reference != null
  encryption  = { type = "KMS", key_arn = var.core.kms_key_arn }
  description = "Trilake ${var.core.name_prefix}"
}

# One per account and Region: an account that has one names a reference in it instead. It holds no patient's data and is
# not protected here: an account that may not open the stores has to get rid of it again. While there are stores, they
# are protected, HealthOmics keeps the reference that they use, and the plan's review blocks.
resource "awscc_omics_reference_store" "this" {
  count = local.is_own ? 1 : 0

  name        = local.name
  description = local.description
  sse_config  = local.encryption
  tags        = var.tags

  lifecycle {
    # Nothing of a reference store can be changed; one new tag would replace it.
    ignore_changes = [tags, description]
  }
}

# Closed to accounts that had none before 2025-11-07
# (https://docs.aws.amazon.com/omics/latest/dev/variant-store-availability-change.html).
resource "awscc_omics_variant_store" "this" {
  count = local.has_stores ? 1 : 0

  name        = "${local.name}_variant"
  description = local.description
  reference   = { reference_arn = local.reference }
  sse_config  = local.encryption
  tags        = var.tags

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [tags]
  }
}

resource "awscc_omics_annotation_store" "this" {
  count = local.has_stores ? 1 : 0

  name         = "${local.name}_annotation"
  description  = local.description
  store_format = "VCF"
  reference    = { reference_arn = local.reference }
  sse_config   = local.encryption
  tags         = var.tags

  lifecycle {
    prevent_destroy = true
    ignore_changes  = [tags]
  }
}

resource "aws_iam_role" "import" {
  name        = "${var.core.name_prefix}-genomic-import"
  description = "HealthOmics import jobs: read the staged files and the reference"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "omics.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.core.account_id }
        ArnLike      = { "aws:SourceArn" = "${local.omics}:*" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "import" {
  name = "import"
  role = aws_iam_role.import.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "StagedFiles"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["${local.bucket}/genomic/healthomics/*", "${local.bucket}/genomic/reference/*"]
      },
      {
        Sid      = "Bucket"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
        Resource = [local.bucket]
      },
      {
        Sid      = "Reference"
        Effect   = "Allow"
        Action   = ["omics:GetReference", "omics:GetReferenceMetadata"]
        Resource = ["${local.omics}:referenceStore/*"]
      },
      {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
        Resource = [var.core.kms_key_arn]
      },
    ]
  })
}
