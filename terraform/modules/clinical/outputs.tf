output "settings" {
  description = "The FHIR data store, its import role, and the database of the governed tables."
  value = {
    database        = module.catalog.settings.database
    datastore_id    = awscc_healthlake_fhir_datastore.this.datastore_id
    datastore_arn   = awscc_healthlake_fhir_datastore.this.datastore_arn
    import_role_arn = aws_iam_role.import.arn
  }

  depends_on = [aws_iam_role_policy.import]
}
