# What exists once per account and Region. Its own state and one owner, because PutDataLakeSettings replaces the
# whole object: two states that both hold it overwrite each other's administrators.

resource "aws_lakeformation_data_lake_settings" "this" {
  admins = var.administrators

  parameters = {
    CROSS_ACCOUNT_VERSION = var.cross_account_version
  }

  # No create_database_default_permissions and no create_table_default_permissions: an omitted list is an empty list.
  # The service's own default grants ALL to IAM_ALLOWED_PRINCIPALS, which voids every column and row rule.
}
