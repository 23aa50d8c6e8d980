"""Generated queries as a persona: each answers as over tables that physically hold only what the persona may see.

`make test` asks a few of them; HOSTILE_QUERIES=400 asks so many, as `make verify` does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws import LocalAws

from .hostile import MARK, Stage

QUERIES = int(os.environ.get("HOSTILE_QUERIES", "25"))
NUMBERS = ["birth_year", "length(patient_id)", "cardinality(codes)"]
TEXTS = ["patient_id", "gender"]
DENIED = ["family_name", "mrn", "site_id", "consent_research"]
CONSTANTS = st.sampled_from(["1888", "1899", "1900", "1950", "1955", "0", "2"])


def numbers(alias: str) -> st.SearchStrategy[str]:
    """A number out of one row; some fail on some rows."""
    plain = st.sampled_from([item.replace("(", f"({alias}.") if "(" in item else f"{alias}.{item}" for item in NUMBERS])
    return st.one_of(
        plain,
        st.builds("({} + {})".format, plain, CONSTANTS),
        st.builds("({} % 3)".format, plain),
        st.builds("(7 / ({} - {}))".format, plain, CONSTANTS),
        st.just(f"CAST(substr({alias}.patient_id, 2) AS integer)"),
    )


def texts(alias: str) -> st.SearchStrategy[str]:
    plain = st.sampled_from([f"{alias}.{item}" for item in TEXTS])
    return st.one_of(plain, st.builds("upper({})".format, plain), st.builds("substr({}, 1, 2)".format, plain))


def rarely_denied(alias: str) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{alias}.{item}" for item in DENIED])


def conditions(alias: str) -> st.SearchStrategy[str]:
    comparison = st.one_of(
        st.builds("{} {} {}".format, numbers(alias), st.sampled_from(["<", ">=", "=", "<>"]), CONSTANTS),
        st.builds("{} LIKE '{}'".format, texts(alias), st.sampled_from(["p0%", "SECRET%", "%1", "f"])),
        st.builds("{} IS NOT NULL".format, texts(alias)),
        st.builds("{} IN (SELECT patient_id FROM condition WHERE code = 'c2')".format, st.just(f"{alias}.patient_id")),
        st.builds(
            "EXISTS (SELECT 1 FROM {} q WHERE q.birth_year < {}.birth_year)".format,
            st.sampled_from(["patient", "clinical.patient"]),
            st.just(alias),
        ),
        st.just(f"{alias}.birth_year <= (SELECT min(birth_year) FROM patient)"),
    )
    return st.recursive(
        comparison,
        lambda inner: st.one_of(
            st.builds("({} AND {})".format, inner, inner),
            st.builds("({} OR {})".format, inner, inner),
            st.builds("NOT ({})".format, inner),
        ),
        max_leaves=4,
    )


def values(alias: str) -> st.SearchStrategy[str]:
    number, word = numbers(alias), texts(alias)
    return st.one_of(
        number,
        number,
        word,
        word,
        st.builds("CASE WHEN {} THEN {} ELSE 0 END".format, conditions(alias), number),
        st.builds("try({})".format, number),
        st.builds("rank() OVER (PARTITION BY {} ORDER BY {})".format, word, number),
        st.builds("sum({}) OVER (PARTITION BY {})".format, number, word),
        st.builds("(SELECT count(*) FROM condition c WHERE c.patient_id = {}.patient_id)".format, st.just(alias)),
        rarely_denied(alias),
    )


def sources(alias: str) -> st.SearchStrategy[str]:
    table = st.sampled_from(["patient", "clinical.patient", '"PATIENT"'])
    return st.one_of(
        st.builds(f"{{}} AS {alias}".format, table),
        st.builds(f"(SELECT * FROM {{}}) AS {alias}".format, table),
        st.builds(f"(SELECT x.* FROM {{}} x WHERE {{}}) AS {alias}".format, table, conditions("x")),
    )


plain_queries = st.builds(
    "SELECT {}, {} FROM {} WHERE {}".format, values("p"), values("p"), sources("p"), conditions("p")
)
joined_queries = st.builds(
    "SELECT {}, {} FROM {} {} JOIN {} ON {} {} {} WHERE {}".format,
    values("p"),
    values("q"),
    sources("p"),
    st.sampled_from(["", "LEFT", "FULL", "RIGHT"]),
    sources("q"),
    numbers("p"),
    st.sampled_from(["=", "<"]),
    numbers("q"),
    conditions("p"),
)
grouped_queries = st.builds(
    "SELECT {0}, count(*), min({1}), max({2}) FROM {3} WHERE {4} GROUP BY {0}".format,
    texts("p"),
    numbers("p"),
    texts("p"),
    sources("p"),
    conditions("p"),
)
shadowed_queries = st.builds(
    "WITH patient AS (SELECT * FROM {} WHERE {}), r AS (SELECT * FROM patient) SELECT {} FROM r AS p".format,
    sources("x"),
    conditions("x"),
    values("p"),
)
set_queries = st.builds(
    "SELECT {} AS v FROM {} {} SELECT {} FROM {}".format,
    texts("p"),
    sources("p"),
    st.sampled_from(["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]),
    texts("q"),
    sources("q"),
)
queries = st.one_of(plain_queries, joined_queries, grouped_queries, shadowed_queries, set_queries)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with LocalAws(tmp_path_factory.mktemp("local")) as aws:
        yield Stage(aws.world)


@settings(
    max_examples=QUERIES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(sql=queries)
def test_a_generated_query_answers_as_over_the_permitted_part(stage: Stage, sql: str) -> None:
    answer, expected = stage.ask(sql), stage.mirrored(sql)
    assert MARK not in (answer.everything + answer.reason).replace(f"{MARK}%", "")
    assert answer.comparable() == expected.comparable()
