"""VCF files through HealthOmics: the same rows and outcomes as through our own tables, and what can go wrong."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localaws.omics.service import Omics
from localaws.service import ServiceError as Refusal
from tests.genomic.hosted import REFERENCE, build_hosted, choose
from tests.genomic.test_importer import META, SOUND, a_bcf, a_file, counts, cut
from tests.stores import Loads, built_lake, lake, stores
from trilake.core.athena import run
from trilake.core.contract import load_contract
from trilake.core.errors import ServiceError
from trilake.core.session import Session
from trilake.genomic.healthomics.jobs import Order, portions
from trilake.genomic.healthomics.stage import stored_names
from trilake.genomic.importer import Importer

__all__ = ["built_lake", "lake", "stores"]
LOAD_COLUMNS = {"importjobid", "load_id"}
MIXED_META = (
    *META,
    '##INFO=<ID=AC,Number=A,Type=Integer,Description="x">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="x">',
    '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="x">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">',
    '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="x">',
    '##FORMAT=<ID=XA,Number=A,Type=Integer,Description="x">',
    '##FILTER=<ID=q10,Description="x">',
    '##ALT=<ID=NON_REF,Description="x">',
)


@pytest.fixture(scope="module")
def hosted(stores: Session) -> Iterator[Session]:
    build_hosted(stores)
    yield stores


@pytest.fixture
def load(hosted: Session, tmp_path: Path) -> Loads:
    return Loads(hosted, tmp_path, Importer())


def rows(session: Session, table: str, where: str = "TRUE") -> list[dict[str, Any]]:
    return run(session, f"SELECT * FROM {table} WHERE {where}").records()


def contents(folder: Path) -> dict[str, bytes]:
    """Files of every kind and quality."""
    mixed = (
        "chr1 11 rs1 a t,G 50 PASS AC=1,2 GT:AD:DP:PL:XA 1|2:3,4,5:12:0,1,2,3,4,5:7,8 ./1:.:.:.:.",
        "chr1 21 . A . . . END=40 GT 0/0 ./.",
        "chr1 51 . A <NON_REF> . q10 END=60 GT:DP 0/0:9 0:.",
        "chr1 71 . AAA A 9.5 PASS . GT 0/1 1/1",
        "chrM 5 . A C . . . GT 0/1 0/1",
        "chr1 81 . A TZ 50 PASS . GT 0/1 0/1",
    )
    meta = tuple(line.replace("##contig=<ID=1>", "##contig=<ID=chr1>") for line in MIXED_META)
    many = a_file(*(f"1 {at} . A T 50 PASS . GT 0/1" for at in range(1, 9_000)), samples=("CUT",))
    clinvar = ("1 10 7 A T,G . . CLNSIG=Benign", "1 30 8 A C . . CLNSIG=Pathogenic")
    return {
        "mixed": gzip.compress(a_file(*mixed, samples=("M1", "M2"), meta=(*meta, "##contig=<ID=chrM>"))),
        "all bad": a_file("1 x . A T 50 PASS . GT 0/1", samples=("BAD",)),
        "header": a_file(SOUND, meta=("##INFO=nothing",)),
        "empty": a_file(samples=("NONE",)),
        "crlf": a_file(SOUND, samples=("CRLF",)).replace(b"\n", b"\r\n"),
        "bcf": a_bcf(folder, a_file(SOUND, samples=("BCF",))),
        "cut": cut(folder, many),
        "clinvar 2026-03-01": a_file(*clinvar, samples=(), meta=("##fileDate=20260301", "##contig=<ID=1>")),
        "clinvar 2026-06-01": a_file(*clinvar[:1], samples=(), meta=("##fileDate=20260601", "##contig=<ID=1>")),
    }


def told(session: Session, table: str) -> list[str]:
    """A store's rows as text, without what a load itself gives."""
    names = [name for name in sorted(rows(session, table)[0]) if name not in LOAD_COLUMNS]
    return sorted(str([row[name] for name in names]) for row in rows(session, table))


def may_read(session: Session) -> None:
    """Let the deployer read the store's tables, as terraform/modules/store does for all that jobs make."""
    place = {"DatabaseName": session.settings.genomic.store_database, "TableWildcard": {}}
    session.client("lakeformation").grant_permissions(
        Principal={"DataLakePrincipalIdentifier": session.client("sts").get_caller_identity()["Arn"]},
        Resource={"Table": place},
        Permissions=["SELECT"],
    )


def test_both_backends_give_the_same_rows_and_outcomes(load: Loads, hosted: Session, tmp_path: Path) -> None:
    files = contents(tmp_path)
    tables = ("genomic_store.variant", "genomic_store.annotation", "genomic_store.sample_file")
    choose(hosted, backend="iceberg")
    ours = load(files)
    may_read(hosted)
    expected = {table: told(hosted, table) for table in tables}
    glue, database = hosted.client("glue"), hosted.settings.genomic.store_database
    for table in tables:
        glue.delete_table(DatabaseName=database, Name=table.split(".")[1])
    choose(hosted, backend="healthomics")
    theirs = load(files)
    assert {name: counts(one) for name, one in theirs.items()} == {name: counts(one) for name, one in ours.items()}
    assert {name: {reason.code for reason in one.reasons} for name, one in theirs.items()} == {
        name: {reason.code for reason in one.reasons} for name, one in ours.items()
    }
    for table in tables:
        assert told(hosted, table) == expected[table], table
    assert len(expected["genomic_store.variant"]) > 1_000


def test_samples_are_stored_under_names_that_tell_nobody(load: Loads, hosted: Session) -> None:
    load({"named": a_file(SOUND, samples=("MRN-0042",))})
    link = f"{hosted.settings.genomic.store_database}_hosted_variant"
    held = run(hosted, f'SELECT DISTINCT sampleid FROM "{link}"."test_variant"').rows
    assert ["MRN-0042"] not in held and all(len(name) == 25 for (name,) in held)
    assert [row["sampleid"] for row in rows(hosted, "genomic_store.variant", "source_file = 'named'")] == ["MRN-0042"]
    assert stored_names("a", 2) == stored_names("a", 2) != stored_names("b", 2)


def test_a_corrected_file_takes_the_place_of_its_namesake_and_back(load: Loads, hosted: Session) -> None:
    first = a_file(SOUND, "1 200 . A C 50 PASS . GT 1/1", samples=("AGAIN",))
    second = a_file("1 300 . A C 50 PASS . GT 1/1", samples=("AGAIN",))

    def starts() -> list[int]:
        return sorted(row["start"] for row in rows(hosted, "genomic_store.variant", "sampleid = 'AGAIN'"))

    load({"calls": first})
    assert starts() == [99, 199]
    load({"calls": second})
    assert starts() == [299]
    n_jobs = len(hosted.client("omics").list_variant_import_jobs()["variantImportJobs"])
    load({"calls": first})
    assert starts() == [99, 199], "an earlier content counts again"
    assert len(hosted.client("omics").list_variant_import_jobs()["variantImportJobs"]) == n_jobs, (
        "and is not sent again"
    )
    load({"calls": a_file(samples=("AGAIN",))})
    assert starts() == [], "a file that no longer has records takes them away"


def test_a_release_that_is_loaded_again_leaves_no_version_behind(load: Loads, hosted: Session) -> None:
    meta = ("##fileDate=20270101", "##contig=<ID=1>")
    for record in ("1 10 7 A T . . CLNSIG=Benign", "1 12 7 A T . . CLNSIG=Benign"):
        load({"release": a_file(record, samples=(), meta=meta)})
    found = rows(hosted, "genomic_store.annotation", "source_file = 'release'")
    assert [(row["start"], row["release"]) for row in found] == [(11, "2027-01-01")]
    versions = hosted.client("omics").list_annotation_store_versions(name="test_annotation")["annotationStoreVersions"]
    held = run(hosted, "SELECT version FROM genomic_store.hosted_release").rows
    assert {item["versionName"] for item in versions} - {"test_annotation"} == {version for (version,) in held}


def test_a_run_that_was_killed_before_it_registered_sends_nothing_twice(
    load: Loads, hosted: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = {"killed": a_file(SOUND, samples=("KILLED",))}
    with monkeypatch.context() as patched:
        patched.setattr(
            "trilake.genomic.healthomics.backend.register_samples", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            load(file)
    n_jobs = len(hosted.client("omics").list_variant_import_jobs()["variantImportJobs"])
    assert counts(load(file)["killed"]) == ("loaded", 1, 1, 0, 0)
    assert len(hosted.client("omics").list_variant_import_jobs()["variantImportJobs"]) == n_jobs
    assert len(rows(hosted, "genomic_store.variant", "sampleid = 'KILLED'")) == 1


def test_a_file_that_the_service_fails_is_refused_whole_and_the_others_load(
    load: Loads, hosted: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from localaws.omics import jobs

    genuine = jobs.variant_rows

    def choosy(record, header, options):  # type: ignore[no-untyped-def]
        if record.pos == 333:
            raise jobs.VcfError("Line 6 is not to the service's taste.")
        return genuine(record, header, options)

    monkeypatch.setattr(jobs, "variant_rows", choosy)
    bad = a_file("1 333 . A C 50 PASS . GT 1/1", SOUND, "1 400 . A TZ 50 PASS . GT 1/1", samples=("TASTE",))
    outcomes = load({"bad": bad, "good": a_file(SOUND, samples=("GOOD",))})
    assert counts(outcomes["bad"]) == ("refused", 3, 0, 0, 3) and counts(outcomes["good"]) == ("loaded", 1, 1, 0, 0)
    reason = next(reason for reason in outcomes["bad"].reasons if reason.code == "SERVICE_REFUSED")
    assert "taste" in reason.found and reason.item
    monkeypatch.undo()
    assert counts(load({"bad": bad})["bad"]) == ("partial", 3, 2, 0, 1), "once the service takes it, it loads"


def test_alleles_are_left_aligned_when_an_ingest_names_a_reference(
    load: Loads, hosted: Session, tmp_path: Path
) -> None:
    deletion = {"aligned": a_file("1 71 . AAA A 9.5 PASS . GT 0/1", samples=("ALIGNED",))}

    def places() -> list[tuple[Any, ...]]:
        found = rows(hosted, "genomic_store.variant", "sampleid = 'ALIGNED'")
        return [(row["start"], row["end"], row["referenceallele"]) for row in found]

    load(deletion)
    assert places() == [(70, 73, "AAA")]
    fasta = tmp_path / "r.fa"
    fasta.write_text(REFERENCE)
    load(deletion, reference=fasta)
    assert places() == [(0, 3, "AAA")], "an import that was not aligned does not stand for one that is"


def test_throttling_and_full_quotas_are_waited_out(
    load: Loads, hosted: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine, refusals = Omics.start_variant_import_job, iter(["ThrottlingException", "ServiceQuotaExceededException"])

    def busy(self, params, caller):  # type: ignore[no-untyped-def]
        if code := next(refusals, None):
            raise Refusal(code, "slower, please")
        return genuine(self, params, caller)

    monkeypatch.setattr(Omics, "start_variant_import_job", busy)
    assert counts(load({"patient": a_file(SOUND, samples=("PATIENT",))})["patient"]) == ("loaded", 1, 1, 0, 0)


def test_many_files_are_many_jobs_never_more_than_five_at_once(
    load: Loads, hosted: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trilake.genomic.healthomics.jobs.MOST_FILES", 1)
    outcomes = load({f"many {number}": a_file(SOUND, samples=(f"MANY{number}",)) for number in range(8)})
    assert {counts(outcome) for outcome in outcomes.values()} == {("loaded", 1, 1, 0, 0)}
    assert len(rows(hosted, "genomic_store.variant", "sampleid LIKE 'MANY%'")) == 8


def test_orders_become_jobs_within_the_quotas() -> None:
    orders = [Order(str(number), f"s3://b/{number}", is_annotation=number % 1_000 == 7) for number in range(2_500)]
    sizes = [len(portion) for portion in portions(orders)]
    assert sizes == [1_000, 1_000, 497, 1, 1, 1]


def test_before_the_stores_are_there_it_says_what_to_type(load: Loads, hosted: Session) -> None:
    stores = hosted.settings.genomic.healthomics
    choose(hosted, healthomics={**stores.model_dump(), "variant_store": None})
    with pytest.raises(ServiceError, match="make deploy"):
        load({"early": a_file(SOUND)})
    choose(hosted, healthomics=stores.model_dump())


def test_a_table_of_the_other_backend_is_not_overwritten(load: Loads, hosted: Session) -> None:
    glue, database = hosted.client("glue"), hosted.settings.genomic.store_database
    load({"first": a_file(SOUND, samples=("FIRST",))})
    glue.delete_table(DatabaseName=database, Name="variant")
    glue.create_table(DatabaseName=database, TableInput={"Name": "variant", "StorageDescriptor": {"Columns": []}})
    with pytest.raises(ServiceError, match="delete-table"):
        load({"second": a_file(SOUND, samples=("SECOND",))})
    glue.delete_table(DatabaseName=database, Name="variant")
    load({"second": a_file(SOUND, samples=("SECOND",))})
    assert load_contract()["genomic.variant"].key
