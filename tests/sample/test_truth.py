"""The truth agrees with the files, each fact found again from the files by another road."""

import hashlib
from collections import Counter, defaultdict

import pydicom
import pysam
import pytest

from trilake.sample.latent import OUTCOMES

CONSENT = "https://trilake.example/consent"


def patient_of(resource) -> str:
    owner = resource.get("subject") or resource["patient"]
    return owner["reference"].removeprefix("urn:uuid:").removeprefix("Patient/")


@pytest.fixture(scope="module")
def patients(written) -> dict[str, dict]:
    return {row["patient_id"]: row for row in written.table("patients")}


@pytest.fixture(scope="module")
def cases(written) -> dict[str, set[str]]:
    """Outcome to patients, from the charts: a confirmed condition with a code of the value set."""
    members = defaultdict(set)
    for condition in written.of_type("Condition"):
        for outcome in OUTCOMES.values():
            is_confirmed = condition["verificationStatus"]["coding"][0]["code"] == "confirmed"
            if is_confirmed and condition["code"]["coding"][0]["code"] in outcome.value_set:
                members[outcome.name].add(patient_of(condition))
    return members


@pytest.fixture(scope="module")
def linked(written, patients) -> dict[str, tuple[str | None, str]]:
    """File or study to (patient, method), from names, MRNs and UIDs in the files."""
    by_mrn = {row["mrn"]: row["patient_id"] for row in patients.values()}
    charted = {
        study["identifier"][0]["value"].removeprefix("urn:oid:"): patient_of(study)
        for study in written.of_type("ImagingStudy")
    }
    members = {}
    for path in (written.out / "vcf").iterdir():
        with pysam.VariantFile(str(path)) as file:
            sample = file.header.samples[0]
        in_name = path.name.removesuffix("_dna.vcf.gz").split("_")[-1]
        if sample in patients:
            link = (sample, "uuid")
        elif sample in by_mrn:
            link = (by_mrn[sample], "mrn")
        else:
            link = (in_name, "file_name") if in_name in patients else (None, "none")
        members[f"vcf/{path.name}"] = link
    for path in (written.out / "dicom").rglob("1.dcm"):
        image = pydicom.dcmread(path, stop_before_pixels=True)
        uid, name = str(image.StudyInstanceUID), str(image.PatientID)
        by_name = (by_mrn[name], "mrn") if name in by_mrn else (None, "none")
        members[uid] = (charted[uid], "study_uid") if uid in charted else by_name
    return members


def test_links(written, linked) -> None:
    rows = [row for row in written.table("links") if row["kind"] != "study_without_file"]
    assert {row["object"]: (row["patient_id"], row["method"]) for row in rows} == linked
    assert all((row["verdict"] == "link") == (row["patient_id"] is not None) for row in rows)
    methods = Counter((row["kind"], row["method"]) for row in rows)
    assert methods["sample", "none"] == methods["study", "none"] == 2
    assert min(methods[kind] for kind in [("sample", "mrn"), ("sample", "file_name"), ("study", "mrn")]) >= 1
    assert methods["sample", "uuid"] > 40 and methods["study", "study_uid"] > 40


def test_charts_know_studies_that_have_no_file(written, linked) -> None:
    charted = {s["identifier"][0]["value"].removeprefix("urn:oid:") for s in written.of_type("ImagingStudy")}
    without = {row["object"] for row in written.table("links") if row["kind"] == "study_without_file"}
    assert charted - set(linked) == without
    assert len(without) >= 4


def test_presence(written, patients, linked) -> None:
    for prefix, column in (("vcf/", "has_vcf"), ("2.25.", "has_mr")):
        with_files = {patient for name, (patient, _) in linked.items() if name.startswith(prefix)} - {None}
        assert with_files == {key for key, row in patients.items() if row[column]}
    all_three = [row for row in patients.values() if row["has_vcf"] and row["has_mr"]]
    assert [row for row in patients.values() if row["has_all_three"]] == all_three


def test_identities(written, patients) -> None:
    for found in written.of_type("Patient"):
        row = patients[found["id"]]
        official = next(name for name in found["name"] if name["use"] == "official")
        assert (official["given"][0], official["family"]) == (row["given_name"], row["family_name"])
        assert found["identifier"][1]["value"] == row["mrn"]
        assert found["birthDate"] == row["birth_date"].isoformat()
        assert found["managingOrganization"]["identifier"]["value"] == row["site_id"]
        assert ("deceasedDateTime" in found) == row["is_deceased"]
        assert (found["address"][0]["postalCode"], found["gender"]) == (row["postcode"], row["gender"])


def test_consents(written, patients) -> None:
    seen = Counter()
    for consent in written.of_type("Consent"):
        permits = consent["status"] == "active" and consent["provision"]["type"] == "permit"
        parts = {
            coding["code"]: part["type"] == "permit"
            for part in consent["provision"]["provision"]
            for coding in part["code"][0]["coding"]
            if coding["system"] == CONSENT
        }
        row = patients[patient_of(consent)]
        expected = (row["consent_research"], row["consent_genomic"], row["consent_imaging"])
        assert expected == (permits, permits and parts["genomic"], permits and parts["imaging"])
        seen[patient_of(consent)] += 1
    assert set(seen.values()) == {1} and len(seen) == 100
    assert Counter(row["consent_case"] for row in patients.values()) == {
        "permits_all": 62, "refuses_research": 16, "refuses_genomic": 8, "refuses_imaging": 8, "withdrawn": 6
    }  # fmt: skip


def test_outcomes(written, cases) -> None:
    conditions = {condition["id"]: condition for condition in written.of_type("Condition")}
    rows = written.table("outcomes")
    assert len(rows) == 500
    for row in rows:
        assert row["label"] == (row["patient_id"] in cases[row["outcome"]])
        if row["label"]:
            condition = conditions[row["condition_id"]]
            assert condition["onsetDateTime"] == row["onset_recorded"]
            assert condition["code"]["coding"][0]["code"] == row["code"]
            assert row["onset_recorded"][:4] == str(row["onset_date"].year)
            assert row["is_before_index"] == (row["onset_date"].year < 2019)
        else:
            assert row["onset_date"] is row["condition_id"] is None
    precisions = Counter(len(row["onset_recorded"]) for row in rows if row["label"])
    assert set(precisions) == {4, 10, 25}
    assert precisions[4] < 25
    assert sum(row["has_refuted_code"] for row in rows) >= 2
    assert not any(row["has_refuted_code"] and row["label"] for row in rows)


def answer(ids: set[str]) -> dict:
    return {
        "n_patients": len(ids),
        "sha256_of_sorted_patient_ids": hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest(),
    }


def test_cohorts(written, patients, cases, linked) -> None:
    questions = {question["name"]: question for question in written.document("cohorts")}
    carriers = {
        row["patient_id"]
        for row in written.table("genotypes")
        if row["rs_id"] == "rs429358" and (row["n_alt"] or 0) >= 1 and row["patient_id"]
    }
    with_mr = {patient for name, (patient, _) in linked.items() if name.startswith("2.25.") and patient}
    with_vcf = {patient for name, (patient, _) in linked.items() if name.startswith("vcf/") and patient}
    high = {
        patient_of(o)
        for o in written.of_type("Observation")
        if o["code"]["coding"][0]["code"] == "85354-9"
        and o["effectiveDateTime"] < "2019"
        and o["component"][0]["valueQuantity"]["value"] >= 140
    }
    demented = cases["alzheimers_disease"]
    expected = {
        "hypertension_recorded": cases["hypertension"],
        "high_systolic_before_index": high,
        "apoe_e4_carriers": carriers,
        "alzheimers_and_e4": demented & carriers,
        "alzheimers_with_mr": demented & with_mr,
        "all_three_modalities": with_vcf & with_mr,
    }
    for name, ids in expected.items():
        question = questions[name]
        research = {key for key in ids if patients[key]["consent_research"]}
        kinds = [f"consent_{kind}" for kind in question["modalities"] if kind != "clinical"]
        full = {key for key in research if all(patients[key][kind] for kind in kinds)}
        assert question["answers"] == {
            "all": answer(ids),
            "consented_to_research": answer(research),
            "consented_to_all_its_data": answer(full),
        }
    assert len(questions) >= 8
    assert {len(question["modalities"]) for question in questions.values()} == {1, 2, 3}
    assert all(len(question["criteria"]) == len(question["all_of"]) for question in questions.values())


def test_counts(written) -> None:
    counts = written.document("counts")
    assert counts["fhir"] == dict(Counter(resource["resourceType"] for resource in written.resources))
    components = sum(len(o.get("component", ())) for o in written.of_type("Observation"))
    members = sum(len(team["participant"]) for team in written.of_type("CareTeam"))
    results = sum(len(report.get("result", ())) for report in written.of_type("DiagnosticReport"))
    rows = counts["governed_rows"]
    assert rows["clinical.observation"] == counts["fhir"]["Observation"] + components
    assert (rows["clinical.care_team"], rows["clinical.report_result"]) == (members, results)
    assert rows["clinical.site"] == counts["fhir"]["Organization"] == 3
    assert rows["imaging.instance"] == len(list((written.out / "dicom").rglob("*.dcm")))
    n_samples = len(list((written.out / "vcf").iterdir()))
    assert rows["genomic.variant"] == n_samples * 148
    annotated = {row["variant_id"] for row in written.table("genotypes") if row["is_annotated"]}
    assert rows["genomic.dosage"] == n_samples * len(annotated)
    assert sum(found["n_files"] for found in counts["files"].values()) == written.result["n_files"]


def test_the_sample_is_small(written) -> None:
    assert 12e6 < written.result["n_bytes"] < 20e6
