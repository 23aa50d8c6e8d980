variable "core" {
  description = "Settings of the room core."
  type = object({
    account_id  = string
    region      = string
    name_prefix = string
    raw_bucket  = string
    kms_key_arn = string
  })

  validation {
    condition     = contains(["us-east-1", "us-west-2", "ap-southeast-1", "eu-central-1", "eu-west-1", "eu-west-2", "il-central-1"], var.core.region)
    error_message = "HealthOmics has no variant stores in this Region: set genomic_backend = \"iceberg\"."
  }
}

variable "imported_reference_arn" {
  description = "Reference that a deployment imported into the reference store made here; null before that."
  type        = string
  default     = null

  validation {
    condition     = var.imported_reference_arn == null || can(regex("^arn:aws[a-z-]*:omics:[a-z0-9-]+:[0-9]{12}:referenceStore/[0-9]+/reference/[0-9]+$", var.imported_reference_arn))
    error_message = "A reference is named by its ARN, such as arn:aws:omics:eu-west-2:111122223333:referenceStore/1234567890/reference/1234567890."
  }
}

variable "reference_arn" {
  description = "Reference that the account has already; null: make a reference store."
  type        = string
  default     = null

  validation {
    condition     = var.reference_arn == null || can(regex("^arn:aws[a-z-]*:omics:[a-z0-9-]+:[0-9]{12}:referenceStore/[0-9]+/reference/[0-9]+$", var.reference_arn))
    error_message = "A reference is named by its ARN, such as arn:aws:omics:eu-west-2:111122223333:referenceStore/1234567890/reference/1234567890."
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
