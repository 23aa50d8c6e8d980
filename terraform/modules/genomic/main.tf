# The raw variant store (Iceberg tables in the shape of a HealthOmics variant store, written by a Glue job from VCF), and
# the governed genomic tables.

module "store" {
  source = "../store"

  core           = var.core
  room           = "genomic"
  administrators = var.administrators
  tags           = var.tags

  python_modules = ["pydantic==2.14.3", "pyiceberg-core==0.10.1", "pyiceberg[glue]==0.12.0", "pysam==0.24.1", "pyyaml==6.0.3"]

  jobs = {
    load_variants = { description = "VCF files of one ingest run into the variant and annotation tables of the store" }
  }
}

# For accounts that have HealthOmics variant stores: the same governed tables, from these stores instead.
module "healthomics" {
  source = "../healthomics"
  count  = var.backend == "healthomics" ? 1 : 0

  core                   = var.core
  reference_arn          = var.healthomics.reference_arn
  imported_reference_arn = var.healthomics.imported_reference_arn
  tags                   = var.tags
}

module "catalog" {
  source = "../catalog"

  name           = "${replace(var.core.name_prefix, "-", "_")}_genomic"
  description    = "Governed genomic tables: samples, variants, dosages, annotation"
  location       = "s3://${var.core.lake_bucket}/genomic"
  administrators = var.administrators
  tables         = var.tables
  tags           = var.tags
}
