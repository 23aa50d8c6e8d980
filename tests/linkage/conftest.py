"""Fixtures of this folder's tests: an empty lake on the laptop's AWS."""

from tests.lake import built_lake, lake

__all__ = ["built_lake", "lake"]
