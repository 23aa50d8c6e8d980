variable "administrators" {
  description = "ARNs of the IAM users or roles that administer the data lake: the pipeline that deploys, never a person's persona. The complete list; whoever is left out loses the right."
  type        = set(string)

  validation {
    condition     = length(var.administrators) > 0 && length(var.administrators) <= 30
    error_message = "Name between 1 and 30 administrators: Lake Formation takes no more than 30, and with none nobody can grant."
  }

  validation {
    condition     = alltrue([for arn in var.administrators : can(regex("^arn:aws:iam::[0-9]{12}:(user|role)/.+$", arn))])
    error_message = "Each administrator is the ARN of an IAM user or role, such as arn:aws:iam::123456789012:role/deploy; no account root, no wildcard."
  }
}

variable "cross_account_version" {
  description = "Version of Lake Formation's cross-account sharing. A fresh account starts at 1; shares in hybrid mode need 4 or later."
  type        = string
  default     = "4"

  validation {
    condition     = can(regex("^[1-9][0-9]?$", var.cross_account_version))
    error_message = "The cross-account version is a whole number in quotes, such as \"4\"."
  }
}

variable "region" {
  description = "AWS Region that these settings bind."
  type        = string

  validation {
    condition     = contains(["us-east-1", "us-west-2", "eu-west-1", "eu-west-2", "ap-southeast-2"], var.region)
    error_message = "HealthLake and HealthImaging are both offered only in us-east-1, us-west-2, eu-west-1, eu-west-2 and ap-southeast-2."
  }
}
