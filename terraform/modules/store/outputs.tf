output "settings" {
  description = "The store's database, the jobs by verb, and their role."
  value = {
    database     = aws_glue_catalog_database.this.name
    job_names    = { for verb, job in aws_glue_job.this : verb => job.name }
    job_role_arn = aws_iam_role.job.arn
  }

  depends_on = [aws_lakeformation_permissions.store, aws_lakeformation_permissions.location]
}
