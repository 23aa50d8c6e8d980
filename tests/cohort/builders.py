"""Rows of governed tables with defaults, and the way they get into a lake.

Example: put(lake, "clinical.patient", a_patient("p1", birth_year=1950))
"""

from typing import Any

import pyarrow as pa

from trilake.core.lakehouse.iceberg import open_table
from trilake.core.session import Session

SNOMED, LOINC = "http://snomed.info/sct", "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10, NDC, LOCAL = "http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/ndc", "urn:example:local"
Row = dict[str, Any]
ROW_KEYS = {
    "Condition": "condition_id",
    "MedicationRequest": "medication_request_id",
    "Observation": "observation_id",
}


def put(session: Session, name: str, *rows: Row) -> None:
    """The rows into `room.table`; columns left out are NULL."""
    table = open_table(session, name)
    table.append(pa.Table.from_pylist(list(rows), schema=table.schema().as_arrow()))


def a_patient(patient_id: str, **values: Any) -> Row:
    return {"patient_id": patient_id, "birth_year": 1950, "gender": "female", "is_deceased": False} | values


def an_encounter(patient_id: str, **values: Any) -> Row:
    row = {"encounter_id": f"{patient_id}-visit", "patient_id": patient_id, "status": "finished", "start_year": 2016}
    return row | values


def a_condition(patient_id: str, code: str = "26929004", **values: Any) -> Row:
    row = {"patient_id": patient_id, "code_system": SNOMED, "code": code, "verification_status": "confirmed"}
    return {"condition_id": unique(patient_id, code, values)} | row | values


def a_medication(patient_id: str, code: str = "314076", **values: Any) -> Row:
    row = {"patient_id": patient_id, "code_system": RXNORM, "code": code, "status": "active"}
    return {"medication_request_id": unique(patient_id, code, values)} | row | values


def an_observation(patient_id: str, value: float | None = None, code: str = "8480-6", **values: Any) -> Row:
    row = {
        "component_index": 0, "patient_id": patient_id, "status": "final", "code_system": LOINC, "code": code,
        "value_number": value, "value_unit": "mm[Hg]", "effective_year": 2017,
    }  # fmt: skip
    return {"observation_id": unique(patient_id, code, [value, values])} | row | values


def a_coding(row: Row, element: str, code: str, system: str, **values: Any) -> Row:
    """A further coding of a condition, a medication request or an observation."""
    kind, key = next((kind, key) for kind, key in ROW_KEYS.items() if key in row)
    own = {
        "reference": f"{kind}/{row[key]}", "element": element, "element_index": 0, "coding_index": 2,
        "resource_type": kind, "resource_id": row[key], "patient_id": row["patient_id"],
        "patient_link": "reference", "code_system": system, "code": code,
    }  # fmt: skip
    return own | values


def a_dosage(patient_id: str | None, n_alt: int | None, variant_id: str = "19-44908684-T-C", **values: Any) -> Row:
    row = {
        "sample_id": f"sample of {patient_id}", "patient_id": patient_id, "reference_genome": "GRCh38",
        "variant_id": variant_id, "rs_id": "rs429358", "gene": "APOE", "n_alt": n_alt,
        "call_status": "called" if n_alt is not None else "no_call", "n_alt_at_least": n_alt,
    }  # fmt: skip
    return row | values


def an_annotation(variant_id: str, gene: str, significance: str, release: str = "2026-06-01", **values: Any) -> Row:
    contig, position, reference, alternate = variant_id.split("-")
    row = {
        "annotation_id": variant_id, "contigname": contig, "start": int(position) - 1, "end": int(position),
        "referenceallele": reference, "alternateallele": alternate, "gene": gene,
        "clinical_significance": significance, "release": release, "reference_genome": "GRCh38",
        "variant_id": variant_id, "genes": [gene],
    }  # fmt: skip
    return row | values


def a_study(patient_id: str | None, uid: str, **values: Any) -> Row:
    return {"study_instance_uid": uid, "patient_id": patient_id, "modality": "MR", "study_year": 2017} | values


def a_series(patient_id: str | None, uid: str, **values: Any) -> Row:
    row = {"series_instance_uid": f"{uid}.1", "study_instance_uid": uid, "patient_id": patient_id, "modality": "MR"}
    return row | {"image_set_id": uid, "field_strength": 1.5} | values


def a_feature(patient_id: str | None, uid: str, value: float | None, **values: Any) -> Row:
    row = {
        "series_instance_uid": f"{uid}.1", "study_instance_uid": uid, "patient_id": patient_id, "image_set_id": uid,
        "feature": "dark_interior_volume", "value": value, "unit": "mL",
    }  # fmt: skip
    return row | values


def a_charted_study(patient_id: str, modality: str = "MR", number: int = 1) -> Row:
    return {"imaging_study_id": f"{patient_id}-{modality}-{number}", "patient_id": patient_id, "modality": modality}


def unique(*parts: Any) -> str:
    return "/".join(map(str, parts))
