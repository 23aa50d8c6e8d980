# The policy as it stands, over the contracts as they stand: promises that no edit of either may break unseen.

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
  environment        = "test"
  region             = "eu-west-2"
  administrators     = ["arn:aws:iam::123456789012:role/deploy"]
  persona_principals = ["arn:aws:iam::123456789012:root"]
}

run "what_each_persona_sees_and_never_sees" {
  command = plan

  assert {
    condition = length([
      for key, entry in output.access : key if startswith(key, "radiologist/") && length(setintersection(entry.columns, [
        for column in try(yamldecode(file("../sql/${split("/", key)[1]}/contract.yaml")).tables[entry.table].columns, []) :
        column.name if contains(["GT", "AN", "ID"], column.class)
      ])) > 0
    ]) == 0
    error_message = "A radiologist would see genotypes, variants or direct identifiers."
  }

  assert {
    condition     = length([for key in keys(output.access) : key if startswith(key, "radiologist/genomic/")]) == 0
    error_message = "A radiologist would see a genomic table."
  }

  assert {
    condition = length([
      for key, entry in output.access : key if startswith(key, "bioinformatician/") && length(setintersection(entry.columns, [
        for column in yamldecode(file("../sql/${split("/", key)[1]}/contract.yaml")).tables[entry.table].columns :
        column.name if contains(["ID", "QI", "TX", "PX"], column.class)
      ])) > 0
    ]) == 0
    error_message = "A bioinformatician would see identifiers, dates, free text or pixels."
  }

  assert {
    condition = length([
      for key, entry in output.access : key if startswith(key, "data_scientist/") && length(setintersection(entry.columns, [
        for column in yamldecode(file("../sql/${split("/", key)[1]}/contract.yaml")).tables[entry.table].columns :
        column.name if contains(["ID", "QI", "TX", "GT", "PX"], column.class)
      ])) > 0
    ]) == 0
    error_message = "A data scientist would see identifiers, dates, free text, genotypes or pixels."
  }

  assert {
    condition     = length([for key in keys(output.access) : key if startswith(key, "platform_engineer/")]) == 0
    error_message = "A platform engineer would see data."
  }

  assert {
    condition     = alltrue([for key in keys(output.access) : startswith(key, "auditor/operations/") if startswith(key, "auditor/")])
    error_message = "An auditor would see more than operations."
  }

  assert {
    condition     = output.access["clinician/clinical/patient"].rows == "site_id = 'north'" && output.access["radiologist/imaging/instance"].rows == "consent_imaging = true" && output.access["bioinformatician/genomic/variant"].rows == "consent_genomic = true" && output.access["data_scientist/genomic/dosage"].rows == "consent_research = true"
    error_message = "A persona's rows are not those of its rule."
  }

  assert {
    condition     = output.access["bioinformatician/genomic/annotation"].rows == null
    error_message = "The rule on consent binds tables about patients; annotation has no consent column to bind."
  }

  assert {
    condition = alltrue([
      for key, entry in output.access : entry.rows != null
      if contains(["clinician", "bioinformatician", "radiologist", "data_scientist"], split("/", key)[0])
      && yamldecode(file("../sql/${split("/", key)[1]}/contract.yaml")).tables[entry.table].patient_level
    ])
    error_message = "A clinical or research persona would see rows of every patient of some table."
  }
}

# Each of these alone must be refused. They share a plan, for each plan of the whole configuration takes seconds, and a run
# fails when any of the failures that it expects does not come.
run "settings_that_must_not_be" {
  command = plan

  variables {
    environment        = "prod"
    force_destroy      = true
    genomic_backend    = "healthomics"
    persona_principals = ["*"]
    region             = "eu-central-1"
  }

  # A store that may be emptied in prod; variant stores without a reference; personas for everyone; a Region without the
  # health services.
  expect_failures = [var.force_destroy, var.genomic_backend, var.persona_principals, var.region]
}
