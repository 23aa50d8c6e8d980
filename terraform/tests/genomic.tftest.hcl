# Where variants are stored: our own tables, or HealthOmics stores over a reference that is there or still to come. Plans
# only: the stores refuse to be destroyed, also by the clean-up of a test.

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
  administrators   = ["arn:aws:iam::123456789012:role/deploy"]
  reference_genome = "GRCh38"
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
    sample = { grain = "one row per sample", columns = [{ name = "sample_id", type = "string", class = "GT", source = "header" }] }
  }
  tags = { project = "trilake" }
}

run "our_own_tables_by_default" {
  command = plan

  module {
    source = "./modules/genomic"
  }

  assert {
    condition     = output.settings.backend == "iceberg" && output.settings.healthomics == null
    error_message = "HealthOmics stores are closed to new accounts: nothing of them may be made unless it is asked for."
  }

  assert {
    condition     = length(module.healthomics) == 0
    error_message = "Our own tables need no HealthOmics store."
  }
}

run "healthomics_before_its_reference" {
  command = plan

  module {
    source = "./modules/genomic"
  }

  variables {
    backend         = "healthomics"
    reference_fasta = "s3://example/GRCh38.fa.gz"
  }

  assert {
    condition     = output.settings.healthomics.variant_store == null && output.settings.healthomics.annotation_store == null
    error_message = "A store cannot be made before its reference is there."
  }

  assert {
    condition     = output.settings.store_database == "trilake_test_genomic_store"
    error_message = "Registers and views need the room's raw database with either backend."
  }
}

run "a_reference_store_where_the_account_names_no_reference" {
  command = plan

  module {
    source = "./modules/healthomics"
  }

  assert {
    condition     = length(awscc_omics_reference_store.this) == 1 && length(awscc_omics_variant_store.this) == 0
    error_message = "The reference store comes first."
  }

  assert {
    condition     = awscc_omics_reference_store.this[0].sse_config == { type = "KMS", key_arn = "arn:aws:kms:eu-west-2:123456789012:key/1" }
    error_message = "The reference store must be under the customer-managed key: it can never be changed later."
  }
}

run "stores_over_the_imported_reference" {
  command = plan

  module {
    source = "./modules/healthomics"
  }

  variables {
    imported_reference_arn = "arn:aws:omics:eu-west-2:123456789012:referenceStore/1234567890/reference/1234567891"
  }

  assert {
    condition     = length(awscc_omics_reference_store.this) == 1
    error_message = "The reference store must stay when its reference is there."
  }

  assert {
    condition     = awscc_omics_variant_store.this[0].name == "trilake_test_genomic_variant" && awscc_omics_annotation_store.this[0].store_format == "VCF"
    error_message = "Stores are named after environment and room; annotations are loaded as VCF."
  }

  assert {
    condition     = awscc_omics_variant_store.this[0].sse_config.key_arn == "arn:aws:kms:eu-west-2:123456789012:key/1" && awscc_omics_annotation_store.this[0].sse_config.key_arn == "arn:aws:kms:eu-west-2:123456789012:key/1"
    error_message = "The stores must be under the customer-managed key: it can never be changed later."
  }
}

run "stores_over_the_accounts_own_reference" {
  command = plan

  module {
    source = "./modules/healthomics"
  }

  variables {
    reference_arn = "arn:aws:omics:eu-west-2:123456789012:referenceStore/1234567890/reference/1234567891"
  }

  assert {
    condition     = length(awscc_omics_reference_store.this) == 0 && awscc_omics_variant_store.this[0].reference.reference_arn == "arn:aws:omics:eu-west-2:123456789012:referenceStore/1234567890/reference/1234567891"
    error_message = "An account has one reference store; one that is there must be used."
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.import.policy).Statement : !contains(flatten([statement.Resource]), "*")
    ])
    error_message = "Import jobs may reach the staged files, the reference and the key, nothing else."
  }

  assert {
    condition     = jsondecode(aws_iam_role.import.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "Only this account's jobs may take the role on."
  }
}

run "a_region_without_variant_stores" {
  command = plan

  module {
    source = "./modules/healthomics"
  }

  variables {
    core = {
      account_id  = "123456789012"
      region      = "ap-southeast-2"
      name_prefix = "trilake-test"
      raw_bucket  = "trilake-test-raw"
      kms_key_arn = "arn:aws:kms:ap-southeast-2:123456789012:key/1"
    }
  }

  expect_failures = [var.core]
}

run "a_reference_that_is_none" {
  command = plan

  module {
    source = "./modules/healthomics"
  }

  variables {
    reference_arn = "GRCh38"
  }

  expect_failures = [var.reference_arn]
}

run "a_backend_that_there_is_not" {
  command = plan

  module {
    source = "./modules/genomic"
  }

  variables {
    backend = "s3tables"
  }

  expect_failures = [var.backend]
}

run "two_references" {
  command = plan

  module {
    source = "./modules/genomic"
  }

  variables {
    backend = "healthomics"
    healthomics = {
      reference_arn          = "arn:aws:omics:eu-west-2:123456789012:referenceStore/1/reference/1"
      imported_reference_arn = "arn:aws:omics:eu-west-2:123456789012:referenceStore/1/reference/2"
    }
  }

  expect_failures = [var.healthomics]
}
