"""localaws' Athena: Athena SQL in, authorised for the caller, run by an embedded engine. `make local-aws`."""
