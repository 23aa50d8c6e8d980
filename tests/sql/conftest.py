"""Fixtures of the SQL cases: an empty lake on the laptop's AWS."""

from tests.lake import built_lake, lake

__all__ = ["built_lake", "lake"]
