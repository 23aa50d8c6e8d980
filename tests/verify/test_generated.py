"""Random queries are valid, the same for the same seed, and shrink to what fails in them."""

from pathlib import Path
from random import Random

from localaws.athena.catalog import Column, TableRef
from localaws.athena.embedded.engine import Embedded
from localaws.athena.engine import Query, Work
from localaws.athena.parser import parse_query
from localaws.athena.types import trino_text, type_from_arrow
from verify.generated.grammar import TEMPLATES
from verify.generated.queries import Queries
from verify.generated.shrink import smallest
from verify.generated.stage import governed_tables
from verify.generated.tables import TABLES, arrow
from verify.past_cases import past_cases

N_QUERIES = 150


def test_a_seed_gives_its_queries() -> None:
    one, other = (Queries(Random("7"), TABLES).query() for _ in range(2))
    assert one == other != Queries(Random("8"), TABLES).query()


def test_nearly_every_query_is_valid(tmp_path: Path) -> None:
    engine = Embedded(None, tmp_path)  # type: ignore[arg-type]
    rows = {table.name: arrow(table) for table in TABLES}
    refs = {
        name: TableRef(
            "1",
            "lab",
            name,
            "iceberg",
            tuple(Column(f.name, trino_text(type_from_arrow(f.type))) for f in found.schema),
        )
        for name, found in rows.items()
    }
    failed = []
    for number in range(N_QUERIES):
        sql = Queries(Random(f"valid {number}"), TABLES).query()
        try:
            with engine.run(Query(parse_query(sql), refs, rows), Work()) as result:
                assert result.columns
                assert sum(batch.num_rows for batch in result.batches) >= 0
        except Exception as error:
            failed.append((sql, error))
    engine.close()
    assert len(failed) <= N_QUERIES // 50, failed[0]


def test_the_governed_tables_are_asked_too() -> None:
    assert {"clinical.observation", "genomic.dosage"} <= {table.name for table in governed_tables()}
    assert all(row[table.key] is not None for table in governed_tables() for row in table.rows)


def test_every_kind_is_made_of_kinds_that_exist() -> None:
    assert {"boolean", "bigint", "varchar", "timestamp", "zoned", "scores", "json"} <= set(TEMPLATES)


def test_a_query_shrinks_to_what_fails_in_it() -> None:
    sql = "SELECT lower(t.a) AS x, abs(t.b + 1) AS y FROM t WHERE t.c > 1 AND t.d IN (1, 2) ORDER BY 1 LIMIT 3"
    small = smallest(sql, lambda text: "abs(" in text.lower())
    assert "abs(" in small.lower() and "lower" not in small.lower() and "WHERE" not in small
    assert len(small) < 40


def test_a_query_that_cannot_be_smaller_stays() -> None:
    assert smallest("SELECT 1", lambda text: text == "SELECT 1") == "SELECT 1"


def test_past_differences_are_asked_again() -> None:
    names = [case.name for case in past_cases()]
    assert sum(name.startswith("differences-") for name in names) >= 20
    assert "queries-37" not in names
