# The database of cohort views and the place where extracts leave to: extracts/<persona>/ of the results bucket, which
# only that persona may write and read (modules/governance).

module "catalog" {
  source = "../catalog"

  name           = "${replace(var.core.name_prefix, "-", "_")}_cohort"
  description    = "Contradictions and coverage over all three modalities, and cohorts built on them"
  location       = "s3://${var.core.lake_bucket}/cohort"
  administrators = var.administrators
  tables         = var.tables
  tags           = var.tags
}
