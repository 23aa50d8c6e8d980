"""Columns and types of the tables behind variant and annotation stores.

Pure. Behind `make ingest`. Example: `annotation_shape("VCF", {})`.

The variant table is as AWS's own loader declares it. AWS does not publish the columns of VCF and GFF annotation
tables: those that its example queries use, and the columns of the formats.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from localaws.omics.rows import VEP_TEXTS

TEXTS = pa.list_(pa.string())
INTEGERS = pa.list_(pa.int32())
TEXT_MAP = pa.map_(pa.string(), pa.string())


def _pair(first: str, second: str) -> pa.DataType:
    return pa.struct([(first, pa.string()), (second, pa.string())])


_VEP = {
    **dict.fromkeys(VEP_TEXTS, pa.string()),
    **dict.fromkeys(("consequence", "existing_variation", "flags"), TEXTS),
    **dict.fromkeys(("exon", "intron"), _pair("rank", "total")),
    **dict.fromkeys(("amino_acids", "codons"), _pair("reference", "variant")),
    "extras": TEXT_MAP,
}
_VEP_ORDER = [
    "allele",
    "consequence",
    "impact",
    "symbol",
    "gene",
    "feature_type",
    "feature",
    "biotype",
    "exon",
    "intron",
    "hgvsc",
    "hgvsp",
    "cdna_position",
    "cds_position",
    "protein_position",
    "amino_acids",
    "codons",
    "existing_variation",
    "distance",
    "strand",
    "flags",
    "symbol_source",
    "hgnc_id",
    "extras",
]
ANNOTATIONS = pa.struct([("vep", pa.list_(pa.struct([(name, _VEP[name]) for name in _VEP_ORDER])))])
_ALLELE = [
    ("contigname", pa.string()),
    ("start", pa.int32()),
    ("end", pa.int32()),
    ("names", TEXTS),
    ("referenceallele", pa.string()),
    ("alternatealleles", TEXTS),
    ("qual", pa.float64()),
    ("filters", TEXTS),
    ("splitfrommultiallelic", pa.bool_()),
    ("attributes", TEXT_MAP),
]
VARIANT = pa.schema(
    [
        ("importjobid", pa.string()),
        *_ALLELE,
        ("phased", pa.bool_()),
        ("calls", INTEGERS),
        ("genotypelikelihoods", pa.list_(pa.float64())),
        ("phredlikelihoods", INTEGERS),
        ("alleledepths", INTEGERS),
        ("conditionalquality", pa.int32()),
        ("spl", INTEGERS),
        ("depth", pa.int32()),
        ("ps", pa.int32()),
        ("sampleid", pa.string()),
        ("information", TEXT_MAP),
        ("annotations", ANNOTATIONS),
    ]
)
_GFF = pa.schema(
    [
        ("contigname", pa.string()),
        ("source", pa.string()),
        ("type", pa.string()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("score", pa.float64()),
        ("strand", pa.string()),
        ("phase", pa.int32()),
        ("attributes", TEXT_MAP),
    ]
)
_TYPES = {
    "LONG": pa.int64(),
    "INT": pa.int32(),
    "STRING": pa.string(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
}


def annotation_shape(store_format: str, options: dict[str, Any]) -> pa.Schema:
    """The columns of a VCF, GFF or TSV annotation table; those of TSV are the `schema` of its options."""
    if store_format == "VCF":
        return pa.schema([*_ALLELE, ("annotations", ANNOTATIONS)])
    if store_format == "GFF":
        return _GFF
    return pa.schema([(name, _TYPES[kind]) for entry in options["schema"] for name, kind in entry.items()])
