variable "administrators" {
  description = "ARNs of the data lake administrators: they own the databases."
  type        = set(string)

  validation {
    condition     = length(var.administrators) > 0
    error_message = "Name at least one administrator."
  }
}

variable "bytes_scanned_cutoff" {
  description = "Bytes that one query of the pipeline may scan."
  type        = number

  validation {
    condition     = var.bytes_scanned_cutoff >= 10485760
    error_message = "The smallest cut-off is 10,485,760 bytes (10 MiB)."
  }
}

variable "environment" {
  description = "Name of the environment."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))
    error_message = "The environment is 2 to 12 lower-case letters and digits that start with a letter."
  }
}

variable "force_destroy" {
  description = "Let a destroy delete buckets and workgroups that still hold objects."
  type        = bool

  validation {
    condition     = var.force_destroy != null
    error_message = "Say true or false."
  }
}

variable "name_prefix" {
  description = "What every name begins with."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,24}[a-z0-9]$", var.name_prefix))
    error_message = "The prefix is 3 to 26 lower-case letters, digits and hyphens: bucket names are built from it."
  }
}

variable "region" {
  description = "AWS Region of everything."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "The Region looks like eu-west-2."
  }
}

variable "result_retention_days" {
  description = "Days that query results are kept."
  type        = number

  validation {
    condition     = var.result_retention_days >= 1
    error_message = "Query results are kept at least one day."
  }
}

variable "tables" {
  description = "Governed tables of the database operations, from the contract."
  type = map(object({
    grain   = string
    columns = list(object({ name = string, type = string, class = optional(string), source = optional(string) }))
  }))

  validation {
    condition     = contains(keys(var.tables), "ingest_ledger")
    error_message = "The contract of operations has no table ingest_ledger, where the ledger is kept."
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
