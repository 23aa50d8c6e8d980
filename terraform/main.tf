# Wiring only: one block per room, in pipeline order. Who may see what stands in access_policy.yaml, what the governed
# tables are in ../sql/*/contract.yaml, what both may say in ../sql/core/; all are read here once and handed down typed.

locals {
  name_prefix = "trilake-${var.environment}"
  tags        = merge({ project = "trilake", environment = var.environment }, var.tags)
  policy      = yamldecode(file("${path.root}/access_policy.yaml"))
  classes     = yamldecode(file("${path.root}/../sql/core/classes.yaml"))
  row_keys    = yamldecode(file("${path.root}/../sql/core/row_keys.yaml"))
  row_rule    = yamldecode(file("${path.root}/../sql/core/row_rule.yaml"))

  # room -> table -> entry; patient-level tables carry the row keys after their own columns.
  contract = {
    for room in ["clinical", "linkage", "genomic", "imaging", "cohort", "operations"] : room => {
      for table, entry in yamldecode(file("${path.root}/../sql/${room}/contract.yaml")).tables : table =>
      merge(entry, { columns = concat(entry.columns, entry.patient_level ? local.row_keys : []) })
    }
  }
}

module "core" {
  source = "./modules/core"

  environment           = var.environment
  region                = var.region
  name_prefix           = local.name_prefix
  administrators        = var.administrators
  tables                = local.contract["operations"]
  bytes_scanned_cutoff  = var.bytes_scanned_cutoff.pipeline
  result_retention_days = var.result_retention_days
  force_destroy         = var.force_destroy
  tags                  = local.tags
}

module "clinical" {
  source = "./modules/clinical"

  core           = module.core.settings
  administrators = var.administrators
  tables         = local.contract["clinical"]
  tags           = local.tags
}

module "linkage" {
  source = "./modules/linkage"

  core           = module.core.settings
  administrators = var.administrators
  tables         = local.contract["linkage"]
  tags           = local.tags
}

module "genomic" {
  source = "./modules/genomic"

  core             = module.core.settings
  administrators   = var.administrators
  tables           = local.contract["genomic"]
  backend          = var.genomic_backend
  reference_genome = var.reference_genome
  reference_fasta  = var.reference_fasta
  tags             = local.tags

  healthomics = {
    reference_arn          = var.healthomics.reference_arn
    imported_reference_arn = var.healthomics.reference_arn == null ? var.healthomics.imported_reference_arn : null
  }
}

module "imaging" {
  source = "./modules/imaging"

  core           = module.core.settings
  administrators = var.administrators
  tables         = local.contract["imaging"]
  tags           = local.tags
}

module "cohort" {
  source = "./modules/cohort"

  core           = module.core.settings
  administrators = var.administrators
  tables         = local.contract["cohort"]
  tags           = local.tags
}

module "governance" {
  source = "./modules/governance"

  core     = module.core.settings
  policy   = local.policy
  contract = local.contract
  classes  = local.classes[*].class
  row_rule = merge(local.row_rule, { row_keys = local.row_keys[*].name })
  databases = {
    clinical   = module.clinical.settings.database
    linkage    = module.linkage.settings.database
    genomic    = module.genomic.settings.database
    imaging    = module.imaging.settings.database
    cohort     = module.cohort.settings.database
    operations = module.core.settings.operations_database
  }
  extract_uri          = module.cohort.settings.extract_uri
  administrators       = var.administrators
  persona_principals   = var.persona_principals
  bytes_scanned_cutoff = var.bytes_scanned_cutoff.persona
  force_destroy        = var.force_destroy
  tags                 = local.tags
}
