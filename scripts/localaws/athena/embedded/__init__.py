"""The embedded engine: Athena SQL translated with its types, run by DuckDB over files on disk. `make local-aws`."""
