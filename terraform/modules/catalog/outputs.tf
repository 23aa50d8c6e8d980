output "settings" {
  description = "Name of the database and its tables. Known to be whole: whatever uses it waits for the tables."
  value = {
    database = aws_glue_catalog_database.this.name
    tables   = keys(var.tables)
  }

  depends_on = [aws_glue_catalog_table.governed]
}
