# Persona roles: queries in their own workgroup, their own results, the catalog's descriptions; data only through
# Lake Formation. Direct reads of the lake, of raw files and of code are denied outright, whatever else is attached.

locals {
  s3      = "arn:${local.partition}:s3:::"
  catalog = "arn:${local.partition}:glue:${var.core.region}:${var.core.account_id}"
  results = "${local.s3}${var.core.results_bucket}"

  # What a persona may keep of its own: query results and extracts.
  own_prefixes = {
    for name in keys(var.policy.personas) : name =>
    ["queries/${name}/*", "${trimprefix(var.extract_uri, "s3://${var.core.results_bucket}/")}/${name}/*"]
  }
}

resource "aws_iam_role" "persona" {
  for_each = local.personas

  name                 = each.value.role_name
  description          = each.value.description
  max_session_duration = 3600
  tags                 = merge(var.tags, { persona = each.key })

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = sort(tolist(var.persona_principals)) }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "persona" {
  for_each = local.personas

  name = "persona"
  role = aws_iam_role.persona[each.key].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "OwnWorkgroup"
        Effect = "Allow"
        Action = [
          "athena:StartQueryExecution", "athena:StopQueryExecution", "athena:GetQueryExecution",
          "athena:BatchGetQueryExecution", "athena:ListQueryExecutions", "athena:GetQueryResults",
          "athena:GetQueryResultsStream", "athena:GetQueryRuntimeStatistics", "athena:GetWorkGroup",
        ]
        Resource = "arn:${local.partition}:athena:${var.core.region}:${var.core.account_id}:workgroup/${var.core.name_prefix}-${each.key}"
      },
      {
        # Descriptions only; Lake Formation hides the tables and columns that the persona has no filter on.
        Sid    = "ReadCatalog"
        Effect = "Allow"
        Action = [
          "glue:GetDatabase", "glue:GetDatabases", "glue:GetTable", "glue:GetTables", "glue:GetPartition", "glue:GetPartitions",
        ]
        Resource = concat(
          ["${local.catalog}:catalog"],
          [for database in values(var.databases) : "${local.catalog}:database/${database}"],
          [for database in values(var.databases) : "${local.catalog}:table/${database}/*"],
        )
      },
      {
        # Takes no resource. The last four plan and read a query that a cell filter applies to.
        Sid    = "DataThroughLakeFormation"
        Effect = "Allow"
        Action = [
          "lakeformation:GetDataAccess", "lakeformation:StartQueryPlanning", "lakeformation:GetQueryState",
          "lakeformation:GetWorkUnits", "lakeformation:GetWorkUnitResults",
        ]
        Resource = "*"
      },
      {
        Sid      = "OwnResults"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
        Resource = [for prefix in local.own_prefixes[each.key] : "${local.results}/${prefix}"]
      },
      {
        Sid       = "ListOwnResults"
        Effect    = "Allow"
        Action    = ["s3:ListBucket"]
        Resource  = local.results
        Condition = { StringLike = { "s3:prefix" = local.own_prefixes[each.key] } }
      },
      {
        Sid      = "FindResults"
        Effect   = "Allow"
        Action   = ["s3:GetBucketLocation"]
        Resource = local.results
      },
      {
        # Only for objects of the results bucket, and only through S3 (with a bucket key, the bucket is the context).
        Sid      = "KeyOfResults"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = var.core.kms_key_arn
        Condition = {
          StringEquals = { "kms:ViaService" = "s3.${var.core.region}.amazonaws.com" }
          StringLike   = { "kms:EncryptionContext:aws:s3:arn" = [local.results, "${local.results}/*"] }
        }
      },
      {
        Sid    = "NeverTheBytes"
        Effect = "Deny"
        Action = "s3:*"
        Resource = flatten([
          for bucket in [var.core.raw_bucket, var.core.lake_bucket, var.core.artifact_bucket] :
          ["${local.s3}${bucket}", "${local.s3}${bucket}/*"]
        ])
      },
    ]
  })
}
