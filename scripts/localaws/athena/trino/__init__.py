"""The real engine: Athena's SQL as it is, run by a Trino server that localaws starts. `make local-aws ENGINE=trino`."""
