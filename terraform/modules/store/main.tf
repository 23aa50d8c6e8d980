# A building block, not a room: one raw catalog database, the Glue jobs that fill it, and the one role they run under.
# The jobs make their own tables there; no persona is ever granted on it.

data "aws_partition" "this" {}

locals {
  partition = data.aws_partition.this.partition
  database  = "${replace(var.core.name_prefix, "-", "_")}_${var.room}_store"
  location  = "s3://${var.core.lake_bucket}/${var.room}_store"
  role_name = "${var.core.name_prefix}-${var.room}-job"
  role_arn  = "arn:${local.partition}:iam::${var.core.account_id}:role/${local.role_name}"

  # Spark's way to the Iceberg tables of the Glue catalog. Glue takes one --conf argument, so the rest is chained in it
  # (https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-format-iceberg.html).
  spark_settings = [
    "spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.catalog.glue_catalog=org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.glue_catalog.catalog-impl=org.apache.iceberg.aws.glue.GlueCatalog",
    "spark.sql.catalog.glue_catalog.io-impl=org.apache.iceberg.aws.s3.S3FileIO",
    "spark.sql.catalog.glue_catalog.warehouse=${local.location}/",
  ]
}

resource "aws_glue_catalog_database" "this" {
  name         = local.database
  description  = "Raw ${var.room} tables as the jobs write them; governed tables are made from these"
  location_uri = local.location
  tags         = var.tags

  # See modules/catalog: without this, new tables would be open to IAM_ALLOWED_PRINCIPALS.
  dynamic "create_table_default_permission" {
    for_each = var.administrators
    content {
      permissions = ["SELECT"]
      principal {
        data_lake_principal_identifier = create_table_default_permission.value
      }
    }
  }
}

resource "aws_glue_security_configuration" "this" {
  name = "${var.core.name_prefix}-${var.room}"

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "SSE-KMS"
      kms_key_arn                = var.core.kms_key_arn
    }

    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = var.core.kms_key_arn
    }

    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = var.core.kms_key_arn
    }
  }
}

resource "aws_glue_job" "this" {
  for_each = var.jobs

  name                   = "${var.core.name_prefix}-${var.room}-${replace(each.key, "_", "-")}"
  description            = each.value.description
  role_arn               = aws_iam_role.job.arn
  glue_version           = "5.1"
  worker_type            = "G.1X"
  number_of_workers      = each.value.workers
  timeout                = each.value.timeout_minutes
  max_retries            = 0 # Runs are resumed by `make ingest`, which knows what is loaded already.
  security_configuration = aws_glue_security_configuration.this.name
  tags                   = var.tags

  command {
    name            = "glueetl"
    python_version  = "3"
    script_location = "${var.core.code_prefix}/glue_jobs/${var.room}_${each.key}.py"
  }

  default_arguments = {
    "--job-language"                     = "python"
    "--additional-python-modules"        = join(",", var.python_modules)
    "--extra-py-files"                   = "${var.core.code_prefix}/trilake.zip"
    "--settings"                         = "${var.core.code_prefix}/settings.json"
    "--datalake-formats"                 = "iceberg"
    "--enable-glue-datacatalog"          = "true"
    "--conf"                             = join(" --conf ", local.spark_settings)
    "--TempDir"                          = "s3://${var.core.artifact_bucket}/temp/${var.room}/"
    "--enable-metrics"                   = "true"
    "--enable-continuous-cloudwatch-log" = "true"
  }

  execution_property {
    max_concurrent_runs = 1
  }

  depends_on = [aws_iam_role_policy.job]
}

# The store's tables are the jobs' own: whoever makes a table under Lake Formation holds it.
resource "aws_lakeformation_permissions" "store" {
  principal   = local.role_arn
  permissions = ["CREATE_TABLE", "DESCRIBE"]

  database {
    name = aws_glue_catalog_database.this.name
  }

  depends_on = [aws_iam_role.job]
}

resource "aws_lakeformation_permissions" "location" {
  principal   = local.role_arn
  permissions = ["DATA_LOCATION_ACCESS"]

  data_location {
    arn = "arn:${local.partition}:s3:::${var.core.lake_bucket}"
  }

  depends_on = [aws_iam_role.job]
}
