"""How governed tables are laid out: the contract's words, set once, and followed by what Athena writes."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from pyiceberg.expressions import And, EqualTo
from pyiceberg.transforms import BucketTransform, IdentityTransform

from tests.lake import built_lake, lake
from trilake.core.athena import run
from trilake.core.contract import Layout, faults_of, load_contract
from trilake.core.lakehouse.iceberg import lay_out, open_table
from trilake.core.paths import SQL
from trilake.core.session import Session

__all__ = ["built_lake", "lake"]
GENE = "genomic.gene"
LAYOUT = Layout(partition=("bucket(4, symbol)", "contigname"), sort=("contigname", "start"), row_group=1_000)


@pytest.fixture(scope="module")
def laid_out(lake: Session) -> Session:
    table = open_table(lake, GENE)
    assert lay_out(table, LAYOUT)
    assert not lay_out(open_table(lake, GENE), LAYOUT), "a second time there is nothing to do"
    values = ", ".join(f"('G{i}', 'GRCh38', '{i % 2}', {(i * 7) % 100}, {(i * 7) % 100 + 1})" for i in range(100))
    run(lake, f'INSERT INTO genomic.gene (symbol, reference_genome, contigname, start, "end") VALUES {values}')
    return lake


def test_what_the_contract_says_is_what_the_table_has(laid_out: Session) -> None:
    table = open_table(laid_out, GENE)
    assert [(field.name, field.transform) for field in table.spec().fields] == [
        ("symbol_bucket_4", BucketTransform(4)),
        ("contigname", IdentityTransform()),
    ]
    assert [table.schema().find_column_name(field.source_id) for field in table.sort_order().fields] == [
        "contigname",
        "start",
    ]
    assert table.properties["write.parquet.row-group-limit"] == "1000"


def test_what_athena_writes_is_parted_and_sorted(laid_out: Session) -> None:
    table = open_table(laid_out, GENE)
    tasks = list(table.scan().plan_files())
    assert {(task.file.partition[0], task.file.partition[1]) for task in tasks} == {
        (bucket, contig) for bucket in range(4) for contig in "01"
    }
    for task in tasks:
        with table.io.new_input(task.file.file_path).open() as file:
            starts = pq.read_table(file, columns=["start"])["start"].to_pylist()
        assert starts == sorted(starts)
    one = And(EqualTo("symbol", "G7"), EqualTo("contigname", "1"))
    assert len(list(table.scan(row_filter=one).plan_files())) == 1
    assert run(laid_out, "SELECT count(*) AS n, sum(start) AS total FROM genomic.gene").rows == [
        [100, sum((i * 7) % 100 for i in range(100))]
    ]


def test_a_changed_layout_leaves_old_files_and_is_followed_from_there(laid_out: Session) -> None:
    other = Layout(partition=("bucket(2, symbol)",))
    assert lay_out(open_table(laid_out, GENE), other)
    assert [field.name for field in open_table(laid_out, GENE).spec().fields] == ["symbol_bucket_2"]
    insert = "INSERT INTO genomic.gene (symbol, reference_genome, contigname) VALUES ('NEW', 'GRCh37', '9')"
    run(laid_out, insert)
    assert run(laid_out, "SELECT count(*) AS n FROM genomic.gene WHERE symbol IN ('NEW', 'G1')").rows == [[2]]


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        (Layout(partition=("bucket(4, nowhere)",)), "genomic.gene: layout names nowhere, which is not a column"),
        (Layout(sort=("nowhere",)), "genomic.gene: layout names nowhere, which is not a column"),
        (Layout(partition=("truncate(4, symbol)",)), "expected a column or bucket(8, column)"),
        (Layout(partition=("bucket(0, symbol)",)), "expected a column or bucket(8, column)"),
    ],
)
def test_a_layout_that_does_not_fit_is_named(layout: Layout, words: str) -> None:
    table = load_contract()[GENE].model_copy(update={"layout": layout})
    assert any(words in fault for fault in faults_of(table, {}))


def test_one_merge_opens_no_more_partitions_than_athena_writes_at_once() -> None:
    """Athena refuses a statement that writes more than 100 partitions; a column's own values have no bound."""
    for path in Path(SQL).glob("*/contract.yaml"):
        for name, entry in yaml.safe_load(path.read_text())["tables"].items():
            table = load_contract()[f"{path.parent.name}.{name}"]
            n_parts = 1
            for column, buckets in table.layout.parts():
                assert buckets is not None, f"{table.path} is parted by the values of {column}"
                n_parts *= buckets
            assert n_parts <= 100, table.path
            assert ("layout" in entry) == (table.layout != Layout())
