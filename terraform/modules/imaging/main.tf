# The DICOM data store, the role its import jobs read and write files with, the jobs that turn its metadata and frames
# into tables, and the governed imaging tables.

data "aws_partition" "this" {}

locals {
  name   = "${var.core.name_prefix}-imaging"
  bucket = "arn:${data.aws_partition.this.partition}:s3:::${var.core.raw_bucket}"
}

resource "awscc_healthimaging_datastore" "this" {
  datastore_name = local.name
  kms_key_arn    = var.core.kms_key_arn
  tags           = var.tags

  lifecycle {
    # The service cannot update a store: one changed tag would replace a store of patient data. Tags that must change
    # are changed by `aws medical-imaging tag-resource`.
    ignore_changes  = [tags]
    prevent_destroy = true
  }
}

resource "aws_iam_role" "import" {
  name        = "${local.name}-import"
  description = "HealthImaging import jobs: read the files, write the manifests"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "medical-imaging.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.core.account_id }
        ArnEquals    = { "aws:SourceArn" = awscc_healthimaging_datastore.this.datastore_arn }
      }
    }]
  })
}

# On the room's own prefix of the raw bucket: files below imaging/, manifests too
# (https://docs.aws.amazon.com/healthimaging/latest/devguide/getting-started-setting-up.html).
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
        Resource = "${local.bucket}/imaging/*"
      },
      {
        Sid      = "Bucket"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
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

module "store" {
  source = "../store"

  core           = var.core
  room           = "imaging"
  administrators = var.administrators
  tags           = var.tags

  python_modules = ["imagecodecs==2026.3.6", "mirp==2.7.0", "pydantic==2.14.3", "pydicom==3.0.2", "pyiceberg-core==0.10.1", "pyiceberg[glue]==0.12.0", "pyyaml==6.0.3", "scipy==1.17.1"]

  jobs = {
    flatten_metadata  = { description = "Metadata of new image sets into the study, series and instance tables of the store" }
    extract_radiomics = { description = "Features measured on the frames of new image sets into the store" }
  }

  statements = [{
    sid       = "ReadImageSets"
    actions   = ["medical-imaging:GetImageSet", "medical-imaging:GetImageSetMetadata", "medical-imaging:GetImageFrame", "medical-imaging:SearchImageSets"]
    resources = [awscc_healthimaging_datastore.this.datastore_arn, "${awscc_healthimaging_datastore.this.datastore_arn}/imageset/*"]
  }]
}

module "catalog" {
  source = "../catalog"

  name           = "${replace(var.core.name_prefix, "-", "_")}_imaging"
  description    = "Governed imaging tables: studies, series, instances, radiomics"
  location       = "s3://${var.core.lake_bucket}/imaging"
  administrators = var.administrators
  tables         = var.tables
  tags           = var.tags
}
