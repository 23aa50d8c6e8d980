"""The place of HealthOmics in localaws: the service answers, its operations arrive with the genomic adapter.

Reads and writes nothing. Behind `make local-aws`.
Example: `boto3.client("omics").list_variant_stores()` answers a modelled error that names the operation.
"""
