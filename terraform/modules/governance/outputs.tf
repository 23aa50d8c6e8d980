# The rules that a policy must keep. They are preconditions here, not validations of the input, because they hold the
# policy against the contract; all of them are checked before anything is planned to change.

locals {
  unknown_classes = distinct(flatten([
    for persona, entry in var.policy.personas : [
      for grant in entry.grants : [for class in grant.classes : "${persona}: ${class}" if !contains(var.classes, class)]
    ]
  ]))

  unknown_tables = distinct(flatten([
    for persona, entry in var.policy.personas : [
      for grant in entry.grants : [
        for pattern in grant.tables : "${persona}: ${pattern}"
        if !contains(keys(local.tables), pattern) && !contains([for table in values(local.tables) : "${table.room}.*"], pattern)
      ]
    ]
  ]))

  unclassified_columns = flatten([
    for path, table in local.tables : [
      for column in table.columns : "${path}.${column.name}" if !contains(var.classes, column.class)
    ]
  ])

  # Lake Formation compares columns with constants: no functions, no subqueries. What is left of a rule without its
  # quoted constants must be operators, numbers, the rule's own words, and row keys.
  bare_row_rules = {
    for rule in distinct(compact(flatten([for entry in values(var.policy.personas) : entry.grants[*].rows]))) :
    rule => replace(rule, "/${var.row_rule.constant}/", "")
  }
  bad_row_rules = [
    for rule, bare in local.bare_row_rules : rule
    if !can(regex("^${var.row_rule.characters}$", bare)) || length(rule) >= var.row_rule.shorter_than || length(setsubtract(
      [for word in regexall(var.row_rule.word, bare) : lower(word)], concat(var.row_rule.words, var.row_rule.row_keys)
    )) > 0
  ]

  doubled_tables = [
    for key, entries in { for entry in local.entries : entry.key => entry... } : key if length(entries) > 1
  ]

  empty_entries = [for entry in local.entries : entry.key if !entry.is_star && length(entry.columns) == 0]

  admin_personas = [for name, persona in local.personas : name if contains(var.administrators, persona.role_arn)]
}

output "access" {
  description = "Who is meant to see what: persona/room/table -> database, columns and row rule (null: all rows)."
  value = {
    for key, entry in local.access : key => {
      persona  = entry.persona
      database = var.databases[entry.room]
      table    = entry.table
      columns  = entry.columns
      rows     = entry.rows
    }
  }
}

output "settings" {
  description = "Role, workgroup and description of each persona."
  value = {
    personas = {
      for name, persona in local.personas : name => {
        role_arn    = aws_iam_role.persona[name].arn
        workgroup   = aws_athena_workgroup.persona[name].name
        description = persona.description
      }
    }
  }

  depends_on = [
    aws_iam_role_policy.persona,
    aws_lakeformation_permissions.database,
    aws_lakeformation_permissions.filter,
  ]

  precondition {
    condition     = length(local.unknown_classes) == 0
    error_message = "The access policy names classes that do not exist: ${join(", ", local.unknown_classes)}. There are ${join(", ", var.classes)}."
  }

  precondition {
    condition     = length(local.unknown_tables) == 0
    error_message = "The access policy names tables that no contract has: ${join(", ", local.unknown_tables)}. Write room.table or room.*."
  }

  precondition {
    condition     = length(local.unclassified_columns) == 0
    error_message = "These columns have no sensitivity class in their contract: ${join(", ", local.unclassified_columns)}."
  }

  precondition {
    condition     = length(local.bad_row_rules) == 0
    error_message = "A row rule compares row keys (${join(", ", var.row_rule.row_keys)}) with constants, and nothing else: ${join("; ", local.bad_row_rules)}."
  }

  precondition {
    condition     = length(local.doubled_tables) == 0
    error_message = "Two entries of one persona match the same table, so one would widen the other: ${join(", ", local.doubled_tables)}."
  }

  precondition {
    condition     = length(local.empty_entries) == 0
    error_message = "The policy names these tables, but none of their columns has one of the classes: ${join(", ", local.empty_entries)}."
  }

  precondition {
    condition     = length(local.admin_personas) == 0
    error_message = "These personas are data lake administrators, whom no filter binds: ${join(", ", local.admin_personas)}."
  }
}
