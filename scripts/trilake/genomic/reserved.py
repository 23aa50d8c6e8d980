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
NEVER_NEGATIVE_IN_SAMPLES = {
    *("AD", "ADF", "ADR", "DP", "GP", "GQ", "HQ", "LAA", "LAD", "LADF", "LADR", "LEN", "LPL", "MQ", "PL", "PQ", "PS"),
}
SHARES = {"AF", "GP"}
"""Keys whose numbers lie between 0 and 1; of GP only since 4.3, before which it was phred-scaled."""
LOCAL_ALLELES = "LAA"
LOCAL = {"LA": "A", "LR": "R", "LG": "G"}
"""Numbers that count a sample's local alleles, and what each is of all alleles (VCF 4.5, section 1.6.2)."""

STRUCTURAL_INFO = {
    "IMPRECISE": FLAG,
    "NOVEL": FLAG,
    "SVTYPE": Field("1", "String"),
    "SVLEN": Field(".", "Integer"),
    "CIPOS": Field("2", "Integer"),
    "CIEND": Field("2", "Integer"),
    "HOMLEN": Field(".", "Integer"),
    "HOMSEQ": Field(".", "String"),
    "BKPTID": Field(".", "String"),
    "MEINFO": Field("4", "String"),
    "METRANS": Field("4", "String"),
    "DGVID": Field("1", "String"),
    "DBVARID": Field("1", "String"),
    "DBRIPID": Field("1", "String"),
    "MATEID": Field(".", "String"),
    "PARID": Field("1", "String"),
    "EVENT": Field("1", "String"),
    "CILEN": Field("2", "Integer"),
    "DPADJ": Field("1", "Integer"),
    "CN": Field("1", "Integer"),
    "CNADJ": Field(".", "Integer"),
    "CICN": Field("2", "Integer"),
    "CICNADJ": Field(".", "Integer"),
}
"""Keys of structural variants as 4.1 to 4.3 have them; newer ones differ: `SINCE_4_4`."""
SINCE_4_4 = {
    "SVLEN": Field("A", "Integer"),
    "CIPOS": Field(".", "Integer"),
    "CIEND": Field(".", "Integer"),
    "HOMLEN": Field("A", "Integer"),
    "HOMSEQ": Field("A", "String"),
    "BKPTID": Field("A", "String"),
    "MEINFO": Field(".", "String"),
    "METRANS": Field(".", "String"),
    "DGVID": Field("A", "String"),
    "DBVARID": Field("A", "String"),
    "DBRIPID": Field("A", "String"),
    "MATEID": Field("A", "String"),
    "PARID": Field("A", "String"),
    "EVENT": Field("A", "String"),
    "EVENTTYPE": Field("A", "String"),
    "CILEN": Field(".", "Integer"),
    "CN": Field("A", "Float"),
    "CICN": Field(".", "Float"),
    "SVCLAIM": Field("A", "String"),
    "RN": Field("A", "Integer"),
    "RUS": Field(".", "String"),
    "RUL": Field(".", "Integer"),
    "RUC": Field(".", "Float"),
    "RB": Field(".", "Integer"),
    "CIRUC": Field(".", "Float"),
    "CIRB": Field(".", "Integer"),
    "RUB": Field(".", "Integer"),
}
STRUCTURAL_FORMAT = {
    "GLE": Field("G", "String"),
    "CNQ": Field("1", "Float"),
    "NQ": Field("1", "Integer"),
    "HAP": Field("1", "Integer"),
    "AHAP": Field("1", "Integer"),
    "PSL": Field("P", "String"),
    "PSO": Field("P", "Integer"),
    "PSQ": Field("P", "Integer"),
    "LEN": Field("1", "Integer"),
    "LAA": Field(".", "Integer"),
    "LAD": Field("LR", "Integer"),
    "LADF": Field("LR", "Integer"),
    "LADR": Field("LR", "Integer"),
    "LEC": Field("LA", "Integer"),
    "LGL": Field("LG", "Integer"),
    "LGP": Field("LG", "Integer"),
    "LPL": Field("LG", "Integer"),
    "LPP": Field("LG", "Integer"),
    "LGT": Field("1", "String"),
}
BY_VERSION = {"CN": ("Integer", "Float")}
"""FORMAT keys whose type changed with 4.4: before, since."""


def as_written(name: str, declared: Field) -> Field:
    """The rule that values follow: GATK cuts its allele-specific texts (AS_SB_TABLE=9,8|12,9) by bars, whatever Number
    it declares."""
    return Field(".", "String") if name.startswith("AS_") and declared.type == "String" else declared


def reserved_field(kind: str, name: str, version: str) -> Field | None:
    """What a version of the specification gives an INFO or FORMAT key; None for keys that it leaves free.

    Versions 4.1 and 4.2 differ in keys of structural variants; what any of them has is not held against a file.
    """
    if kind == "FORMAT":
        if name in BY_VERSION:
            return Field("1", BY_VERSION[name][version >= "4.4"])
        return FORMAT.get(name) or STRUCTURAL_FORMAT.get(name)
    newer = SINCE_4_4.get(name) if version >= "4.4" else None
    return INFO.get(name) or newer or (STRUCTURAL_INFO.get(name) if name not in SINCE_4_4 or version < "4.4" else None)
