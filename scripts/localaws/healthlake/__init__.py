"""HealthLake on a laptop: FHIR R4 data stores, import jobs, and the Iceberg tables behind them.

Example: boto3.client("healthlake").create_fhir_datastore(DatastoreTypeVersion="R4")
"""
