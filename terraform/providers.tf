# No default_tags: awscc has none, so tags travel as one input and each module shapes them for its resources.

provider "aws" {
  region = var.region
}

provider "awscc" {
  region = var.region
}
