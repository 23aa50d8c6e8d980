output "settings" {
  description = "The cohort database and where extracts are written."
  value = {
    database    = module.catalog.settings.database
    extract_uri = "s3://${var.core.results_bucket}/extracts"
  }
}
