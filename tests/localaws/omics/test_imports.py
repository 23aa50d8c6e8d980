"""Import jobs: the rows they make, the files they fail, the limits they keep.

Make target: `test`. Example: `pytest tests/localaws/omics/test_imports.py`.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localaws.omics.conftest import Bench, a_role, a_vcf

Started = list[dict[str, Any]]


@pytest.fixture(scope="module")
def store(bench: Bench, reference: dict[str, str]) -> Bench:
    bench.make("variant", "variants", reference=reference)
    return bench


def test_a_split_record_keeps_what_belongs_to_each_allele(store: Bench) -> None:
    meta = '##FORMAT=<ID=XA,Number=A,Type=Integer,Description="x">\n'
    job = store.variants(
        a_vcf(
            "chr1 4 rs1;rs2 t C,g 30 q1;q2 AC=1,2;DB GT:AD:DP:GQ:PL:XA:PS 1|2:5,6,7:18:9:0,1,2,3,4,5:8,9:4", meta=meta
        )
    )
    assert job["status"] == "COMPLETED" and [item["jobStatus"] for item in job["items"]] == ["COMPLETED"]
    first, second = (row for row in store.rows("variant", "variants") if row["importjobid"] == job["id"])
    shared = {
        "contigname": "chr1", "start": 3, "end": 4, "names": ["rs1", "rs2"], "referenceallele": "T", "qual": 30.0,
        "filters": ["q1", "q2"], "splitfrommultiallelic": True, "phased": True, "depth": 18, "conditionalquality": 9,
        "ps": 4, "sampleid": "S1", "spl": None, "genotypelikelihoods": None, "annotations": None,
    }  # fmt: skip
    assert shared.items() <= first.items() and shared.items() <= second.items()
    own = ("alternatealleles", "attributes", "calls", "alleledepths", "phredlikelihoods", "information")
    assert [first[name] for name in own] == [
        ["C"], [("AC", "1"), ("DB", "true")], [1, 2], [5, 6], [0, 1, 2], [("XA", "8")],
    ]  # fmt: skip
    assert [second[name] for name in own] == [
        ["G"], [("AC", "2"), ("DB", "true")], [2, 1], [5, 7], [0, 3, 5], [("XA", "9")],
    ]  # fmt: skip


def test_blocks_missing_values_and_samples(store: Bench) -> None:
    job = store.variants(
        a_vcf("2 5 . A <NON_REF> . . END=20 GT ./. 0", "2 30 . G . . PASS . GT:DP 0/0:7 .", samples=("A", "B"))
    )
    rows = [row for row in store.rows("variant", "variants") if row["importjobid"] == job["id"]]
    told = [
        (row["sampleid"], row["start"], row["end"], row["alternatealleles"], row["calls"], row["depth"]) for row in rows
    ]
    assert told == [
        ("A", 4, 20, ["<NON_REF>"], [-1, -1], None),
        ("B", 4, 20, ["<NON_REF>"], [0], None),
        ("A", 29, 30, None, [0, 0], 7),
        ("B", 29, 30, None, [-1], None),
    ]
    assert {row["qual"] for row in rows} == {None} and not any(row["splitfrommultiallelic"] for row in rows)


def test_left_normalisation_moves_alleles_that_fit_the_reference(store: Bench) -> None:
    records = ("chr1 19 . CATC C . . . GT 0/1", "1 7 . TA TG . . . GT 0/1", "2 3 . G T . . . GT 0/1")
    job = store.variants(a_vcf(*records), runLeftNormalization=True)
    rows = [row for row in store.rows("variant", "variants") if row["importjobid"] == job["id"]]
    places = [
        (row["contigname"], row["start"], row["end"], row["referenceallele"], row["alternatealleles"]) for row in rows
    ]
    assert places == [("chr1", 11, 15, "GCAT", ["G"]), ("1", 7, 8, "A", ["G"]), ("2", 2, 3, "G", ["T"])]


def test_vep_consequences_become_a_struct(store: Bench) -> None:
    meta = '##INFO=<ID=CSQ,Number=.,Type=String,Description="Format: Allele|Consequence|IMPACT|EXON|CANONICAL">\n'
    job = store.variants(
        a_vcf("2 1 . C T . . CSQ=T|missense_variant&splice|HIGH|2/9|YES,T|intron|LOW|| GT 0/1", meta=meta),
        annotationFields={"VEP": "CSQ"},
    )
    (row,) = (row for row in store.rows("variant", "variants") if row["importjobid"] == job["id"])
    first, second = row["annotations"]["vep"]
    assert (first["allele"], first["consequence"], first["impact"]) == ("T", ["missense_variant", "splice"], "HIGH")
    assert first["exon"] == {"rank": "2", "total": "9"} and first["extras"] == [("canonical", "YES")]
    assert (second["consequence"], second["exon"], second["extras"]) == (["intron"], None, None)


BROKEN = {
    "no header": b"1\t100\n",
    "columns": a_vcf("1 1 . A T . . ."),
    "position": a_vcf("1 x . A T . . . GT 0/1"),
    "allele": a_vcf("1 1 . A TZ . . . GT 0/1"),
    "genotype": a_vcf("1 1 . A T . . . GT 0/3"),
    "bytes": a_vcf("1 1 . A T . . . GT 0/1").replace(b"S1", b"\xff"),
    "cut": b"\x1f\x8b\x08\x00\x00",
    "sites only": a_vcf("1 1 . A T . . .", samples=()),
}


def test_a_file_that_does_not_hold_fails_alone(store: Bench) -> None:
    before = len(store.rows("variant", "variants"))
    job = store.variants(a_vcf("2 1 . C T . . . GT 0/1", samples=("GOOD",)), *BROKEN.values())
    assert job["status"] == "COMPLETED_WITH_FAILURES"
    assert [item["jobStatus"] for item in job["items"]] == ["COMPLETED"] + ["FAILED"] * len(BROKEN)
    assert all(item["statusMessage"] for item in job["items"][1:])
    assert len(store.rows("variant", "variants")) == before + 1
    assert store.variants(BROKEN["no header"])["status"] == "FAILED"


def test_the_role_must_trust_the_service_and_read_the_file(store: Bench) -> None:
    items = [{"source": store.put("sound.vcf", a_vcf("2 1 . C T . . . GT 0/1"))}]
    stranger = a_role(store.world, "stranger", "glue.amazonaws.com")
    blind = a_role(store.world, "blind", "omics.amazonaws.com")
    store.world.client("iam").delete_role_policy(RoleName="blind", PolicyName="read")
    for role in (stranger, blind):
        job = store.api.start_variant_import_job(destinationName="variants", roleArn=role, items=items)
        ended = store.wait(lambda job=job: store.api.get_variant_import_job(jobId=job["jobId"]))
        assert ended["status"] == "FAILED" and ended["items"][0]["statusMessage"]


def test_jobs_are_limited_cancelled_and_listed(store: Bench) -> None:
    before = len(store.rows("variant", "variants"))
    items = [{"source": store.put("held.vcf", a_vcf("2 1 . C T . . . GT 0/1"))}]
    request = {"destinationName": "variants", "roleArn": store.role}
    with store.state.commits:  # No job gets to its end.
        jobs = [store.api.start_variant_import_job(**request, items=items)["jobId"] for _ in range(5)]
        with pytest.raises(store.api.exceptions.ServiceQuotaExceededException):
            store.api.start_variant_import_job(**request, items=items)
        store.api.cancel_variant_import_job(jobId=jobs[0])
        with pytest.raises(store.api.exceptions.ServiceQuotaExceededException, match="1000 files"):
            store.api.start_variant_import_job(**request, items=items * 1001)
    ended = [store.wait(lambda job=job: store.api.get_variant_import_job(jobId=job))["status"] for job in jobs]
    assert ended == ["CANCELLED"] + ["COMPLETED"] * 4
    assert len(store.rows("variant", "variants")) == before + 4
    listed = store.api.list_variant_import_jobs(filter={"status": "CANCELLED", "storeName": "variants"})
    assert [job["id"] for job in listed["variantImportJobs"]] == jobs[:1]
    with pytest.raises(store.api.exceptions.ValidationException):
        store.api.cancel_variant_import_job(jobId=jobs[0])
    with pytest.raises(store.api.exceptions.ResourceNotFoundException):
        store.api.get_annotation_import_job(jobId=jobs[0])


def test_a_job_that_a_process_left_behind_has_failed(store: Bench) -> None:
    from localaws.omics.service import Omics

    job = store.variants(a_vcf("2 1 . C T . . . GT 0/1"))
    store.state.jobs[job["id"]].properties["status"] = "IN_PROGRESS"
    Omics(store.world)  # As the next process makes it from the saved state.
    assert store.api.get_variant_import_job(jobId=job["id"])["status"] == "FAILED"


def test_annotation_stores_take_vcf_gff_and_tables(store: Bench, reference: dict[str, str]) -> None:
    store.make("annotation", "clinvar", storeFormat="VCF", reference=reference)
    options = {"formatOptions": {"vcfOptions": {"ignoreQualField": True}}}
    sites = a_vcf("1 10 7 A T,G 5 PASS CLNSIG=Benign", samples=())
    assert store.annotations("clinvar", sites, **options)["status"] == "COMPLETED"
    rows = store.rows("annotation", "clinvar")
    assert [(row["alternatealleles"], row["qual"], row["filters"], row["attributes"]) for row in rows] == [
        (["T"], None, ["PASS"], [("CLNSIG", "Benign")]), (["G"], None, ["PASS"], [("CLNSIG", "Benign")]),
    ]  # fmt: skip
    store.make("annotation", "genes", storeFormat="GFF", reference=reference)
    gff = b"##gff-version 3\nchr1\thavana\tgene\t11\t20\t.\t+\t.\tID=g%201;Name=A\n"
    assert store.annotations("genes", gff)["status"] == "COMPLETED"
    (gene,) = store.rows("annotation", "genes")
    assert (gene["start"], gene["end"], gene["attributes"]) == (10, 20, [("ID", "g 1"), ("Name", "A")])
    schema = {"schema": [{"chrom": "STRING"}, {"pos": "LONG"}, {"score": "DOUBLE"}, {"is_known": "BOOLEAN"}]}
    store.make("annotation", "scores", storeFormat="TSV", reference=reference, storeOptions={"tsvStoreOptions": schema})
    table = b'pos,chrom,score,is_known\n# note\n7,"a,b",0.5,TRUE\n8,1,,false\n'
    options = {"formatOptions": {"tsvOptions": {"readOptions": {"sep": ",", "comment": "#"}}}}
    assert store.annotations("scores", table, **options)["status"] == "COMPLETED"
    assert [tuple(row.values()) for row in store.rows("annotation", "scores")] == [
        ("a,b", 7, 0.5, True), ("1", 8, None, False),
    ]  # fmt: skip
    assert store.annotations("scores", b"pos,chrom,score,is_known\nx,1,1,true\n", **options)["status"] == "FAILED"
    assert store.annotations("scores", b"pos,chrom\n1,1\n", **options)["status"] == "FAILED"


def test_versions_have_rows_of_their_own(store: Bench, reference: dict[str, str]) -> None:
    api = store.api
    store.make("annotation", "known", storeFormat="VCF", reference=reference)
    api.create_annotation_store_version(name="known", versionName="v2026_06")
    store.wait(lambda: api.get_annotation_store_version(name="known", versionName="v2026_06"))
    for version, records in (("known", ["1 1 . A T . . ."]), ("v2026_06", ["1 1 . A T . . .", "1 2 . A T . . ."])):
        assert store.annotations("known", a_vcf(*records, samples=()), versionName=version)["status"] == "COMPLETED"
    assert len(store.rows("annotation", "known")) == 1
    assert len(store.rows("annotation", "known", "known_v2026_06")) == 2
    assert api.get_annotation_store(name="known")["numVersions"] == 2
    assert (
        api.update_annotation_store_version(name="known", versionName="v2026_06", description="June")["description"]
        == "June"
    )
    with pytest.raises(api.exceptions.ConflictException):
        api.create_annotation_store_version(name="known", versionName="v2026_06")
    answer = api.delete_annotation_store_versions(name="known", versions=["v2026_06", "v1999"])
    assert [error["versionName"] for error in answer["errors"]] == ["v1999"]
    listed = api.list_annotation_store_versions(name="known")["annotationStoreVersions"]
    assert [item["versionName"] for item in listed] == ["known"]
    with pytest.raises(ClientError, match="exactly one file"):
        items = [{"source": "s3://raw-bucket/a.vcf"}] * 2
        api.start_annotation_import_job(destinationName="known", roleArn=store.role, items=items)
