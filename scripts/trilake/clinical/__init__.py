"""Clinical room: FHIR R4 files into the HealthLake data store (`make ingest`)."""
