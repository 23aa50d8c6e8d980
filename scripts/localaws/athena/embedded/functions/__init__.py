"""The functions that a query may call, by family; importing this fills the lists. Behind `make local-aws`."""

from localaws.athena.embedded.functions import (
    arrays,
    bitwise,
    conditional,
    dates,
    formats,
    jsons,
    lambdas,
    maps,
    numbers,
    regexes,
    strings,
)

__all__ = [
    "arrays",
    "bitwise",
    "conditional",
    "dates",
    "formats",
    "jsons",
    "lambdas",
    "maps",
    "numbers",
    "regexes",
    "strings",
]
