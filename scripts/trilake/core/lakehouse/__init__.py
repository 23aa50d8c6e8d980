"""Iceberg tables and the files below them, written by the product itself: jobs, the ledger, uploads."""
