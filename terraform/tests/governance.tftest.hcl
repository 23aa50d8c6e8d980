# How a policy becomes filters and grants, and which policies are refused, on a contract small enough to see through.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  core = {
    account_id      = "123456789012"
    region          = "eu-west-2"
    name_prefix     = "trilake-test"
    raw_bucket      = "trilake-test-raw"
    lake_bucket     = "trilake-test-lake"
    results_bucket  = "trilake-test-results"
    artifact_bucket = "trilake-test-artifact"
    kms_key_arn     = "arn:aws:kms:eu-west-2:123456789012:key/1"
  }
  contract = {
    clinical = {
      patient = {
        patient_level = true
        columns = [
          { name = "patient_id", class = "CL" }, { name = "mrn", class = "ID" },
          { name = "site_id", class = "CL" }, { name = "consent_research", class = "OP" },
        ]
      }
    }
    genomic = {
      variant    = { patient_level = true, columns = [{ name = "calls", class = "GT" }, { name = "site_id", class = "CL" }] }
      annotation = { patient_level = false, columns = [{ name = "gene", class = "AN" }] }
    }
  }
  classes              = yamldecode(file("../sql/core/classes.yaml"))[*].class
  databases            = { clinical = "trilake_test_clinical", genomic = "trilake_test_genomic" }
  extract_uri          = "s3://trilake-test-results/extracts"
  administrators       = ["arn:aws:iam::123456789012:role/deploy"]
  persona_principals   = ["arn:aws:iam::123456789012:root"]
  bytes_scanned_cutoff = 10485760
  force_destroy        = false
  row_rule             = merge(yamldecode(file("../sql/core/row_rule.yaml")), { row_keys = ["site_id", "consent_research"] })
  policy = {
    minimum_cell = 10
    personas = {
      nurse    = { description = "Nurse", grants = [{ tables = ["clinical.*"], classes = ["ID", "CL"], rows = "site_id = 'north'" }] }
      analyst  = { description = "Analyst", grants = [{ tables = ["genomic.*"], classes = ["GT", "AN"], rows = "consent_research = true" }] }
      engineer = { description = "Engineer", grants = [] }
    }
  }
}

run "filters_grants_roles_and_workgroups" {
  command = apply

  module {
    source = "./modules/governance"
  }

  assert {
    condition     = toset(keys(aws_lakeformation_data_cells_filter.persona)) == toset(["nurse/clinical/patient", "analyst/genomic/variant", "analyst/genomic/annotation"])
    error_message = "There must be one filter per persona and table, under a key that does not depend on order."
  }

  assert {
    condition     = keys(aws_lakeformation_permissions.filter) == keys(aws_lakeformation_data_cells_filter.persona)
    error_message = "Each filter must be granted: a filter alone restricts nobody."
  }

  assert {
    condition = alltrue([
      for key, grant in aws_lakeformation_permissions.filter :
      grant.principal == "arn:aws:iam::123456789012:role/trilake-test-persona-${split("/", key)[0]}"
      && grant.permissions == toset(["SELECT"]) && grant.data_cells_filter[0].name == split("/", key)[0]
    ])
    error_message = "A grant must give SELECT through its own persona's filter, to its own persona."
  }

  assert {
    condition     = aws_lakeformation_data_cells_filter.persona["nurse/clinical/patient"].table_data[0].column_names == toset(["patient_id", "mrn", "site_id"])
    error_message = "A filter must list the columns whose class is granted, and no other."
  }

  assert {
    condition     = aws_lakeformation_data_cells_filter.persona["nurse/clinical/patient"].table_data[0].row_filter[0].filter_expression == "site_id = 'north'"
    error_message = "The row rule must reach the filter of a table about patients."
  }

  assert {
    condition     = length(aws_lakeformation_data_cells_filter.persona["analyst/genomic/annotation"].table_data[0].row_filter[0].all_rows_wildcard) == 1
    error_message = "A table that is not about patients must be seen whole."
  }

  assert {
    condition     = alltrue([for filter in values(aws_lakeformation_data_cells_filter.persona) : length(filter.table_data[0].column_wildcard) == 0])
    error_message = "Filters must list what is included: an excluded column that is renamed becomes visible."
  }

  assert {
    condition     = toset(keys(aws_lakeformation_permissions.database)) == toset(["nurse/clinical", "analyst/genomic"])
    error_message = "A persona may describe the databases that it has tables in, and no other."
  }

  assert {
    condition     = keys(output.settings.personas) == ["analyst", "engineer", "nurse"]
    error_message = "A persona without grants must still have a role and a workgroup, so that its denial can be shown."
  }

  assert {
    condition = alltrue([
      for workgroup in values(aws_athena_workgroup.persona) :
      workgroup.configuration[0].enforce_workgroup_configuration
      && workgroup.configuration[0].result_configuration[0].encryption_configuration[0].encryption_option == "SSE_KMS"
    ])
    error_message = "A persona's workgroup must force its own result place and key on every query."
  }

  assert {
    condition     = length(distinct([for workgroup in values(aws_athena_workgroup.persona) : workgroup.configuration[0].result_configuration[0].output_location])) == 3
    error_message = "Each persona must have a result place of its own."
  }

  assert {
    condition = alltrue([
      for policy in values(aws_iam_role_policy.persona) : length([
        for statement in jsondecode(policy.policy).Statement : statement
        if statement.Effect == "Deny" && statement.Action == "s3:*" && contains(flatten([statement.Resource]), "arn:aws:s3:::trilake-test-lake/*") && contains(flatten([statement.Resource]), "arn:aws:s3:::trilake-test-raw/*")
      ]) == 1
    ])
    error_message = "Direct reads of lake and raw objects must be denied to every persona: else filters are decoration."
  }

  assert {
    condition = alltrue([
      for policy in values(aws_iam_role_policy.persona) : length([
        for statement in jsondecode(policy.policy).Statement : statement
        if statement.Effect == "Allow" && length(setintersection(flatten([statement.Action]), ["s3:*", "glue:*", "athena:*", "*", "kms:*"])) > 0
      ]) == 0
    ])
    error_message = "A persona's policy must name its actions."
  }
}

run "unknown_class" {
  command = plan

  module {
    source = "./modules/governance"
  }

  variables {
    policy = { minimum_cell = 10, personas = { nurse = { description = "Nurse", grants = [{ tables = ["clinical.patient"], classes = ["CL", "ZZ"] }] } } }
  }

  expect_failures = [output.settings]
}

run "unknown_table" {
  command = plan

  module {
    source = "./modules/governance"
  }

  variables {
    policy = { minimum_cell = 10, personas = { nurse = { description = "Nurse", grants = [{ tables = ["clinical.patients"], classes = ["CL"] }] } } }
  }

  expect_failures = [output.settings]
}

run "column_without_class" {
  command = plan

  module {
    source = "./modules/governance"
  }

  variables {
    contract = {
      clinical = { patient = { patient_level = true, columns = [{ name = "patient_id", class = "CL" }, { name = "mrn" }] } }
      genomic  = { annotation = { patient_level = false, columns = [{ name = "gene", class = "AN" }] } }
    }
  }

  expect_failures = [output.settings]
}

run "row_rule_on_another_column" {
  command = plan

  module {
    source = "./modules/governance"
  }

  variables {
    policy = { minimum_cell = 10, personas = { nurse = { description = "Nurse", grants = [{ tables = ["clinical.patient"], classes = ["CL"], rows = "mrn = 'x'" }] } } }
  }

  expect_failures = [output.settings]
}

run "row_rule_with_a_function" {
  command = plan

  module {
    source = "./modules/governance"
  }

  variables {
    policy = { minimum_cell = 10, personas = { nurse = { description = "Nurse", grants = [{ tables = ["clinical.patient"], classes = ["CL"], rows = "lower(site_id) = 'north'" }] } } }
  }

  expect_failures = [output.settings]
}

run "two_entries_for_one_table" {
  command = plan

  module {
    source = "./modules/governance"
  }

  variables {
    policy = {
      minimum_cell = 10
      personas = {
        nurse = {
          description = "Nurse"
          grants      = [{ tables = ["clinical.*"], classes = ["CL"], rows = "site_id = 'north'" }, { tables = ["clinical.patient"], classes = ["ID"] }]
        }
      }
    }
  }

  expect_failures = [output.settings]
}

run "grant_that_shows_nothing" {
  command = plan

  module {
    source = "./modules/governance"
  }

  variables {
    policy = { minimum_cell = 10, personas = { nurse = { description = "Nurse", grants = [{ tables = ["genomic.annotation"], classes = ["PX"] }] } } }
  }

  expect_failures = [output.settings]
}

run "persona_that_is_an_administrator" {
  command = plan

  module {
    source = "./modules/governance"
  }

  variables {
    administrators = ["arn:aws:iam::123456789012:role/trilake-test-persona-nurse"]
  }

  expect_failures = [output.settings]
}

run "persona_named_like_the_pipeline" {
  command = plan

  module {
    source = "./modules/governance"
  }

  variables {
    policy = { minimum_cell = 10, personas = { pipeline = { description = "Pipeline", grants = [] } } }
  }

  expect_failures = [var.policy]
}

run "a_minimum_cell_of_one" {
  command = plan

  module {
    source = "./modules/governance"
  }

  variables {
    policy = { minimum_cell = 1, personas = {} }
  }

  expect_failures = [var.policy]
}

run "extracts_outside_the_results" {
  command = plan

  module {
    source = "./modules/governance"
  }

  variables {
    extract_uri = "s3://somewhere-else/extracts"
  }

  expect_failures = [var.extract_uri]
}
