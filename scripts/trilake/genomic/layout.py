"""What a FORMAT column asks of every sample: its keys with their rules, worked out once per distinct FORMAT of a file.

Pure. Source: VCF 4.0 to 4.5, section 1.6.2.

Example: layout_of("GT:AD:DP", header).keys  ->  ("GT", "AD", "DP")
"""

import re
from dataclasses import dataclass
from functools import cached_property

from trilake.genomic.header import VcfHeader
from trilake.genomic.reserved import FORMAT, LOCAL, LOCAL_ALLELES, Field

KEY = re.compile(r"[A-Za-z_][0-9A-Za-z_.%]*")
NAMED = {"GT", "AD", "DP", "GQ", "GL", "PL", "PS", "SPL"}
"""Keys with a column of their own in the variant store."""


@dataclass(frozen=True, eq=False)
class Layout:
    """`rules` stand beside `keys`, None where any text will do; `others` are the keys without a column, with the rule
    that says how their values are split; `faults` are (found, expected) of a FORMAT that breaks the specification;
    `version` is that of the file."""

    keys: tuple[str, ...]
    rules: tuple[Field | None, ...]
    others: tuple[tuple[str, Field | None], ...]
    faults: tuple[tuple[str, str], ...]
    version: str = ""

    @property
    def allows_prefix(self) -> bool:
        """Whether a genotype may begin with / or |."""
        return self.version >= "4.4"

    @cached_property
    def is_local(self) -> bool:
        """Whether values speak of the alleles of one sample alone (VCF 4.5, LAA)."""
        return LOCAL_ALLELES in self.keys or any(rule is not None and rule.number in LOCAL for rule in self.rules)

    @cached_property
    def whole(self) -> tuple[str, ...]:
        """Keys whose columns in the variant store hold whole numbers."""
        return tuple(key for key in self.keys if key in NAMED - {"GT", "GL"})

    @property
    def is_empty(self) -> bool:
        return self.keys == (".",)

    @property
    def has_genotype(self) -> bool:
        return self.keys[0] == "GT"


def layout_of(text: str, header: VcfHeader) -> Layout:
    """The layout of a FORMAT column, kept in the header."""
    if text not in header.layouts:
        keys = tuple(text.split(":"))
        others = tuple((key, header.format.get(key) or FORMAT.get(key)) for key in keys if key not in NAMED)
        rules = tuple(rule_of(key, header) for key in keys)
        header.layouts[text] = Layout(keys, rules, others, tuple(faults_of(keys)), header.version)
    return header.layouts[text]


def rule_of(key: str, header: VcfHeader) -> Field | None:
    """The declared rule; of an undeclared reserved key the number alone, as many callers write forms of their own."""
    if key == "GT":
        return None
    reserved = FORMAT.get(key)
    return header.format.get(key) or (Field(reserved.number, "String") if reserved else None)


def faults_of(keys: tuple[str, ...]) -> list[tuple[str, str]]:
    if keys == (".",):
        return []
    faults = [(key or "an empty key", "keys of letters, digits, _ and .") for key in keys if not KEY.fullmatch(key)]
    if len(set(keys)) < len(keys):
        faults.append((":".join(keys), "each key once"))
    if "GT" in keys[1:]:
        faults.append((":".join(keys), "GT first"))
    return faults
