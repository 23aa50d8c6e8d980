output "settings" {
  description = "The linkage database."
  value = {
    database = module.catalog.settings.database
  }
}
