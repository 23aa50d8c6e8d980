# What each room must build, whatever the environment. Plans only: stores, keys and buckets refuse to be destroyed, also
# by the clean-up of a test.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

mock_provider "awscc" {}

variables {
  administrators = ["arn:aws:iam::123456789012:role/deploy"]
  core = {
    account_id      = "123456789012"
    region          = "eu-west-2"
    name_prefix     = "trilake-test"
    raw_bucket      = "trilake-test-raw"
    lake_bucket     = "trilake-test-lake"
    results_bucket  = "trilake-test-results"
    artifact_bucket = "trilake-test-artifact"
    kms_key_arn     = "arn:aws:kms:eu-west-2:123456789012:key/1"
    code_prefix     = "s3://trilake-test-artifact/code"
  }
  tables = {
    ingest_ledger = { grain = "one row per file", columns = [{ name = "file", type = "string", class = "OP", source = "path" }] }
  }
  tags = { project = "trilake" }
}

run "core" {
  command = plan

  module {
    source = "./modules/core"
  }

  variables {
    environment           = "test"
    region                = "eu-west-2"
    name_prefix           = "trilake-test"
    bytes_scanned_cutoff  = 10485760
    result_retention_days = 7
    force_destroy         = false
  }

  assert {
    condition     = toset(keys(aws_s3_bucket_public_access_block.this)) == toset(["raw", "lake", "results", "artifact"]) && alltrue([for block in values(aws_s3_bucket_public_access_block.this) : block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets])
    error_message = "No bucket may become public."
  }

  assert {
    condition = alltrue([
      for encryption in values(aws_s3_bucket_server_side_encryption_configuration.this) : alltrue([
        for rule in encryption.rule : rule.apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"
      ])
    ])
    error_message = "Every bucket must be under the customer-managed key."
  }

  assert {
    condition     = toset(keys(aws_s3_bucket_versioning.this)) == toset(["raw", "lake", "artifact"])
    error_message = "Raw files, tables and code keep their versions; query results must not."
  }

  assert {
    condition     = aws_athena_workgroup.pipeline.configuration[0].enforce_workgroup_configuration
    error_message = "The pipeline's workgroup must force its result place and key."
  }

  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key must be rotated."
  }

  assert {
    condition = alltrue([
      for policy in values(aws_s3_bucket_policy.tls_only) :
      jsondecode(policy.policy).Statement[0].Effect == "Deny" && jsondecode(policy.policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"
    ])
    error_message = "Every bucket must refuse connections without TLS."
  }
}

run "clinical" {
  command = plan

  module {
    source = "./modules/clinical"
  }

  assert {
    condition     = awscc_healthlake_fhir_datastore.this.sse_configuration.kms_encryption_config.cmk_type == "CUSTOMER_MANAGED_KMS_KEY"
    error_message = "The FHIR data store must be under the customer-managed key: it can never be changed later."
  }

  assert {
    condition     = awscc_healthlake_fhir_datastore.this.tags == tolist([{ key = "project", value = "trilake" }])
    error_message = "This resource takes its tags as a list of pairs."
  }
}

run "linkage" {
  command = plan

  module {
    source = "./modules/linkage"
  }

  assert {
    condition     = output.settings.database == "trilake_test_linkage"
    error_message = "The room's tables stand in a database of its own."
  }
}

run "imaging" {
  command = plan

  module {
    source = "./modules/imaging"
  }

  assert {
    condition     = awscc_healthimaging_datastore.this.kms_key_arn == "arn:aws:kms:eu-west-2:123456789012:key/1"
    error_message = "The DICOM data store must be under the customer-managed key: it can never be changed later."
  }

  assert {
    condition     = output.settings.flatten_job_name == "trilake-test-imaging-flatten-metadata" && output.settings.radiomics_job_name == "trilake-test-imaging-extract-radiomics"
    error_message = "Jobs are named after room and verb."
  }
}

run "store" {
  command = plan

  module {
    source = "./modules/store"
  }

  variables {
    room           = "genomic"
    jobs           = { load = { description = "Loads" } }
    python_modules = ["pysam==0.24.1"]
  }

  assert {
    condition     = aws_glue_job.this["load"].glue_version == "5.1" && aws_glue_job.this["load"].worker_type == "G.1X" && aws_glue_job.this["load"].command[0].script_location == "s3://trilake-test-artifact/code/glue_jobs/genomic_load.py"
    error_message = "A job runs glue_jobs/<room>_<verb>.py on Glue 5.1 with G.1X workers."
  }

  assert {
    condition     = aws_glue_security_configuration.this.encryption_configuration[0].s3_encryption[0].s3_encryption_mode == "SSE-KMS"
    error_message = "What a job writes must be under the customer-managed key."
  }
}

run "a_job_that_may_do_anything" {
  command = plan

  module {
    source = "./modules/store"
  }

  variables {
    room           = "genomic"
    jobs           = { load = { description = "Loads" } }
    python_modules = []
    statements     = [{ sid = "All", actions = ["s3:*"], resources = ["*"] }]
  }

  expect_failures = [var.statements]
}

run "catalog" {
  command = plan

  module {
    source = "./modules/catalog"
  }

  variables {
    name        = "trilake_test_operations"
    description = "Ledger"
    location    = "s3://trilake-test-lake/operations"
  }

  assert {
    condition     = aws_glue_catalog_table.governed["ingest_ledger"].open_table_format_input[0].iceberg_input[0].version == "2" && aws_glue_catalog_table.governed["ingest_ledger"].storage_descriptor[0].location == "s3://trilake-test-lake/operations/ingest_ledger"
    error_message = "A governed table is an Iceberg table of version 2 below its room's place."
  }

  assert {
    condition     = aws_glue_catalog_table.governed["ingest_ledger"].storage_descriptor[0].columns[0].comment == "OP: path"
    error_message = "A column's comment begins with its class, where the plan review finds it."
  }

  assert {
    condition     = [for entry in aws_glue_catalog_database.this.create_table_default_permission : [for principal in entry.principal : principal.data_lake_principal_identifier]] == [["arn:aws:iam::123456789012:role/deploy"]]
    error_message = "New tables must be the pipeline's to read, and nobody else's."
  }
}

run "a_table_with_one_column_twice" {
  command = plan

  module {
    source = "./modules/catalog"
  }

  variables {
    name        = "trilake_test_operations"
    description = "Ledger"
    location    = "s3://trilake-test-lake/operations"
    tables      = { x = { grain = "one row", columns = [{ name = "a", type = "int" }, { name = "a", type = "int" }] } }
  }

  expect_failures = [var.tables]
}
