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

variable "jobs" {
  description = "Glue jobs of the room: verb -> what it does, its workers (G.1X) and its time-out. The script is glue_jobs/<room>_<verb>.py."
  type = map(object({
    description     = string
    workers         = optional(number, 2)
    timeout_minutes = optional(number, 60)
  }))

  validation {
    condition     = alltrue([for job in values(var.jobs) : job.workers >= 2 && job.timeout_minutes >= 1])
    error_message = "A Glue Spark job has at least 2 workers and a time-out of at least one minute."
  }
}

variable "python_modules" {
  description = "Python packages that Glue installs for the jobs, each with its version, as in scripts/constraints.txt."
  type        = list(string)

  validation {
    condition     = alltrue([for entry in var.python_modules : can(regex("^[a-z0-9-]+(\\[[a-z0-9,-]+\\])?==[0-9][0-9.]*$", entry))])
    error_message = "Each package has an exact version, such as pysam==0.24.1: a job must not change by itself."
  }
}

variable "room" {
  description = "Name of the room that the store belongs to."
  type        = string

  validation {
    condition     = contains(["genomic", "imaging"], var.room)
    error_message = "The rooms with a raw store are genomic and imaging."
  }
}

variable "statements" {
  description = "What the jobs may do beyond reading the room's raw files and writing the store: IAM Allow statements."
  type = list(object({
    sid       = string
    actions   = list(string)
    resources = list(string)
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for action in flatten(var.statements[*].actions) : can(regex("^[a-z0-9-]+:[A-Za-z]+$", action))])
    error_message = "Name each action in full, such as s3:GetObject: no wildcards for jobs."
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
