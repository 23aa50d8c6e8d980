"""Queries that would let GRCh37 and GRCh38 rows meet by place, and those that keep builds apart."""

import pytest

from trilake.core.builds import across_builds
from trilake.core.errors import QueryError
from trilake.core.sql import columns_of, load_relations, parse, refuse_across_builds


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 FROM genomic.variant v JOIN genomic.annotation a ON v.contigname=a.contigname AND v.start=a.start",
        "SELECT 1 FROM genomic.variant v, genomic.annotation a WHERE v.contigname=a.contigname AND v.start=a.start",
        "SELECT 1 FROM genomic.variant JOIN genomic.annotation USING (contigname, start)",
        "SELECT 1 FROM genomic.variant v JOIN genomic.annotation a ON v.start BETWEEN a.start AND "
        "a.\"end\" WHERE v.reference_genome='GRCh37' AND a.reference_genome='GRCh38'",
        "WITH a AS (SELECT variant_id AS v, gene FROM genomic.annotation) SELECT 1 FROM genomic.dosage "
        "JOIN a ON dosage.variant_id = a.v",
        "SELECT 1 FROM genomic.dosage WHERE variant_id IN (SELECT variant_id FROM genomic.annotation)",
        "SELECT 1 FROM genomic.variant v WHERE EXISTS (SELECT 1 FROM genomic.annotation a WHERE a.start=v.start)",
        "SELECT 1 FROM genomic.carrier JOIN genomic.annotation ON carrier.variant_id = "
        "annotation.contigname || '-' || cast(annotation.start + 1 AS varchar)",
        "SELECT 1 FROM genomic.variant v JOIN genomic.gene g ON v.contigname=g.contigname AND v.start < "
        "g.\"end\" AND v.reference_genome = 'GRCh38'",
        "SELECT 1 FROM genomic.variant a JOIN genomic.variant b ON a.start=b.start AND a.contigname=b.contigname",
        "SELECT 1 FROM (SELECT variant_id FROM genomic.dosage WHERE reference_genome='GRCh37') d JOIN "
        "(SELECT variant_id FROM genomic.annotation WHERE reference_genome='GRCh38') a ON "
        "d.variant_id=a.variant_id",
    ],
)
def test_a_join_by_place_alone_is_refused(query: str) -> None:
    with pytest.raises(QueryError, match="joins across reference genomes: .* meets .*"):
        refuse_across_builds(parse(query), source="the query")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 FROM genomic.variant v JOIN genomic.annotation a ON v.contigname=a.contigname AND "
        "v.start=a.start AND v.reference_genome=a.reference_genome",
        "SELECT 1 FROM genomic.variant v, genomic.annotation a WHERE v.contigname=a.contigname AND "
        "v.start=a.start AND a.reference_genome=v.reference_genome",
        "SELECT 1 FROM genomic.variant JOIN genomic.annotation USING (reference_genome, contigname, start)",
        "SELECT 1 FROM genomic.variant v JOIN genomic.annotation a ON v.start BETWEEN a.start AND "
        "a.\"end\" WHERE v.reference_genome='GRCh38' AND a.reference_genome='GRCh38'",
        "SELECT 1 FROM genomic.dosage d JOIN genomic.annotation a ON d.rs_id=a.rs_id",
        "SELECT 1 FROM genomic.variant v JOIN genomic.sample s ON v.sampleid=s.sample_id",
        "SELECT 1 FROM genomic.dosage WHERE (reference_genome, variant_id) IN (SELECT reference_genome, "
        "variant_id FROM genomic.annotation)",
        "SELECT 1 FROM genomic.dosage WHERE reference_genome='GRCh38' AND variant_id IN (SELECT "
        "variant_id FROM genomic.annotation WHERE reference_genome='GRCh38')",
        "SELECT 1 FROM genomic.variant v WHERE EXISTS (SELECT 1 FROM genomic.annotation a WHERE "
        "a.start=v.start AND a.reference_genome=v.reference_genome)",
        "WITH a AS (SELECT reference_genome AS b, variant_id AS v FROM genomic.annotation) SELECT 1 FROM "
        "genomic.dosage JOIN a ON dosage.variant_id = a.v AND dosage.reference_genome = a.b",
        "SELECT 1 FROM genomic.variant WHERE start < \"end\" AND contigname='1'",
        "SELECT 1 FROM clinical.patient JOIN genomic.dosage USING (patient_id)",
        "SELECT 1 FROM (SELECT variant_id FROM genomic.dosage WHERE reference_genome='GRCh38') d JOIN "
        "(SELECT variant_id FROM genomic.annotation WHERE reference_genome='GRCh38') a ON "
        "d.variant_id=a.variant_id",
    ],
)
def test_builds_that_are_kept_apart_are_free(query: str) -> None:
    assert across_builds(parse(query), columns_of) == []


def test_the_message_names_what_meets_and_what_to_add() -> None:
    query = "SELECT 1 FROM genomic.variant AS v JOIN genomic.gene AS g ON v.contigname = g.contigname"
    with pytest.raises(QueryError) as caught:
        refuse_across_builds(parse(query), source="the query")
    assert str(caught.value) == (
        "the query joins across reference genomes: genomic.variant meets genomic.gene by contigname, but not by "
        "reference_genome\n  Next: add AND a.reference_genome = b.reference_genome, or hold each to the same build"
    )


def test_two_constants_are_told() -> None:
    query = (
        "SELECT 1 FROM genomic.variant AS v JOIN genomic.gene AS g ON v.contigname = g.contigname "
        "WHERE v.reference_genome = 'GRCh37' AND 'GRCh38' = g.reference_genome"
    )
    assert across_builds(parse(query), columns_of) == [
        "genomic.variant (GRCh37) meets genomic.gene (GRCh38) by contigname: they are of two reference genomes"
    ]


def test_our_own_sql_keeps_builds_apart() -> None:
    for relation in load_relations().values():
        assert across_builds(relation.tree, columns_of) == [], relation.name
