output "access" {
  description = "Who is meant to see what: persona/room/table -> columns, row rule and database. For readers and auditors; the settings do not hold it."
  value       = module.governance.access
}

output "clinical" {
  description = "Settings of the room clinical."
  value       = module.clinical.settings
}

output "cohort" {
  description = "Settings of the room cohort."
  value       = module.cohort.settings
}

output "core" {
  description = "Settings of the room core."
  value       = module.core.settings
}

output "genomic" {
  description = "Settings of the room genomic."
  value       = module.genomic.settings
}

output "governance" {
  description = "Settings of the room governance."
  value       = module.governance.settings
}

output "imaging" {
  description = "Settings of the room imaging."
  value       = module.imaging.settings
}

output "linkage" {
  description = "Settings of the room linkage."
  value       = module.linkage.settings
}
