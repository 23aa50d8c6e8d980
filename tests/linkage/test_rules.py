"""Each rule of linkage both ways, and random worlds against the rules in words, in whatever order rows come."""

import random
import re
from typing import Any

import pytest

from tests.lake import built_lake, lake
from tests.sql.cases import Case, run_case
from trilake.core.session import Session

__all__ = ["built_lake", "lake"]
Row = dict[str, Any]
UUID = "[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}"
NUMBERS = iter(range(900, 10_000))


def answer(lake: Session, relation: str, **given: list[Row]) -> list[Row]:
    """The relation's rows over tables that are named with two underscores for the dot."""
    tables = {name.replace("__", "."): rows for name, rows in given.items()}
    return run_case(lake, Case(relation, relation, "", tables, [], {}), next(NUMBERS)).records()


@pytest.fixture(scope="module")
def rules(lake: Session) -> list[Row]:
    return sorted(answer(lake, "linkage.rule"), key=lambda rule: rule["rule_order"])


def a_uuid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def numbered(patients: list[Row]) -> list[Row]:
    return [
        {
            "patient_id": one["patient_id"],
            "identifier_index": 1,
            "system": "here",
            "value": one["mrn"],
            "type_code": "MR",
        }
        for one in patients
    ]


def world(rule: Row, number: int) -> tuple[dict[str, list[Row]], str, str]:
    """A patient whom the rule finds, the word that leads there, and one that almost does."""
    me, kind = a_uuid(number), rule["key_kind"]
    mrn = f"{5000 + number}" if rule["form"] == "without_zeros" else f"Mrn{number}"
    found: dict[str, list[Row]] = {"patients": [{"patient_id": me, "mrn": mrn, "mrn_system": "here"}]}
    if rule["evidence"] in ("name_uuid", "file_name"):
        return found, f"Ann_Stone_{me.upper()}", f"Ann_Stone_{a_uuid(number + 5000)}"
    if kind == "patient_id":
        return found, f" {me.upper()} ", me[:-1]
    if kind == "mrn":
        return (
            (found, f"000{mrn}", f"{mrn}0") if rule["form"] == "without_zeros" else (found, f"mrn{number} ", f"0{mrn}")
        )
    if kind == "identifier":
        found["numbers"] = [{"patient_id": me, "identifier_index": 2, "system": "there", "value": f"Card{number}"}]
        return found, f"CARD{number}", f"0Card{number}"
    if kind == "specimen":
        found["specimens"] = [{"specimen_id": f"s{number}", "patient_id": me, "accession": f"Tube{number}"}]
        return found, f"TUBE{number}", f"Tube{number}a"
    found["studies"] = [
        {"imaging_study_id": f"i{number}", "series_index": 1, "patient_id": me, "study_instance_uid": f"1.2.{number}"}
    ]
    return found, f"1.2.{number}", f"1.2.{number}.1"


@pytest.fixture(scope="module")
def by_rule(lake: Session, rules: list[Row]) -> dict[tuple[int, bool], Row]:
    """(rule, whether the word fits) -> what became of the one object that says it."""
    charts: dict[str, list[Row]] = {"patients": [], "numbers": [], "specimens": [], "studies": []}
    series, variants, objects = [], [], {}
    for rule in rules:
        parts, fits, misses = world(rule, rule["rule_order"])
        for name, rows in parts.items():
            charts[name] += rows
        for word, is_fit in ((fits, True), (misses, False)):
            mark = f"9.{rule['rule_order']}.{int(is_fit)}"
            if rule["modality"] == "imaging":
                is_uid = rule["evidence"] == "study_uid"
                uid, named = (word, None) if is_uid else (mark, word)
                series.append({"study_instance_uid": uid, "series_instance_uid": mark, "dicom_patient_id": named})
                objects[rule["rule_order"], is_fit] = uid
            else:
                is_file = rule["evidence"] == "file_name"
                name, file = (f"LAB{mark}", f"{word}_dna.vcf") if is_file else (word, f"{mark}.vcf")
                variants.append({"sampleid": name, "reference_genome": "GRCh38", "source_file": file, "load_id": "l"})
                objects[rule["rule_order"], is_fit] = name
    keys = keys_of(lake, charts)
    common = {"linkage__rule": rules, "linkage__key": keys, "clinical__patient": charts["patients"]}
    rows = answer(lake, "linkage.object", imaging_store__series=series, genomic_store__variant=variants, **common)
    by_id = {row["object_id"]: row for row in rows}
    assert len(by_id) == len(rows)
    return {key: by_id[object_id] for key, object_id in objects.items()}


def keys_of(lake: Session, charts: dict[str, list[Row]]) -> list[Row]:
    return answer(
        lake,
        "linkage.key",
        clinical__patient=charts["patients"],
        clinical__patient_identifier=numbered(charts["patients"]) + charts["numbers"],
        clinical__imaging_study=charts["studies"],
        clinical__specimen=charts["specimens"],
    )


def test_each_rule_finds_its_patient_by_itself(rules: list[Row], by_rule: dict[tuple[int, bool], Row]) -> None:
    for rule in rules:
        found, patient = by_rule[rule["rule_order"], True], a_uuid(rule["rule_order"])
        assert found["link_evidence"] == f"{rule['method']}={patient}", rule["meaning"]
        is_link = rule["verdict"] == "link"
        assert found["link_verdict"] == rule["verdict"] and found["patient_id"] == (patient if is_link else None)
        assert found["link_method"] == (rule["method"] if is_link else "none")


def test_what_almost_fits_a_rule_finds_nobody(rules: list[Row], by_rule: dict[tuple[int, bool], Row]) -> None:
    for rule in rules:
        found = by_rule[rule["rule_order"], False]
        assert (found["link_verdict"], found["link_reason"], found["patient_id"]) == ("refuse", "unknown", None)


def fold(word: str) -> str:
    return word.strip(" \t\r\n\f\v\0").upper()


def judged(told: set[tuple[str, str]], rules: list[Row], keys: dict[tuple[str, str, str], set[str]]) -> tuple[str, Any]:
    """(reason, patient) by the rules in words: what comes first must name one, nothing else only others."""
    spoken: list[tuple[int, str, set[str]]] = []
    for evidence, word in told:
        for rule in rules:
            zeros = rule["form"] == "without_zeros"
            key = (word.lstrip("0") if word.isdigit() else None) if zeros else word
            people = keys.get((rule["key_kind"], rule["form"], key or "")) if rule["evidence"] == evidence else None
            if people:
                spoken.append((rule["rule_order"], rule["verdict"], people))
                break
    if not spoken:
        return "unknown", None
    first = min(order for order, _, _ in spoken)
    strongest = set().union(*(people for order, _, people in spoken if order == first))
    if len(strongest) > 1:
        return "ambiguous", None
    (patient,) = strongest
    if not all(patient in people for _, _, people in spoken):
        return "conflict", None
    worth = min((order, verdict) for order, verdict, _ in spoken)[1]
    return ("weak", None) if worth == "review" else ("agreed", patient)


def test_a_random_world_follows_the_rules_in_any_order_of_rows(lake: Session, rules: list[Row]) -> None:
    chance = random.Random(2)
    words = ["A1", "a1 ", "007", "7", "0007", "B\0", "b", "Z9", "none", "70"]
    patients = [
        {"patient_id": a_uuid(n), "mrn": chance.choice([*words, None]), "mrn_system": "here"} for n in range(1, 9)
    ]
    ids = [one["patient_id"] for one in patients]
    named = [*words, *ids, f"Ann_Lee_{ids[0]}", f"Bo_{ids[1]}_x", None]
    charts = {
        "patients": patients,
        "numbers": [
            {"patient_id": chance.choice(ids), "identifier_index": n, "system": "there", "value": chance.choice(words)}
            for n in range(9, 13)
        ],
        "studies": [
            {"imaging_study_id": f"i{n}", "patient_id": chance.choice(ids), "study_instance_uid": f"1.{uid}"}
            for n, uid in enumerate(chance.choices(range(60), k=40))
        ],
        "specimens": [],
    }
    series = [
        {"study_instance_uid": f"1.{n % 120}", "series_instance_uid": f"s{n}", "dicom_patient_id": chance.choice(named)}
        for n in range(160)
    ]
    keys = keys_of(lake, charts)
    common = {"linkage__rule": rules, "clinical__patient": patients}
    found = answer(lake, "linkage.object", imaging_store__series=series, linkage__key=keys, **common)
    for rows in (keys, series, rules):
        chance.shuffle(rows)
    again = answer(lake, "linkage.object", imaging_store__series=series, linkage__key=keys, **common)
    rules.sort(key=lambda rule: rule["rule_order"])
    assert sorted(map(repr, found)) == sorted(map(repr, again))
    by_key: dict[tuple[str, str, str], set[str]] = {}
    for row in keys:
        by_key.setdefault((row["key_kind"], row["form"], row["key"]), set()).add(row["patient_id"])
    mine = [rule for rule in rules if rule["modality"] == "imaging"]
    for row in found:
        told = {("study_uid", row["object_id"])}
        for one in series:
            if one["study_instance_uid"] == row["object_id"] and fold(one["dicom_patient_id"] or ""):
                word = fold(one["dicom_patient_id"])
                told.add(("patient_id", word))
                if match := re.fullmatch(f".+_({UUID})(?:_.*)?", word):
                    told.add(("name_uuid", match[1]))
        assert (row["link_reason"], row["patient_id"]) == judged(told, mine, by_key), told
    assert {row["link_reason"] for row in found} >= {"agreed", "ambiguous", "conflict", "unknown"}
