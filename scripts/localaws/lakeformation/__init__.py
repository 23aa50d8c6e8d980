"""Lake Formation of localaws: settings, registered locations, grants, data cells filters, LF-Tags, and who sees what.

Reads the Glue catalog; keeps its own state. Behind `make local-aws` and every make target that asks Athena.
Example: `table_access(world, role_arn, "123456789012", "clinical", "patient").columns`
"""
