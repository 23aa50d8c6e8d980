variable "administrators" {
  description = "ARNs of the data lake administrators, so that none of them is a persona."
  type        = set(string)

  validation {
    condition     = length(var.administrators) > 0
    error_message = "Name at least one administrator."
  }
}

variable "bytes_scanned_cutoff" {
  description = "Bytes that one query of a persona may scan."
  type        = number

  validation {
    condition     = var.bytes_scanned_cutoff >= 10485760
    error_message = "The smallest cut-off is 10,485,760 bytes (10 MiB)."
  }
}

variable "classes" {
  description = "Sensitivity classes that there are (sql/core/classes.yaml)."
  type        = list(string)

  validation {
    condition     = length(var.classes) > 0
    error_message = "There are no classes: grants could name nothing."
  }
}

variable "contract" {
  description = "Governed tables of all rooms: room -> table -> whether its rows are about patients, and its columns with their sensitivity class, row keys included."
  type = map(map(object({
    patient_level = bool
    columns       = list(object({ name = string, class = optional(string, "none") }))
  })))

  validation {
    condition     = length(var.contract) > 0
    error_message = "The contract names no room."
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
  })

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,24}[a-z0-9]$", var.core.name_prefix)) && can(regex("^[0-9]{12}$", var.core.account_id))
    error_message = "core.name_prefix is 3 to 26 lower-case letters, digits and hyphens; core.account_id has twelve digits."
  }
}

variable "databases" {
  description = "Catalog database of each room's governed tables."
  type        = map(string)

  validation {
    condition     = length(setsubtract(keys(var.contract), keys(var.databases))) == 0
    error_message = "Each room of the contract needs its database."
  }
}

variable "extract_uri" {
  description = "S3 address in the results bucket below which each persona's extracts lie, without a slash at the end."
  type        = string

  validation {
    condition     = startswith(var.extract_uri, "s3://${var.core.results_bucket}/") && !endswith(var.extract_uri, "/")
    error_message = "Extracts lie in the results bucket: s3://<results bucket>/<prefix>, without a slash at the end."
  }
}

variable "force_destroy" {
  description = "Let a destroy delete workgroups that still hold queries."
  type        = bool

  validation {
    condition     = var.force_destroy != null
    error_message = "Say true or false."
  }
}

variable "persona_principals" {
  description = "ARNs that may assume the persona roles."
  type        = set(string)

  validation {
    condition     = length(var.persona_principals) > 0 && alltrue([for arn in var.persona_principals : can(regex("^arn:aws:iam::[0-9]{12}:(root|user/.+|role/.+)$", arn))])
    error_message = "Each principal is arn:aws:iam::<account>:root, or the ARN of a user or role; no wildcard."
  }
}

variable "policy" {
  description = "The access policy: the smallest count of patients that may be shown, and persona -> description and grants (tables, sensitivity classes, row rule)."
  type = object({
    minimum_cell = number
    personas = map(object({
      description = string
      grants = list(object({
        tables  = list(string)
        classes = list(string)
        rows    = optional(string)
      }))
    }))
  })

  validation {
    condition     = var.policy.minimum_cell >= 2 && floor(var.policy.minimum_cell) == var.policy.minimum_cell
    error_message = "minimum_cell is a whole number of patients, at least 2: below that a count of one would be shown."
  }

  validation {
    condition     = alltrue([for name in keys(var.policy.personas) : can(regex("^[a-z][a-z_]{1,29}$", name)) && name != "pipeline"])
    error_message = "A persona's name is 2 to 30 lower-case letters and underscores, and not pipeline, whose workgroup exists already."
  }

  validation {
    condition     = alltrue(flatten([for persona in values(var.policy.personas) : [for grant in persona.grants : length(grant.tables) > 0 && length(grant.classes) > 0]]))
    error_message = "Each grant names at least one table and one class."
  }
}

variable "row_rule" {
  description = "What a row rule may say (sql/core/row_rule.yaml), and the columns that every patient-level table carries (sql/core/row_keys.yaml): the only ones that it may name."
  type = object({
    constant     = string
    characters   = string
    word         = string
    words        = list(string)
    shorter_than = number
    row_keys     = list(string)
  })

  validation {
    condition     = length(var.row_rule.row_keys) > 0
    error_message = "There are no row keys: row rules could name nothing."
  }

  validation {
    condition     = var.row_rule.shorter_than <= 2048
    error_message = "Lake Formation takes row filters of fewer than 2,048 characters."
  }
}

variable "tags" {
  description = "Tags on every resource that takes tags."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.tags) <= 49
    error_message = "AWS takes at most 50 tags, and persona is one of them."
  }
}
