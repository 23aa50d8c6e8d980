output "settings" {
  description = "The DICOM data store, its import role, the jobs and their role, and the database of the governed tables."
  value = {
    database           = module.catalog.settings.database
    store_database     = module.store.settings.database
    datastore_id       = awscc_healthimaging_datastore.this.datastore_id
    import_role_arn    = aws_iam_role.import.arn
    flatten_job_name   = module.store.settings.job_names["flatten_metadata"]
    radiomics_job_name = module.store.settings.job_names["extract_radiomics"]
    job_role_arn       = module.store.settings.job_role_arn
  }

  depends_on = [aws_iam_role_policy.import]
}
