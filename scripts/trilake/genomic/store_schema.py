"""The shape of the variant store: Arrow schemas of what the load job writes.

Source: columns and types of a HealthOmics variant store (23 columns, 0-based half-open coordinates), then the
columns that say where a row comes from. `sql/genomic/contract.yaml` describes each.

Example: record_batch(rows, VARIANT, origin.columns)
"""

from typing import Any

import pyarrow as pa

STRINGS = pa.list_(pa.string())
INTEGERS = pa.list_(pa.int32())
TEXT_MAP = pa.map_(pa.string(), pa.string())
VEP = pa.struct(
    [
        ("allele", pa.string()),
        ("consequence", STRINGS),
        ("impact", pa.string()),
        ("symbol", pa.string()),
        ("gene", pa.string()),
    ]
)

VARIANT = pa.schema(
    [
        ("importjobid", pa.string()),
        ("contigname", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("names", STRINGS),
        ("referenceallele", pa.string()),
        ("alternatealleles", STRINGS),
        ("qual", pa.float64()),
        ("filters", STRINGS),
        ("splitfrommultiallelic", pa.bool_()),
        ("attributes", TEXT_MAP),
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
        ("annotations", pa.struct([("vep", pa.list_(VEP))])),
        ("reference_genome", pa.string()),
        ("source_file", pa.string()),
        ("load_id", pa.string()),
    ]
)

ANNOTATION = pa.schema(
    [
        ("contigname", pa.string()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("names", STRINGS),
        ("referenceallele", pa.string()),
        ("alternatealleles", STRINGS),
        ("attributes", TEXT_MAP),
        ("reference_genome", pa.string()),
        ("release", pa.string()),
        ("source_file", pa.string()),
        ("load_id", pa.string()),
    ]
)

SAMPLE_FILE = pa.schema(
    [
        ("sampleid", pa.string()),
        ("reference_genome", pa.string()),
        ("source_file", pa.string()),
        ("sha256", pa.string()),
        ("file_format", pa.string()),
        ("caller", pa.string()),
        ("caller_version", pa.string()),
        ("load_id", pa.string()),
    ]
)
"""One row per file and sample: what the header tells and no row of the variant table can."""


def record_batch(rows: list[dict[str, Any]], schema: pa.Schema, same: dict[str, str | None]) -> pa.RecordBatch:
    """Rows as Arrow; `same` holds the columns whose value is one for all of them."""
    arrays = [
        pa.repeat(pa.scalar(same[column.name], column.type), len(rows))
        if column.name in same
        else pa.array([row[column.name] for row in rows], column.type)
        for column in schema
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
