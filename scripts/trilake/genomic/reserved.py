"""Reserved INFO and FORMAT keys: the Number and Type that the VCF specification gives them.

Source: VCF 4.1 to 4.4, tables 1 and 2 of section 1.6. Used where a header declares nothing else.

Example: INFO["AC"]  ->  Field("A", "Integer")
"""

from typing import NamedTuple


class Field(NamedTuple):
    """How many values (a count, or A: per ALT, R: per allele, G: per genotype, .: any) of which type."""

    number: str
    type: str


TYPES = ("Integer", "Float", "Flag", "Character", "String")
FLAG = Field("0", "Flag")

INFO = {
    "AA": Field("1", "String"),
    "AC": Field("A", "Integer"),
    "AD": Field("R", "Integer"),
    "ADF": Field("R", "Integer"),
    "ADR": Field("R", "Integer"),
    "AF": Field("A", "Float"),
    "AN": Field("1", "Integer"),
    "BQ": Field("1", "Float"),
    "CIGAR": Field("A", "String"),
    "DB": FLAG,
    "DP": Field("1", "Integer"),
    "END": Field("1", "Integer"),
    "H2": FLAG,
    "H3": FLAG,
    "MQ": Field("1", "Float"),
    "MQ0": Field("1", "Integer"),
    "NS": Field("1", "Integer"),
    "SB": Field(".", "String"),
    "SOMATIC": FLAG,
    "VALIDATED": FLAG,
    "1000G": FLAG,
}
FORMAT = {
    "AD": Field("R", "Integer"),
    "ADF": Field("R", "Integer"),
    "ADR": Field("R", "Integer"),
    "DP": Field("1", "Integer"),
    "EC": Field("A", "Integer"),
    "FT": Field("1", "String"),
    "GL": Field("G", "Float"),
    "GP": Field("G", "Float"),
    "GQ": Field("1", "Integer"),
    "GT": Field("1", "String"),
    "HQ": Field("2", "Integer"),
    "MQ": Field("1", "Integer"),
    "PL": Field("G", "Integer"),
    "PQ": Field("1", "Integer"),
    "PS": Field("1", "Integer"),
}
NEVER_NEGATIVE = {"AC", "AD", "AF", "AN", "DP", "END", "MQ0", "NS"}
