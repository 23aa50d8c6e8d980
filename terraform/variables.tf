variable "administrators" {
  description = "ARNs of the data lake administrators, as in account/: the pipeline that deploys and fills the tables. They own the databases; no persona may be among them."
  type        = set(string)

  validation {
    condition     = length(var.administrators) > 0 && alltrue([for arn in var.administrators : can(regex("^arn:aws:iam::[0-9]{12}:(user|role)/.+$", arn))])
    error_message = "Name at least one administrator by the ARN of an IAM user or role, such as arn:aws:iam::123456789012:role/deploy."
  }
}

variable "bytes_scanned_cutoff" {
  description = "Bytes that one query of a persona, and one of the pipeline, may scan before Athena cancels it."
  type = object({
    persona  = optional(number, 107374182400)
    pipeline = optional(number, 1099511627776)
  })
  default = {}

  validation {
    condition     = min(var.bytes_scanned_cutoff.persona, var.bytes_scanned_cutoff.pipeline) >= 10485760
    error_message = "The smallest cut-off is 10,485,760 bytes (10 MiB)."
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
    condition     = var.genomic_backend != "healthomics" || var.healthomics.reference_arn != null || var.reference_fasta != null
    error_message = "HealthOmics stores need a reference: name the one that the account has (healthomics.reference_arn), or a FASTA to import (reference_fasta)."
  }
}

variable "healthomics" {
  description = "The reference of HealthOmics stores: reference_arn, in a reference store that the account has; or none, and a deployment imports reference_fasta into a store made here and sets imported_reference_arn itself."
  type = object({
    reference_arn          = optional(string)
    imported_reference_arn = optional(string)
  })
  default = {}

  validation {
    condition     = alltrue([for arn in values(var.healthomics) : arn == null || can(regex("^arn:aws[a-z-]*:omics:[a-z0-9-]+:[0-9]{12}:referenceStore/[0-9]+/reference/[0-9]+$", arn))])
    error_message = "A reference is arn:aws:omics:<region>:<account>:referenceStore/<id>/reference/<id>."
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

variable "reference_fasta" {
  description = "FASTA of the reference genome, an s3:// address or a file, which a deployment imports into the HealthOmics reference store that it makes; null: there is none to import."
  type        = string
  default     = null

  validation {
    condition     = var.reference_fasta == null || can(regex("[.](fa|fasta|fna)([.]gz)?$", var.reference_fasta))
    error_message = "A FASTA ends in .fa, .fasta or .fna, with .gz when it is compressed."
  }
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
