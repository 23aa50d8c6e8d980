"""AWS HealthOmics: reference, variant and annotation stores, their import jobs, versions and shares.

Example: `boto3.client("omics").start_variant_import_job(destinationName="variants", roleArn=..., items=[...])`.
"""
