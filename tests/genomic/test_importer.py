"""VCF files through the importer and its real Glue job: outcomes that add up, rows that are there once."""

import gzip
from pathlib import Path

import pysam
import pytest

from tests.genomic.conftest import a_vcf
from tests.stores import Loads, built_lake, lake, rows_of, stores
from trilake.core.quarantine import fetch_item
from trilake.core.session import Session
from trilake.genomic.importer import Importer

__all__ = ["built_lake", "lake", "stores"]
VARIANT = "genomic_store.variant"
META = ('##FORMAT=<ID=GT,Number=1,Type=String,Description="x">', "##contig=<ID=1>")
SOUND = "1 100 . A T 50 PASS . GT 0/1"


@pytest.fixture
def load(stores: Session, tmp_path: Path) -> Loads:
    return Loads(stores, tmp_path, Importer())


def a_file(*records: str, samples: tuple[str, ...] = ("S1",), meta: tuple[str, ...] = META) -> bytes:
    return a_vcf(*records, samples=samples, meta=meta).encode()


def a_bcf(folder: Path, text: bytes) -> bytes:
    plain, packed = folder / "plain.vcf", folder / "packed.bcf"
    plain.write_bytes(text)
    with pysam.VariantFile(str(plain)) as source, pysam.VariantFile(str(packed), "wb", header=source.header) as target:
        for record in source:
            target.write(record)
    return packed.read_bytes()


def cut(folder: Path, text: bytes) -> bytes:
    """The first two thirds of the text as BGZF."""
    with pysam.BGZFile(str(folder / "cut"), "wb") as file:
        file.write(text)
    content = (folder / "cut").read_bytes()
    return content[: len(content) * 2 // 3]


def counts(outcome) -> tuple[str, int, int, int, int]:
    return outcome.status, outcome.records_in, outcome.loaded, outcome.duplicate, outcome.quarantined


def test_files_of_any_quality_are_all_accounted_for(load: Loads, stores: Session, tmp_path: Path) -> None:
    long = a_file(*(f"1 {position} . A T 50 PASS . GT 0/1" for position in range(1, 6_000)), samples=("CUT",))
    contents = {
        "sound": gzip.compress(a_file(SOUND, "1 200 . G C 50 PASS . GT 1/1", samples=("SOUND",))),
        "mixed": a_file(
            SOUND, SOUND, "1 100 . A T 50 PASS . GT 1/1", "1 300 . A TZ 50 PASS . GT 0/1", samples=("MIXED",)
        ),
        "all bad": a_file("1 x . A T 50 PASS . GT 0/1", samples=("BAD",)),
        "two samples": a_file("1 100 . A T,C 50 PASS . GT 0/1 2|1", samples=("TWO1", "TWO2")),
        "header": a_file(SOUND, meta=("##INFO=nothing",)),
        "no header": b"#CHROM\tPOS\tID\n1\t100\n",
        "empty": a_file(samples=("NONE",)),
        "sites": a_file("1 10 7 A T,G . . CLNSIG=Benign", samples=(), meta=("##fileDate=20260301",)),
        "bcf": a_bcf(tmp_path, a_file(SOUND, samples=("BCF",))),
        "cut": cut(tmp_path, long),
    }
    outcomes = load(contents)
    n_cut = outcomes["cut"].loaded
    assert {name: counts(outcome) for name, outcome in outcomes.items()} == {
        "sound": ("loaded", 2, 2, 0, 0),
        "mixed": ("partial", 4, 1, 1, 2),
        "all bad": ("refused", 1, 0, 0, 1),
        "two samples": ("loaded", 1, 1, 0, 0),
        "header": ("refused", 1, 0, 0, 1),
        "no header": ("refused", 1, 0, 0, 1),
        "empty": ("loaded", 0, 0, 0, 0),
        "sites": ("loaded", 1, 1, 0, 0),
        "bcf": ("loaded", 1, 1, 0, 0),
        "cut": ("partial", n_cut + 1, n_cut, 0, 1),
    }
    assert 0 < n_cut < 20_000
    (reason,) = outcomes["cut"].reasons
    assert reason.code == "FILE_UNREADABLE" and reason.found.endswith(f"breaks after line {n_cut + 5}")
    assert fetch_item(stores, reason.item) == contents["cut"]
    assert [len(rows_of(stores, VARIANT, sampleid=name)) for name in ("SOUND", "MIXED", "BAD", "CUT", "BCF")] == [
        2, 1, 0, n_cut, 1,
    ]  # fmt: skip
    assert sorted((row["sampleid"], *row["alternatealleles"], *row["calls"]) for row in rows_of(
        stores, VARIANT, source_file="two samples")) == [
        ("TWO1", "C", 0, 2), ("TWO1", "T", 0, 1), ("TWO2", "C", 1, 2), ("TWO2", "T", 2, 1),
    ]  # fmt: skip
    sites = rows_of(stores, "genomic_store.annotation", source_file="sites")
    assert sorted((row["release"], *row["alternatealleles"]) for row in sites) == [
        ("2026-03-01", "G"), ("2026-03-01", "T"),
    ]  # fmt: skip


def test_a_preview_says_what_the_load_then_does_and_sends_nothing(load: Loads, stores: Session) -> None:
    contents = {
        "sound": a_file(SOUND, samples=("PREVIEW",)),
        "mixed": a_file(SOUND, "1 300 . A TZ 50 PASS . GT 0/1", samples=("PREVIEW2",)),
        "header": a_file(SOUND, meta=("##INFO=nothing",)),
    }
    load({"other": a_file(SOUND, samples=("OTHER",))})
    previewed = load(contents, preview=True)
    assert rows_of(stores, VARIANT, sampleid="PREVIEW") == []
    loaded = load(contents)
    assert {name: counts(outcome) for name, outcome in previewed.items()} == {
        name: counts(outcome) for name, outcome in loaded.items()
    }


def test_each_refused_record_is_an_item_that_loads_alone_when_mended(load: Loads, stores: Session) -> None:
    broken = ("1 300 . A TZ 50 PASS . GT 0/1:9", "1 400 . G C 50 PASS SRC=M\udcfcller GT 0/1")
    text = a_vcf(SOUND, *broken, samples=("MEND",), meta=META).encode(errors="surrogateescape")
    outcome = load({"mend": text})["mend"]
    items = sorted({reason.item for reason in outcome.reasons}, key=lambda item: int(item.rsplit(".", 1)[1]))
    assert [item.rsplit(".", 1)[1] for item in items] == ["7", "8"]
    assert {(reason.code, reason.line) for reason in outcome.reasons} == {
        ("VCF_ALT", 7), ("VCF_SAMPLE", 7), ("VCF_ENCODING", 8),
    }  # fmt: skip
    kept = [fetch_item(stores, item) for item in items]
    again = load({f"mend#{number}": data for number, data in enumerate(kept)})
    assert [counts(outcome) for outcome in again.values()] == [("refused", 1, 0, 0, 1)] * 2
    mended = [data.replace(b"TZ", b"T").replace(b":9", b"").replace(b"\xfc", b"ue") for data in kept]
    outcomes = load({f"mend#{number}": data for number, data in enumerate(mended)})
    assert [counts(outcome) for outcome in outcomes.values()] == [("loaded", 1, 1, 0, 0)] * 2
    assert sorted(row["start"] for row in rows_of(stores, VARIANT, sampleid="MEND")) == [99, 299, 399]


def test_a_second_load_of_the_same_content_leaves_one_row(load: Loads, stores: Session) -> None:
    sites = a_file("1 10 7 A T . . CLNSIG=Benign", samples=(), meta=("##fileDate=20260401",))
    contents = {"again": a_file(SOUND, samples=("AGAIN",)), "sites again": sites}
    for _ in range(2):
        assert [counts(outcome) for outcome in load(contents).values()] == [("loaded", 1, 1, 0, 0)] * 2
    (row,) = rows_of(stores, VARIANT, sampleid="AGAIN")
    assert row["load_id"] == f"{Loads.number:06d}-run"
    assert len(rows_of(stores, "genomic_store.annotation", source_file="sites again")) == 1


def test_a_file_takes_the_place_of_its_own_samples_under_its_own_name_only(load: Loads, stores: Session) -> None:
    first = a_file("1 100 . A T 50 PASS . GT 0/1 0/1", "1 200 . A T 50 PASS . GT 0/1 0/1", samples=("P1", "P2"))
    load({"calls.vcf": first, "other.vcf": a_file("1 500 . A T 50 PASS . GT 1/1", samples=("P1",))})
    load({"calls.vcf": a_file("1 100 . A T 50 PASS . GT 0/1", samples=("P3",))})
    assert found(stores, "P1", "P2", "P3") == {
        ("P1", 99, "calls.vcf"), ("P1", 199, "calls.vcf"), ("P1", 499, "other.vcf"),
        ("P2", 99, "calls.vcf"), ("P2", 199, "calls.vcf"), ("P3", 99, "calls.vcf"),
    }  # fmt: skip
    load({"calls.vcf": a_file("1 100 . A T 50 PASS . GT 1/1 0/1", samples=("P1", "P2"))})
    assert found(stores, "P1", "P2", "P3") == {
        ("P1", 99, "calls.vcf"), ("P1", 499, "other.vcf"), ("P2", 99, "calls.vcf"), ("P3", 99, "calls.vcf"),
    }  # fmt: skip
    assert [row["calls"] for row in rows_of(stores, VARIANT, sampleid="P1", start=99)] == [[1, 1]]


def found(session: Session, *samples: str) -> set[tuple[str, int, str]]:
    rows = [row for sample in samples for row in rows_of(session, VARIANT, sampleid=sample)]
    assert len(rows) == len({(row["sampleid"], row["start"]) for row in rows})
    return {(row["sampleid"], row["start"], row["source_file"]) for row in rows}


def test_a_newer_release_stands_beside_the_older_one(load: Loads, stores: Session) -> None:
    for date in ("20260101", "20260201"):
        load({"clinvar.vcf": a_file("1 10 7 A T . . CLNSIG=Benign", samples=(), meta=(f"##fileDate={date}",))})
    rows = rows_of(stores, "genomic_store.annotation", source_file="clinvar.vcf")
    assert sorted(row["release"] for row in rows) == ["2026-01-01", "2026-02-01"]


def test_a_sample_name_in_two_files_of_a_load_is_remarked_on_both(load: Loads) -> None:
    both = SOUND + " 0/0"
    outcomes = load({"a.vcf": a_file(SOUND, samples=("TWICE",)), "b.vcf": a_file(both, samples=("TWICE", "ONCE"))})
    remarks = [
        [one.found for one in outcome.reasons if one.code == "VCF_SAMPLE_SHARED"] for outcome in outcomes.values()
    ]
    assert remarks == [["also in 1 other files of the load"]] * 2
    assert [outcome.status for outcome in outcomes.values()] == ["loaded", "loaded"]


def test_a_reference_normalises_what_is_loaded_and_a_name_of_an_earlier_load_is_remarked(
    load: Loads, stores: Session, tmp_path: Path
) -> None:
    reference = tmp_path / "reference.fa"
    reference.write_text(">chr1\nGGAAAA\nCT\n")
    records = ("1 5 . AA A 50 PASS . GT 0/1", "1 7 . G T 50 PASS . GT 0/1")
    outcome = load({"normal": a_file(*records, samples=("REF1",))}, reference=reference)["normal"]
    assert counts(outcome) == ("partial", 2, 1, 0, 1)
    assert [reason.code for reason in outcome.reasons if not reason.is_warning] == ["VCF_REF_MISMATCH"]
    (row,) = rows_of(stores, VARIANT, sampleid="REF1")
    assert (row["start"], row["referenceallele"], row["alternatealleles"]) == (1, "GA", ["G"])
    again = load({"other name": a_file(SOUND, samples=("REF1",))})["other name"]
    assert "VCF_SAMPLE_SHARED" in {reason.code for reason in again.reasons}
