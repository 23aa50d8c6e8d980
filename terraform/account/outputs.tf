output "settings" {
  description = "What the account's Lake Formation settings are."
  value = {
    administrators        = var.administrators
    cross_account_version = aws_lakeformation_data_lake_settings.this.parameters["CROSS_ACCOUNT_VERSION"]
    region                = var.region
  }
}
