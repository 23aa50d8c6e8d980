# A building block, not a room: one catalog database and its governed Iceberg tables, made from the contract, so that
# filters and grants can exist before the first row does.

resource "aws_glue_catalog_database" "this" {
  name         = var.name
  description  = var.description
  location_uri = var.location
  tags         = var.tags

  # Without a principal here the provider leaves ALL to IAM_ALLOWED_PRINCIPALS on every new table, whatever the account's
  # settings say, and an empty block is ignored: https://github.com/hashicorp/terraform-provider-aws/issues/27295
  dynamic "create_table_default_permission" {
    for_each = var.administrators
    content {
      permissions = ["SELECT"]
      principal {
        data_lake_principal_identifier = create_table_default_permission.value
      }
    }
  }
}

resource "aws_glue_catalog_table" "governed" {
  for_each = var.tables

  name          = each.key
  database_name = aws_glue_catalog_database.this.name
  description   = each.value.grain
  table_type    = "EXTERNAL_TABLE"

  open_table_format_input {
    iceberg_input {
      metadata_operation = "CREATE"
      version            = "2"
    }
  }

  storage_descriptor {
    location = "${var.location}/${each.key}"

    dynamic "columns" {
      for_each = each.value.columns
      content {
        name    = columns.value.name
        type    = columns.value.type
        comment = substr("${columns.value.class}: ${columns.value.source}", 0, 255)
      }
    }
  }

  lifecycle {
    # Iceberg owns the table once it exists. Each commit writes metadata_location into the parameters and field numbers
    # into the columns (some writers drop the description too); an update through Glue undoes that and breaks the table:
    # https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1919
    # https://github.com/hashicorp/terraform-provider-aws/issues/36641
    # So a column that is new in the contract is added by ALTER TABLE (make views), never from here.
    ignore_changes = [description, owner, parameters, retention, storage_descriptor, table_type]
  }
}
