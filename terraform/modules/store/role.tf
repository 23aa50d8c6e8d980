# The role of the room's jobs: reads the room's raw files and the code, writes the room's store, and what `statements` adds.

locals {
  s3      = "arn:${local.partition}:s3:::"
  catalog = "arn:${local.partition}:glue:${var.core.region}:${var.core.account_id}"

  job_statements = concat(
    [
      {
        Sid      = "RawFilesAndCode"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["${local.s3}${var.core.raw_bucket}/${var.room}/*", "${local.s3}${var.core.artifact_bucket}/code/*"]
      },
      {
        Sid      = "Reports"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["${local.s3}${var.core.raw_bucket}/${var.room}/reports/*"]
      },
      {
        Sid    = "StoreAndScratch"
        Effect = "Allow"
        Action = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
        Resource = [
          "${local.s3}${var.core.lake_bucket}/${var.room}_store/*",
          "${local.s3}${var.core.artifact_bucket}/temp/${var.room}/*",
        ]
      },
      {
        Sid    = "ListBuckets"
        Effect = "Allow"
        Action = ["s3:ListBucket", "s3:GetBucketLocation"]
        Resource = [
          "${local.s3}${var.core.raw_bucket}", "${local.s3}${var.core.lake_bucket}", "${local.s3}${var.core.artifact_bucket}",
        ]
      },
      {
        Sid    = "StoreTables"
        Effect = "Allow"
        Action = ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:CreateTable", "glue:UpdateTable"]
        Resource = [
          "${local.catalog}:catalog", "${local.catalog}:database/${local.database}", "${local.catalog}:table/${local.database}/*",
        ]
      },
      {
        Sid      = "LakeFormation"
        Effect   = "Allow"
        Action   = ["lakeformation:GetDataAccess"] # Takes no resource.
        Resource = ["*"]
      },
      {
        Sid      = "Key"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:DescribeKey"]
        Resource = [var.core.kms_key_arn]
      },
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "logs:AssociateKmsKey"]
        Resource = ["arn:${local.partition}:logs:${var.core.region}:${var.core.account_id}:log-group:/aws-glue/*"]
      },
      {
        Sid       = "Metrics"
        Effect    = "Allow"
        Action    = ["cloudwatch:PutMetricData"] # Takes no resource; held to Glue's own namespace.
        Resource  = ["*"]
        Condition = { StringEquals = { "cloudwatch:namespace" = "Glue" } }
      },
    ],
    [for entry in var.statements : { Sid = entry.sid, Effect = "Allow", Action = entry.actions, Resource = entry.resources }],
  )
}

resource "aws_iam_role" "job" {
  name        = local.role_name
  description = "Glue jobs of the room ${var.room}"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "glue.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.core.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "job" {
  name = "job"
  role = aws_iam_role.job.id

  policy = jsonencode({ Version = "2012-10-17", Statement = local.job_statements })
}
