"""AWS HealthOmics: reference, variant and annotation stores, their import jobs, versions and shares.

Reads and writes its own state, Glue, S3 and RAM. Behind `make deploy` and `make ingest`.
Example: `boto3.client("omics").start_variant_import_job(destinationName="variants", roleArn=..., items=[...])`.
"""
