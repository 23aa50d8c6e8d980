output "settings" {
  description = "Names and places that every room stands on. Whatever uses them waits for the lake to be registered and the buckets to be closed."
  value = {
    account_id          = local.account_id
    region              = var.region
    environment         = var.environment
    name_prefix         = var.name_prefix
    raw_bucket          = aws_s3_bucket.protected["raw"].bucket
    lake_bucket         = aws_s3_bucket.protected["lake"].bucket
    results_bucket      = aws_s3_bucket.working["results"].bucket
    artifact_bucket     = aws_s3_bucket.working["artifact"].bucket
    kms_key_arn         = aws_kms_key.this.arn
    workgroup           = aws_athena_workgroup.pipeline.name
    operations_database = module.operations.settings.database
    code_prefix         = "s3://${aws_s3_bucket.working["artifact"].bucket}/code"
  }

  depends_on = [
    aws_lakeformation_resource.lake,
    aws_s3_bucket_public_access_block.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
  ]
}
