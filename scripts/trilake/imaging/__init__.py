"""Imaging room: DICOM into HealthImaging, and its metadata and measured features into tables."""
