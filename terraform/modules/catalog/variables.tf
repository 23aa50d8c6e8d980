variable "administrators" {
  description = "ARNs that may select from every table made in this database: the pipeline."
  type        = set(string)

  validation {
    condition     = length(var.administrators) > 0
    error_message = "With no administrator the database would grant ALL on its tables to IAM_ALLOWED_PRINCIPALS."
  }
}

variable "description" {
  description = "What the database holds, in one sentence."
  type        = string

  validation {
    condition     = length(var.description) > 0 && length(var.description) <= 2048
    error_message = "Describe the database in 1 to 2048 characters."
  }
}

variable "location" {
  description = "S3 address below which the tables lie, without a slash at the end."
  type        = string

  validation {
    condition     = can(regex("^s3://[^/]+/.+[^/]$", var.location))
    error_message = "The location is s3://bucket/prefix without a slash at the end."
  }
}

variable "name" {
  description = "Name of the database."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]*$", var.name))
    error_message = "Athena database names are lower-case letters, digits and underscores."
  }
}

variable "tables" {
  description = "Governed tables from the contract: name -> grain and columns (Athena type, sensitivity class, source) in order, row keys last."
  type = map(object({
    grain = string
    columns = list(object({
      name   = string
      type   = string
      class  = optional(string, "none")
      source = optional(string, "")
    }))
  }))

  validation {
    condition     = alltrue([for name in keys(var.tables) : can(regex("^[a-z][a-z0-9_]*$", name))])
    error_message = "Athena table names are lower-case letters, digits and underscores."
  }

  validation {
    condition     = alltrue([for table in values(var.tables) : length(table.columns) > 0 && length(distinct(table.columns[*].name)) == length(table.columns)])
    error_message = "A governed table has at least one column, and no column twice (row keys are added by the root)."
  }
}

variable "tags" {
  description = "Tags of the database."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.tags) <= 50
    error_message = "AWS takes at most 50 tags."
  }
}
