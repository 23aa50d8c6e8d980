output "settings" {
  description = "The variant store, the job that loads it, and the database of the governed tables."
  value = {
    database         = module.catalog.settings.database
    store_database   = module.store.settings.database
    load_job_name    = module.store.settings.job_names["load_variants"]
    job_role_arn     = module.store.settings.job_role_arn
    reference_genome = var.reference_genome
  }
}
