output "settings" {
  description = "The variant store (ours, and those of HealthOmics where they are chosen), the job that loads it, and the database of the governed tables."
  value = {
    backend          = var.backend
    database         = module.catalog.settings.database
    store_database   = module.store.settings.database
    load_job_name    = module.store.settings.job_names["load_variants"]
    job_role_arn     = module.store.settings.job_role_arn
    reference_genome = var.reference_genome
    reference_fasta  = var.reference_fasta
    healthomics      = one(module.healthomics[*].settings)
  }
}
