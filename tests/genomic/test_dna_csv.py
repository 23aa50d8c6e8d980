"""The Coherent DNA csv: what it says comes out of the VCF again, what it cannot say is not invented."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.genomic.conftest import examples, read, rows
from tests.stores import Loads, built_lake, lake, rows_of, stores
from trilake.core.quarantine import fetch_item
from trilake.core.recognise import DNA_COLUMNS, Kind, recognise
from trilake.core.session import Session
from trilake.genomic.dna_csv import convert
from trilake.genomic.importer import Importer

__all__ = ["built_lake", "lake", "stores"]
PATIENT = "11111111-aaaa-4111-8111-111111111111"
NAME = f"Ann_Stone_{PATIENT}_dna.csv"
MARKER = {
    "INDEX": "rs429358", "INDEX_PREFIX": "rs429358", "CHROMOSOME": "19", "LOCATION": "44908684", "STRAND": "1",
    "ANCESTRAL_ALLELE": "T", "VARIANT_ALLELE_LIST": "C", "GENE": "APOE", "CLINICAL_SIGNIFICANCE": "Risk Factor",
    "ALLELE": "T>C", "VARIANT": "true",
}  # fmt: skip
NOT_CARRIED = {"ALLELE": "T", "VARIANT": "false"}


def a_csv(*markers: dict[str, str]) -> str:
    """A csv as the data set has it: every marker a row, the list of alleles quoted."""
    text = io.StringIO()
    text.write(",".join(DNA_COLUMNS) + "\n")
    writer = csv.writer(text, lineterminator="\n")
    for marker in markers:
        writer.writerow([(MARKER | marker)[column] for column in DNA_COLUMNS])
    return text.getvalue()


def records(text: str) -> list[list[str]]:
    return [line.split("\t") for line in convert(text.splitlines(), NAME).lines if not line.startswith("#")]


def test_a_carried_marker_is_one_copy_for_certain():
    assert records(a_csv({})) == [
        ["19", "44908684", "rs429358", "T", "C", ".", ".", "AA=T;GENE=APOE;SIGNIFICANCE=Risk_Factor", "GT", "./1"]
    ]
    assert records(a_csv(NOT_CARRIED))[0][9] == "0/0"


@pytest.mark.parametrize(
    ("changes", "chrom", "ref", "alt", "genotype"),
    [
        ({"CHROMOSOME": "chrM"}, "MT", "T", "C", "1"),
        ({"CHROMOSOME": "Y", **NOT_CARRIED}, "Y", "T", "C", "0"),
        ({"CHROMOSOME": "x"}, "X", "T", "C", "./1"),
        ({"STRAND": "-"}, "19", "A", "G", "./1"),
        (
            {"STRAND": "-1", "ANCESTRAL_ALLELE": "TG", "VARIANT_ALLELE_LIST": "T", "ALLELE": "TG>T"},
            "19",
            "CA",
            "A",
            "./1",
        ),
        ({"VARIANT_ALLELE_LIST": "A,C,G"}, "19", "T", "A,C,G", "./2"),
        ({"VARIANT_ALLELE_LIST": "[C/G]"}, "19", "T", "C,G", "./1"),
        ({"VARIANT_ALLELE_LIST": "t, c"}, "19", "T", "C", "./1"),
        ({"VARIANT_ALLELE_LIST": "C,-"}, "19", "T", "C", "./1"),
        ({"ALLELE": ">C"}, "19", "T", "C", "./1"),
        ({"VARIANT_ALLELE_LIST": "G"}, "19", "T", "C,G", "./1"),
    ],
)
def test_forms_that_a_marker_comes_in(changes, chrom, ref, alt, genotype):
    (record,) = records(a_csv(changes))
    assert (record[0], record[3], record[4], record[9]) == (chrom, ref, alt, genotype)


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"CHROMOSOME": "25"}, "DNA_PLACE", "CHROMOSOME"),
        ({"LOCATION": "0"}, "DNA_PLACE", "LOCATION"),
        ({"LOCATION": "1e5"}, "DNA_PLACE", "LOCATION"),
        ({"STRAND": "up"}, "DNA_STRAND", "STRAND"),
        ({"ANCESTRAL_ALLELE": "-", **NOT_CARRIED}, "DNA_ALLELE", "ANCESTRAL_ALLELE"),
        ({"VARIANT_ALLELE_LIST": "-", **NOT_CARRIED}, "DNA_ALLELE", "VARIANT_ALLELE_LIST"),
        ({"ALLELE": "T>-"}, "DNA_ALLELE", "ALLELE"),
        ({"ALLELE": "T>T"}, "DNA_ALLELE", "ALLELE"),
        ({"ALLELE": "G>C"}, "DNA_CONTRADICTION", "ALLELE"),
        ({"ALLELE": "T"}, "DNA_CONTRADICTION", "VARIANT"),
        ({"VARIANT": "false"}, "DNA_CONTRADICTION", "VARIANT"),
        ({"VARIANT": "maybe"}, "DNA_CONTRADICTION", "VARIANT"),
    ],
)
def test_a_row_that_cannot_be_a_record_is_refused_with_its_line(changes, code, path):
    result = convert(a_csv({"LOCATION": "1"}, changes).splitlines(), NAME)
    (entry,) = result.refused
    (reason,) = entry["reasons"]
    assert (entry["line"], reason["code"], reason["line"], reason["path"]) == (3, code, 3, path)
    assert len(result.sources) == 1


def test_rows_of_one_marker_are_one_record_with_all_they_say():
    text = a_csv(
        {"INDEX": "rs1_1", "INDEX_PREFIX": "rs1", "VARIANT_ALLELE_LIST": "C,G", "ALLELE": "T>C", "GENE": "A"},
        {"INDEX": "rs1_2", "INDEX_PREFIX": "rs1", "VARIANT_ALLELE_LIST": "C,G", "ALLELE": "T>G", "GENE": "B"},
        {"INDEX": "rs1_3", "INDEX_PREFIX": "rs1", "VARIANT_ALLELE_LIST": "A", **NOT_CARRIED},
    )
    (record,) = records(text)
    assert (record[2], record[4], record[9]) == ("rs1", "A,C,G", "2/3")
    assert record[7] == "AA=T;GENE=A,APOE,B;SIGNIFICANCE=Risk_Factor"
    three = a_csv(*({"VARIANT_ALLELE_LIST": "A,C,G", "ALLELE": f"T>{allele}"} for allele in "ACG"))
    assert [entry["line"] for entry in convert(three.splitlines(), NAME).refused] == [2, 3, 4]


@pytest.mark.parametrize("name", ["Ann_Stone_dna.csv", f"{PATIENT}_{PATIENT.replace('1', '2')}.csv"])
def test_a_name_that_leads_to_no_single_patient_refuses_the_file(name):
    assert [fault.code for fault in convert(a_csv({}).splitlines(), name).faults] == ["DNA_PATIENT"]


def test_a_csv_is_known_by_its_column_line(tmp_path: Path):
    for text in (a_csv({}), "\ufeff" + a_csv({}), a_csv({}).replace("\n", "\r\n")):
        path = tmp_path / "any.name"
        path.write_text(text)
        assert recognise(path).kind is Kind.DNA_CSV
        assert convert(text.splitlines(), NAME).faults == []
    path.write_text("INDEX,GENE,VARIANT\n1,2,3\n")
    assert recognise(path).kind is Kind.UNRECOGNISED
    lacking = a_csv({}).replace("STRAND,", "", 1)
    assert [fault.code for fault in convert(lacking.splitlines(), NAME).faults] == ["DNA_HEADER"]


MARKERS = st.lists(
    st.tuples(
        st.sampled_from([*map(str, range(1, 23)), "X", "Y", "MT"]),
        st.integers(1, 16_569),
        st.sampled_from("ACGT"),
        st.booleans(),
        st.booleans(),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda marker: marker[:2],
)


@settings(max_examples=examples(50))
@given(markers=MARKERS)
def test_every_marker_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, markers):
    """csv -> VCF -> rows of the store: the same places and alleles; carried exactly where the csv says so."""
    truth, lines = {}, []
    for chromosome, position, ancestral, is_carried, is_minus, n_variants in markers:
        variants = [base for base in "ACGT" if base != ancestral][:n_variants]
        turn = (lambda base: {"A": "T", "C": "G", "G": "C", "T": "A"}[base]) if is_minus else (lambda base: base)
        for variant in variants:
            truth[(chromosome, position - 1, ancestral, variant)] = is_carried and variant == variants[-1]
        lines.append(
            {
                "CHROMOSOME": chromosome,
                "LOCATION": str(position),
                "STRAND": "-1" if is_minus else "1",
                "ANCESTRAL_ALLELE": turn(ancestral),
                "VARIANT_ALLELE_LIST": ",".join(map(turn, variants)),
                "ALLELE": f"{turn(ancestral)}>{turn(variants[-1])}" if is_carried else turn(ancestral),
                "VARIANT": str(is_carried).lower(),
            }
        )
    result = convert(a_csv(*lines).splitlines(), NAME)
    path = tmp_path_factory.mktemp("csv") / "a.vcf"
    path.write_text("\n".join([*result.lines, ""]))
    reading = read(path)
    found = rows(reading)
    assert (reading.faults, reading.refused, reading.warnings, result.refused) == ([], [], [], [])
    assert {
        (row["contigname"], row["start"], row["referenceallele"], row["alternatealleles"][0]): 1 in row["calls"]
        for row in found
    } == truth
    assert {row["sampleid"] for row in found} == {PATIENT}
    for row in found:
        is_single = row["contigname"] in ("Y", "MT")
        assert len(row["calls"]) == (1 if is_single else 2)
        assert (-1 in row["calls"]) == (not is_single and any(call > 0 for call in row["calls"]))


def test_a_csv_is_loaded_like_any_file_and_its_rows_are_accounted_for(stores: Session, tmp_path: Path):
    text = a_csv(
        {},
        {"LOCATION": "50", "INDEX": "rs2_1", "VARIANT_ALLELE_LIST": "C", **NOT_CARRIED},
        {"LOCATION": "50", "INDEX": "rs2_2", "VARIANT_ALLELE_LIST": "G", "ALLELE": "T>G"},
        {"LOCATION": "60", "STRAND": "?"},
    )
    load = Loads(stores, tmp_path, Importer())
    outcome = load({NAME: text.encode()})[NAME]
    assert (outcome.status, outcome.records_in, outcome.loaded, outcome.quarantined) == ("partial", 4, 3, 1)
    assert {reason.code: reason.line for reason in outcome.reasons if not reason.is_warning} == {"DNA_STRAND": 5}
    assert "DNA_ZYGOSITY" in {reason.code for reason in outcome.reasons if reason.is_warning}
    found = rows_of(stores, "genomic_store.variant", sampleid=PATIENT)
    assert {(row["start"], row["alternatealleles"][0], tuple(row["calls"])) for row in found} == {
        (44908683, "C", (-1, 1)),
        (49, "C", (-1, 2)),
        (49, "G", (-1, 1)),
    }
    (item,) = {reason.item for reason in outcome.reasons if reason.item}
    kept = fetch_item(stores, item).decode()
    assert kept.splitlines() == [text.splitlines()[0], text.splitlines()[4]]
    mended = load({f"{NAME}#5": kept.replace("?", "1").encode()})[f"{NAME}#5"]
    assert (mended.status, mended.loaded) == ("loaded", 1)
