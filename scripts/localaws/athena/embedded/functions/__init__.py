"""The functions that a query may call, by family; importing this package fills the lists in `calls`."""

from localaws.athena.embedded.functions import collections, conditional, dates, jsons, numbers, strings

__all__ = ["collections", "conditional", "dates", "jsons", "numbers", "strings"]
