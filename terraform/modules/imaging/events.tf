# What changes image sets without an ingest of ours (imports of others, copies, edits, deletions) starts the flatten job,
# which finds out what the tables lack; so does the clock, for what no event told. A step function stands between because
# EventBridge cannot start a Glue job, and because a job that is running already has to be asked again: it may have looked
# before the change.

locals {
  rules = {
    imports = {
      description = "Imports into the data store that are not an ingest's: those flatten what they bring"
      pattern = {
        source      = ["aws.medical-imaging"]
        detail-type = ["Import Job Completed"]
        detail = {
          datastoreId = [awscc_healthimaging_datastore.this.datastore_id]
          inputS3Uri  = [{ "anything-but" = { prefix = "s3://${var.core.raw_bucket}/imaging/" } }]
        }
      }
      schedule = null
    }
    changes = {
      description = "Image sets that were copied, changed or deleted"
      pattern = {
        source      = ["aws.medical-imaging"]
        detail-type = ["Image Set Copied", "Image Set Updated", "Image Set Deleted"]
        detail      = { datastoreId = [awscc_healthimaging_datastore.this.datastore_id] }
      }
      schedule = null
    }
    daily = {
      description = "Whatever no event told"
      pattern     = null
      schedule    = "rate(1 day)"
    }
  }
}

resource "aws_sfn_state_machine" "reconcile" {
  name     = "${local.name}-reconcile"
  role_arn = aws_iam_role.reconcile.arn
  tags     = var.tags

  definition = jsonencode({
    Comment = "Start the flatten job; give up after three tries: the run that is going on, or the next day's, will see it"
    StartAt = "Flatten"
    States = {
      Flatten = {
        Type       = "Task"
        Resource   = "arn:aws:states:::aws-sdk:glue:startJobRun"
        Parameters = { JobName = module.store.settings.job_names["flatten_metadata"] }
        Retry = [{
          ErrorEquals     = ["Glue.ConcurrentRunsExceededException"]
          IntervalSeconds = 60
          MaxAttempts     = 3
          BackoffRate     = 2
        }]
        Catch = [{ ErrorEquals = ["Glue.ConcurrentRunsExceededException"], Next = "Later" }]
        Next  = "Started"
      }
      Later   = { Type = "Succeed" }
      Started = { Type = "Succeed" }
    }
  })

  depends_on = [aws_iam_role_policy.reconcile]
}

resource "aws_cloudwatch_event_rule" "reconcile" {
  for_each = local.rules

  name                = "${local.name}-${each.key}"
  description         = each.value.description
  event_pattern       = each.value.pattern == null ? null : jsonencode(each.value.pattern)
  schedule_expression = each.value.schedule
  tags                = var.tags
}

resource "aws_cloudwatch_event_target" "reconcile" {
  for_each = local.rules

  rule      = aws_cloudwatch_event_rule.reconcile[each.key].name
  target_id = "reconcile"
  arn       = aws_sfn_state_machine.reconcile.arn
  role_arn  = aws_iam_role.reconcile.arn
}

# One role for both: EventBridge starts the machine, the machine starts the one job.
resource "aws_iam_role" "reconcile" {
  name        = "${local.name}-reconcile"
  description = "Events of the DICOM data store start the flatten job"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = ["events.amazonaws.com", "states.amazonaws.com"] }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = var.core.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "reconcile" {
  name = "reconcile"
  role = aws_iam_role.reconcile.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "StartMachine"
        Effect   = "Allow"
        Action   = "states:StartExecution"
        Resource = "arn:${data.aws_partition.this.partition}:states:${var.core.region}:${var.core.account_id}:stateMachine:${local.name}-reconcile"
      },
      {
        Sid      = "StartJob"
        Effect   = "Allow"
        Action   = "glue:StartJobRun"
        Resource = "arn:${data.aws_partition.this.partition}:glue:${var.core.region}:${var.core.account_id}:job/${module.store.settings.job_names["flatten_metadata"]}"
      },
    ]
  })
}
