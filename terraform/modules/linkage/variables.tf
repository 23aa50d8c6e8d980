variable "administrators" {
  description = "ARNs of the data lake administrators: they own the databases."
  type        = set(string)

  validation {
    condition     = length(var.administrators) > 0
    error_message = "Name at least one administrator."
  }
}

variable "core" {
  description = "Settings of the room core."
  type = object({
    account_id      = string
    region          = string
    name_prefix     = string
    raw_bucket      = string
    lake_bucket     = string
    results_bucket  = string
    artifact_bucket = string
    kms_key_arn     = string
    code_prefix     = string
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,24}[a-z0-9]$", var.core.name_prefix)) && can(regex("^[0-9]{12}$", var.core.account_id))
    error_message = "core.name_prefix is 3 to 26 lower-case letters, digits and hyphens; core.account_id has twelve digits."
  }
}

variable "tables" {
  description = "Governed tables of the room, from the contract, row keys included."
  type = map(object({
    grain   = string
    columns = list(object({ name = string, type = string, class = optional(string), source = optional(string) }))
  }))

  validation {
    condition     = alltrue([for table in values(var.tables) : length(table.columns) > 0])
    error_message = "Each governed table has at least one column."
  }
}

variable "tags" {
  description = "Tags on every resource that takes tags."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.tags) <= 50
    error_message = "AWS takes at most 50 tags."
  }
}
