# The database of links: rules, keys, decisions of people, and the verdict on every sample and study.

module "catalog" {
  source = "../catalog"

  name           = "${replace(var.core.name_prefix, "-", "_")}_linkage"
  description    = "Whose each sample and study is, by rules that are rows and by what people decided"
  location       = "s3://${var.core.lake_bucket}/linkage"
  administrators = var.administrators
  tables         = var.tables
  tags           = var.tags
}
