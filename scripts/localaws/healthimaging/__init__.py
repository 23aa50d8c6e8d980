"""HealthImaging on a laptop: DICOM data stores, import jobs, versioned image sets, metadata and frames.

Example: `boto3.client("medical-imaging").search_image_sets(datastoreId=...)`.
"""
