"""HealthLake on a laptop: FHIR R4 data stores, import jobs, and the Iceberg tables behind them.

Reads and writes through `localaws.healthlake.service`. Behind every make target that ingests clinical data.
Example: `boto3.client("healthlake").create_fhir_datastore(DatastoreTypeVersion="R4")`.
"""
