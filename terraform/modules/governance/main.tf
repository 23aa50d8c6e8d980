# From the policy and the contract to persona roles, one data cells filter per persona and table, a grant on each
# filter, and a workgroup per persona. Touches no data.
#
# Include lists only, default deny, and never a table-wide grant beside a filter: Lake Formation gives a principal the
# union of all its grants, so a wider one would void the filter.

data "aws_partition" "this" {}

locals {
  partition = data.aws_partition.this.partition

  # Names are known before apply, so that a plan says in full who would see what.
  personas = {
    for name, persona in var.policy.personas : name => merge(persona, {
      role_name = "${var.core.name_prefix}-persona-${name}"
      role_arn  = "arn:${local.partition}:iam::${var.core.account_id}:role/${var.core.name_prefix}-persona-${name}"
    })
  }

  # Every governed table by room.table.
  tables = merge([
    for room, tables in var.contract : {
      for name, table in tables : "${room}.${name}" => merge(table, { room = room, name = name })
    }
  ]...)

  # One entry per persona, grant and table that a pattern of the grant matches.
  entries = flatten([
    for persona, entry in var.policy.personas : [
      for grant in entry.grants : [
        for pattern in grant.tables : [
          for path, table in local.tables : {
            key     = "${persona}/${table.room}/${table.name}"
            persona = persona
            room    = table.room
            table   = table.name
            columns = [for column in table.columns : column.name if contains(grant.classes, column.class)]
            rows    = table.patient_level ? grant.rows : null
            is_star = endswith(pattern, ".*")
          } if pattern == path || pattern == "${table.room}.*"
        ]
      ]
    ]
  ])

  # The intended access: persona/room/table -> columns and rows. Two entries for one key are refused in outputs.tf.
  access = {
    for key, entries in { for entry in local.entries : entry.key => entry... } : key => entries[0]
    if length(entries[0].columns) > 0
  }

  # Databases that a persona must see to name a table in them.
  persona_databases = {
    for entry in values(local.access) : "${entry.persona}/${entry.room}" => { persona = entry.persona, room = entry.room }...
  }
}

resource "aws_lakeformation_data_cells_filter" "persona" {
  for_each = local.access

  table_data {
    table_catalog_id = var.core.account_id
    database_name    = var.databases[each.value.room]
    table_name       = each.value.table
    name             = each.value.persona
    column_names     = each.value.columns

    row_filter {
      filter_expression = each.value.rows

      dynamic "all_rows_wildcard" {
        for_each = each.value.rows == null ? [true] : []
        content {}
      }
    }
  }
}

resource "aws_lakeformation_permissions" "filter" {
  for_each = local.access

  principal   = local.personas[each.value.persona].role_arn
  permissions = ["SELECT"]

  data_cells_filter {
    table_catalog_id = var.core.account_id
    database_name    = var.databases[each.value.room]
    table_name       = each.value.table
    name             = aws_lakeformation_data_cells_filter.persona[each.key].table_data[0].name
  }

  depends_on = [aws_iam_role.persona]
}

resource "aws_lakeformation_permissions" "database" {
  for_each = local.persona_databases

  principal   = local.personas[each.value[0].persona].role_arn
  permissions = ["DESCRIBE"]

  database {
    catalog_id = var.core.account_id
    name       = var.databases[each.value[0].room]
  }

  depends_on = [aws_iam_role.persona]
}

resource "aws_athena_workgroup" "persona" {
  for_each = local.personas

  name          = "${var.core.name_prefix}-${each.key}"
  description   = "Queries of the persona ${each.key}"
  force_destroy = var.force_destroy
  tags          = var.tags

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.bytes_scanned_cutoff

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      output_location = "s3://${var.core.results_bucket}/queries/${each.key}/"

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = var.core.kms_key_arn
      }
    }
  }
}
