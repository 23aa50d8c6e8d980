output "settings" {
  description = "The stores by name and id (null until a reference is there), and the role of their import jobs."
  value = {
    import_role_arn     = aws_iam_role.import.arn
    reference_store_id  = one(awscc_omics_reference_store.this[*].reference_store_id)
    reference_arn       = local.reference
    variant_store       = one(awscc_omics_variant_store.this[*].name)
    variant_store_id    = one(awscc_omics_variant_store.this[*].variant_store_id)
    annotation_store    = one(awscc_omics_annotation_store.this[*].name)
    annotation_store_id = one(awscc_omics_annotation_store.this[*].annotation_store_id)
  }

  depends_on = [aws_iam_role_policy.import]
}
