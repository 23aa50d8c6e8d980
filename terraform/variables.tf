variable "administrators" {
  description = "ARNs of the data lake administrators, as in account/: the pipeline that deploys and fills the tables. They own the databases; no persona may be among them."
  type        = set(string)

  validation {
    condition     = length(var.administrators) > 0 && alltrue([for arn in var.administrators : can(regex("^arn:aws:iam::[0-9]{12}:(user|role)/.+$", arn))])
    error_message = "Name at least one administrator by the ARN of an IAM user or role, such as arn:aws:iam::123456789012:role/deploy."
  }
}

variable "environment" {
  description = "Name of this environment; every name begins with trilake-<environment>."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))
    error_message = "The environment is 2 to 12 lower-case letters and digits that start with a letter, such as prod: bucket names are built from it."
  }
}

variable "force_destroy" {
  description = "Let a destroy delete buckets and workgroups that still hold objects. True only where all data can be made again."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.force_destroy || var.environment != "prod"
    error_message = "force_destroy would let a destroy delete patient data in prod: set it to false."
  }
}

variable "genomic_backend" {
  description = "Where variants are stored: iceberg (our own tables, for every account) or healthomics (variant stores, for accounts that had them before 2025-11-07)."
  type        = string
  default     = "iceberg"

  validation {
    condition     = contains(["iceberg", "healthomics"], var.genomic_backend)
    error_message = "The genomic backend is iceberg or healthomics."
  }

  validation {
    condition     = var.genomic_backend != "healthomics" || var.healthomics_reference_arn != null || var.reference_fasta != null
    error_message = "HealthOmics stores need a reference: name the one that the account has (healthomics_reference_arn), or a FASTA to import (reference_fasta)."
  }
}

variable "healthomics_reference_arn" {
  description = "Reference in the account's HealthOmics reference store; null: a reference store is made, and reference_fasta is imported."
  type        = string
  default     = null
}

variable "imported_reference_arn" {
  description = "Set by `trilake deploy`, never by hand: the reference that it imported into the reference store made here."
  type        = string
  default     = null
}

variable "persona_bytes_scanned_cutoff" {
  description = "Bytes that one query of a persona may scan before Athena cancels it."
  type        = number
  default     = 107374182400

  validation {
    condition     = var.persona_bytes_scanned_cutoff >= 10485760
    error_message = "The smallest cut-off is 10,485,760 bytes (10 MiB)."
  }
}

variable "persona_principals" {
  description = "ARNs that may assume the persona roles: an account's root (then that account's IAM decides who), or roles of the identity provider."
  type        = set(string)

  validation {
    condition     = length(var.persona_principals) > 0 && alltrue([for arn in var.persona_principals : can(regex("^arn:aws:iam::[0-9]{12}:(root|user/.+|role/.+)$", arn))])
    error_message = "Each principal is arn:aws:iam::<account>:root, or the ARN of a user or role; a wildcard would open the personas to everyone."
  }
}

variable "pipeline_bytes_scanned_cutoff" {
  description = "Bytes that one query of the pipeline may scan before Athena cancels it."
  type        = number
  default     = 1099511627776

  validation {
    condition     = var.pipeline_bytes_scanned_cutoff >= 10485760
    error_message = "The smallest cut-off is 10,485,760 bytes (10 MiB)."
  }
}

variable "reference_fasta" {
  description = "FASTA of the reference genome, an s3:// address or a file, which a deployment imports into the HealthOmics reference store that it makes; null: there is none to import."
  type        = string
  default     = null
}

variable "reference_genome" {
  description = "Genome build that variants are expected on."
  type        = string
  default     = "GRCh38"

  validation {
    condition     = contains(["GRCh37", "GRCh38"], var.reference_genome)
    error_message = "The reference genome is GRCh37 or GRCh38."
  }
}

variable "region" {
  description = "AWS Region of everything."
  type        = string

  validation {
    condition     = contains(["us-east-1", "us-west-2", "eu-west-1", "eu-west-2", "ap-southeast-2"], var.region)
    error_message = "HealthLake and HealthImaging are both offered only in us-east-1, us-west-2, eu-west-1, eu-west-2 and ap-southeast-2."
  }
}

variable "result_retention_days" {
  description = "Days that query results are kept. Extracts are kept until they are deleted."
  type        = number
  default     = 14

  validation {
    condition     = var.result_retention_days >= 1 && var.result_retention_days <= 365
    error_message = "Query results are kept between 1 and 365 days."
  }
}

variable "tags" {
  description = "Tags on every resource that takes tags, besides project and environment."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.tags), ["project", "environment"])) == 0
    error_message = "The tags project and environment are set already: leave them out."
  }
}
