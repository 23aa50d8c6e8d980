# Lake Formation's settings of the account: complete, closed by default, and administered by named users or roles.

mock_provider "aws" {}

variables {
  region         = "eu-west-2"
  administrators = ["arn:aws:iam::123456789012:role/deploy"]
}

run "closed_by_default" {
  command = plan

  assert {
    condition     = length(aws_lakeformation_data_lake_settings.this.create_table_default_permissions) == 0 && length(aws_lakeformation_data_lake_settings.this.create_database_default_permissions) == 0
    error_message = "New tables and databases must be open to nobody."
  }

  assert {
    condition     = aws_lakeformation_data_lake_settings.this.admins == toset(["arn:aws:iam::123456789012:role/deploy"])
    error_message = "The administrators are exactly those named."
  }
}

run "the_account_as_administrator" {
  command = plan

  variables {
    administrators = ["arn:aws:iam::123456789012:root"]
  }

  expect_failures = [var.administrators]
}

run "nobody_as_administrator" {
  command = plan

  variables {
    administrators = []
  }

  expect_failures = [var.administrators]
}
