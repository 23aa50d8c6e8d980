"""Speed of questions to the governed variant table through localaws' Athena: 10,000 samples of a panel of 150 sites.

The table is laid out as its contract says and filled in its sort order, as the product's MERGE fills it; every question
is asked of it through boto3, views put inline as `trilake query` does it.

Example: python -m bench --only variants
"""

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from pyiceberg.table import Table

from bench.figure import Data, Figure, beside, timed
from bench.localaws import ask
from localaws import LocalAws
from trilake.core.contract import load_contract
from trilake.core.lakehouse.iceberg import lay_out
from trilake.core.sql import DIALECT, inline_views, load_relations, parse, rename_databases

N_SAMPLES, N_SITES, SAMPLES_AT_ONCE = 10_000, 150, 2_000
CONTIGS = [*map(str, range(1, 23)), "X"]
DATABASE = "bench_genomic"
N_TIMES = 5
ALIKE = {"attributes": [("DP", "31"), ("AN", "2"), ("AC", "1")]}
"""What is the same in all rows and nested."""
REGION = "region of one sample"
LIMITS = {
    REGION: 0.3,
    "gene over all samples": 1,
    "carriers of a gene": 1,
    "frequencies of a gene": 1,
    "ClinVar of one sample": 1,
    "gene by its name": 1,
}
QUESTIONS = {
    REGION: """
        SELECT contigname, start, referenceallele, alternateallele, calls, depth FROM genomic.variant
        WHERE sampleid = 'S0000042' AND reference_genome = 'GRCh38'
        AND contigname = '8' AND start < 4000001 AND "end" > 3600000
    """,
    "gene over all samples": """
        SELECT start, alternateallele, count_if(any_match(calls, one -> one = 1)) AS n_carriers,
            count_if(none_match(calls, one -> one = -1)) AS n_assessable
        FROM genomic.variant
        WHERE reference_genome = 'GRCh38' AND contigname = '8' AND start < 4000001 AND "end" > 3600000
        GROUP BY start, alternateallele
    """,
    "carriers of a gene": """
        SELECT variant_id, zygosity, count(*) AS n FROM genomic.carrier WHERE gene = 'GENE7'
        GROUP BY variant_id, zygosity
    """,
    "frequencies of a gene": """
        SELECT variant_id, n_carriers, n_assessable, n_absent, frequency FROM genomic.allele_frequency
        WHERE gene = 'GENE7'
    """,
    "ClinVar of one sample": """
        SELECT variant_id, zygosity, significance, review_stars FROM genomic.variant_annotated
        WHERE sample_id = 'S0000042'
    """,
    "gene by its name": """
        SELECT symbol, sample_id, start, calls FROM genomic.gene_variant
        WHERE symbol = 'GENE7' AND sample_id < 'S0000100'
    """,
}


def variants(data: Data) -> Iterator[Figure]:
    """Questions that a bioinformatician asks all day."""
    n = data.size(N_SAMPLES)
    with LocalAws(data.folder / "lake") as aws:
        aws.world.client("s3").create_bucket(Bucket="bench")
        aws.world.client("glue").create_database(DatabaseInput={"Name": DATABASE})
        tables = {name: a_table(aws, name) for name in ("variant", "dosage", "annotation", "gene")}
        fill(tables, n)
        client, n_rows = aws.world.client("athena"), n * N_SITES
        plain = in_duckdb(aws, tables["variant"].refresh(), QUESTIONS[REGION])
        for name, question in QUESTIONS.items():
            first, *again = (seconds(client, question) for _ in range(N_TIMES))
            others = f"first: {first:.3g} s; limit: {LIMITS[name]} s"
            words = f"{beside('plain DuckDB', plain)}; {others}" if name == REGION else others
            yield Figure(name, n_rows, "rows in the table", min(again), words)


def a_table(aws: LocalAws, name: str) -> Table:
    """The governed table as Terraform makes it, laid out as its contract says."""
    contract = load_contract()[f"genomic.{name}"]
    columns = [{"Name": column.name, "Type": column.type} for column in contract.columns]
    storage = {"Columns": columns, "Location": f"s3://bench/genomic/{name}"}
    aws.world.client("glue").create_table(
        DatabaseName=DATABASE,
        TableInput={"Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage},
        OpenTableFormatInput={"IcebergInput": {"MetadataOperation": "CREATE", "Version": "2"}},
    )
    table = aws.world.iceberg_catalog().load_table((DATABASE, name))
    lay_out(table, contract.layout)
    return table


def fill(tables: dict[str, Table], n_samples: int) -> None:
    """Genotypes of every sample, in the order of the table."""
    sites = pa.table(
        {
            "contigname": [CONTIGS[i // 5 % len(CONTIGS)] for i in range(N_SITES)],
            "start": [100_000 * (1 + i) for i in range(N_SITES)],
            "gene": [f"GENE{i // 5}" for i in range(N_SITES)],
        }
    )
    tables["annotation"].append(rows_of(tables["annotation"], annotation_columns(sites)))
    tables["gene"].append(rows_of(tables["gene"], gene_columns(sites)))
    rng = np.random.default_rng(1)
    for first in range(0, n_samples, SAMPLES_AT_ONCE):
        names = [f"S{number:07d}" for number in range(first, min(first + SAMPLES_AT_ONCE, n_samples))]
        places = sites.take(pa.array(np.tile(np.arange(N_SITES), len(names))))
        samples = pa.array(np.repeat(names, N_SITES))
        copies = rng.binomial(2, 0.2, len(samples)).astype(np.int32)
        tables["variant"].append(rows_of(tables["variant"], variant_columns(places, samples, copies)))
        tables["dosage"].append(rows_of(tables["dosage"], dosage_columns(places, samples, copies)))


def rows_of(table: Table, columns: dict[str, Any]) -> pa.Table:
    """The columns in the table's schema and sort order; those not given are NULL."""
    schema = table.schema().as_arrow()
    n = len(columns["reference_genome"])
    nothing = pa.array(np.zeros(n, dtype=np.int32))
    rows = pa.table(
        [
            columns[field.name].cast(field.type)
            if field.name in columns
            else pa.array([ALIKE.get(field.name)], field.type).take(nothing)
            for field in schema
        ],
        schema=schema,
    )
    names = [table.schema().find_column_name(field.source_id) for field in table.sort_order().fields]
    return rows.sort_by([(name, "ascending") for name in names if name]) if names else rows


def same(value: Any, n: int) -> pa.Array:
    return pa.repeat(pa.scalar(value), n)


def variant_columns(places: pa.Table, samples: pa.Array, copies: np.ndarray) -> dict[str, Any]:
    n = len(samples)
    calls = np.stack([copies > 1, copies > 0], axis=1).astype(np.int32)
    depth = pa.array(20 + copies + np.arange(n, dtype=np.int32) % 20)
    return {
        "contigname": places["contigname"],
        "start": places["start"],
        "end": pa.compute.add(places["start"], 1),
        "referenceallele": same("A", n),
        "alternatealleles": pa.ListArray.from_arrays(np.arange(n + 1, dtype=np.int32), same("C", n)),
        "alternateallele": same("C", n),
        "filters": pa.ListArray.from_arrays(np.arange(n + 1, dtype=np.int32), same("PASS", n)),
        "calls": pa.ListArray.from_arrays(np.arange(0, 2 * n + 1, 2, dtype=np.int32), calls.ravel()),
        "depth": depth,
        "conditionalquality": depth,
        "alleledepths": pa.ListArray.from_arrays(np.arange(0, 2 * n + 1, 2, dtype=np.int32), calls.ravel() * 15),
        "sampleid": samples,
        "patient_id": samples,
        "reference_genome": same("GRCh38", n),
        "load_id": same("20261124T000000-aaaaaa", n),
    }


def dosage_columns(places: pa.Table, samples: pa.Array, copies: np.ndarray) -> dict[str, Any]:
    n = len(samples)
    return {
        "sample_id": samples,
        "patient_id": samples,
        "reference_genome": same("GRCh38", n),
        "variant_id": variant_id(places),
        "gene": places["gene"],
        "n_alt": pa.array(copies),
        "n_alleles": same(2, n),
        "n_alt_at_least": pa.array(copies),
        "call_status": same("called", n),
        "basis": same("allele", n),
        "has_blocks": same(False, n),
    }


def annotation_columns(sites: pa.Table) -> dict[str, Any]:
    n = len(sites)
    return {
        "contigname": sites["contigname"],
        "start": sites["start"],
        "referenceallele": same("A", n),
        "alternateallele": same("C", n),
        "variant_id": variant_id(sites),
        "gene": sites["gene"],
        "significance": same("pathogenic", n),
        "is_pathogenic": same(True, n),
        "review_stars": same(2, n),
        "release": same("2026-06-01", n),
        "reference_genome": same("GRCh38", n),
    }


def gene_columns(sites: pa.Table) -> dict[str, Any]:
    first = sites.take(pa.array(range(0, N_SITES, 5)))
    return {
        "symbol": first["gene"],
        "reference_genome": same("GRCh38", len(first)),
        "contigname": first["contigname"],
        "start": first["start"],
        "end": pa.compute.add(first["start"], 400_001),
    }


def variant_id(places: pa.Table) -> Any:
    position = pa.compute.cast(pa.compute.add(places["start"], 1), pa.string())
    return pa.compute.binary_join_element_wise(places["contigname"], position, "A", "C", "-")


def seconds(client: Any, question: str) -> float:
    """How long an answer takes. RuntimeError for an empty one: it would measure nothing."""
    answers: list[Any] = []
    took = timed(lambda: answers.append(ask(client, in_athena(question))))
    if len(answers[0]["Rows"]) < 2:
        raise RuntimeError(f"no rows: {question}")
    return took


def in_athena(question: str) -> str:
    tree = inline_views(parse(question), load_relations())
    return rename_databases(tree, lambda room: DATABASE if room == "genomic" else None).sql(dialect=DIALECT)


def in_duckdb(aws: LocalAws, table: Table, question: str) -> float:
    """Seconds that DuckDB needs for the same question over all files of the table."""
    places = (task.file.file_path.removeprefix("s3://bench/") for task in table.scan().plan_files())
    files = [str(aws.world.object_path("bench", key)) for key in places]
    with duckdb.connect() as engine:
        return timed(lambda: engine.execute(question.replace("genomic.variant", f"read_parquet({files})")).fetchall())


BENCHMARKS = {"variants": variants}
