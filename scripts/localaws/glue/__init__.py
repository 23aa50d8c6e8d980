"""Glue beyond moto: Iceberg tables made and grown by catalog calls, links followed, jobs that really run.

Reads and writes moto's Glue and S3 backends and the state folder. Behind `make deploy` and `make ingest`.
Example: `boto3.client("glue").create_table(..., OpenTableFormatInput={"IcebergInput": {...}})`.
"""
