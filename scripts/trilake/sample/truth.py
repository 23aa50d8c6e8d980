"""The truth in tables: one row per patient, outcome, allele, scan and link; and the best possible AUC of each outcome.

The best possible AUC is what no honest model can beat: a large population is drawn from the
same latent model, and the score of a set of modalities is the expected log odds given its features (linear in this
model, so least squares finds it); cases and controls are weighted by true probabilities, so no label noise enters.

Example: patient_row(person)["site_id"]; bayes_auc()["stroke"]["all"]
"""

from collections.abc import Iterator
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa

from trilake.sample.clinvar import annotated_on_panel
from trilake.sample.dicom import volume_ml
from trilake.sample.fhir_style import BUNDLE, NDJSON
from trilake.sample.keys import resource_id
from trilake.sample.latent import INDEX_DATE, MODALITIES, OUTCOMES, Floats, Latent, draw
from trilake.sample.panel import SITES
from trilake.sample.phantom import Rendered
from trilake.sample.record import Person, Scan, Sequencing
from trilake.sample.scans import Form

Row = dict[str, Any]

_TRAITS = ("age", "bmi", "sbp", "dbp", "ldl", "cholesterol", "hba1c", "ventricle", "brain")
_NOTICE = {"notice": "Synthetic data, not from persons; not clinical evidence"}


def _schema(fields: dict[str, pa.DataType]) -> pa.Schema:
    return pa.schema(list(fields.items()), metadata=_NOTICE)


_TEXT, _FLAG, _REAL = pa.string(), pa.bool_(), pa.float64()

SCHEMAS: dict[str, pa.Schema] = {
    "patients": _schema(
        {
            "patient_id": _TEXT, "mrn": _TEXT, "given_name": _TEXT, "family_name": _TEXT, "gender": _TEXT,
            "birth_date": pa.date32(), "postcode": _TEXT, "city": _TEXT, "site_id": _TEXT, "is_deceased": _FLAG,
            "consent_case": _TEXT, "consent_research": _FLAG, "consent_genomic": _FLAG, "consent_imaging": _FLAG,
            "has_vcf": _FLAG, "has_mr": _FLAG, "has_mr_before_index": _FLAG, "has_all_three": _FLAG,
            "writer": _TEXT, "chart_file": _TEXT, "scanner": _TEXT, "smoking_code": _TEXT,
            "last_visit_before_index": pa.date32(), **{f"true_{name}": _REAL for name in _TRAITS},
        }
    ),
    "outcomes": _schema(
        {
            "patient_id": _TEXT, "outcome": _TEXT, "label": _FLAG, "probability": _REAL, "onset_date": pa.date32(),
            "onset_recorded": _TEXT, "recorded_date": pa.date32(), "is_before_index": _FLAG, "code": _TEXT,
            "condition_id": _TEXT, "has_refuted_code": _FLAG,
        }
    ),
    "genotypes": _schema(
        {
            "sample_id": _TEXT, "patient_id": _TEXT, "file": _TEXT, "variant_id": _TEXT, "rs_id": _TEXT,
            "n_alt": pa.int8(), "call_status": _TEXT, "is_annotated": _FLAG,
        }
    ),
    "volumes": _schema(
        {
            "study_instance_uid": _TEXT, "series_instance_uid": _TEXT, "patient_id": _TEXT, "study_date": pa.date32(),
            "is_follow_up": _FLAG, "scanner": _TEXT, "ventricle_ml": _REAL, "brain_ml": _REAL,
            "rendered_ventricle_ml": _REAL, "rendered_brain_ml": _REAL, "form": _TEXT,
            "segmented_ventricle_ml": _REAL, "segmented_brain_ml": _REAL,
        }
    ),
    "links": _schema(
        {
            "object": _TEXT, "kind": _TEXT, "name_in_file": _TEXT, "patient_id": _TEXT, "method": _TEXT,
            "verdict": _TEXT, "case": _TEXT, "reason": _TEXT, "candidates": pa.list_(_TEXT),
        }
    ),
}  # fmt: skip


def patient_row(person: Person) -> Row:
    """The patient as the governed tables should show them, and the traits behind."""
    who, name, consent = person.identity, person.identity.official, person.consent
    files = [scan for scan in person.scans if scan.has_file]
    before = [visit.start.date() for visit in person.visits if visit.start.date() < INDEX_DATE]
    return {
        "patient_id": who.patient_id,
        "mrn": who.mrn,
        "given_name": name.given,
        "family_name": name.family,
        "gender": who.gender,
        "birth_date": who.birth_date,
        "postcode": who.address.postcode,
        "city": who.address.city,
        "site_id": who.site_id,
        "is_deceased": who.deceased_at is not None,
        "consent_case": consent.case,
        "consent_research": consent.research,
        "consent_genomic": consent.genomic,
        "consent_imaging": consent.imaging,
        "has_vcf": person.sequencing is not None,
        "has_mr": bool(files),
        "has_mr_before_index": any(scan.at.date() < INDEX_DATE for scan in files),
        "has_all_three": bool(files) and person.sequencing is not None,
        "writer": "bundle" if person.is_bundle else "ndjson",
        "chart_file": f"fhir/bundles/{who.file_stem}.json" if person.is_bundle else "fhir/ndjson/Patient.ndjson",
        "scanner": files[0].scanner.name if files else None,
        "smoking_code": person.smoking.code,
        "last_visit_before_index": max(before),
        **{f"true_{trait}": person.traits[trait] for trait in _TRAITS},
    }


def outcome_rows(person: Person) -> Iterator[Row]:
    """One row per outcome, case or not."""
    style = BUNDLE if person.is_bundle else NDJSON
    for outcome in OUTCOMES:
        case = person.case_of(outcome)
        row: Row = {
            "patient_id": person.patient_id,
            "outcome": outcome,
            "label": person.labels[outcome],
            "probability": person.probabilities[outcome],
            "has_refuted_code": any(d.outcome == outcome and not d.is_confirmed for d in person.diagnoses),
        }
        if case:
            row |= {
                "onset_date": case.onset.date(),
                "onset_recorded": style.onset(case.onset, is_year_only=case.is_year_only),
                "recorded_date": case.recorded.date(),
                "is_before_index": case.onset.date() < INDEX_DATE,
                "code": case.concept.code,
                "condition_id": resource_id(person.patient_id, f"Condition/{case.key}"),
            }
        yield row


def genotype_rows(sequencing: Sequencing) -> Iterator[Row]:
    """One row per alternate allele of the panel; reference-only rows have no allele and no row here."""
    annotated = annotated_on_panel()
    for i, site in enumerate(SITES):
        call = sequencing.calls[i]
        status = "no_call" if call[0] < 0 else "filtered" if sequencing.is_filtered[i] else "called"
        for number, alt in enumerate(site.alts, start=1):
            variant_id = site.variant_id(alt)
            yield {
                "sample_id": sequencing.sample_id,
                "patient_id": sequencing.patient_id,
                "file": f"vcf/{sequencing.file_name}",
                "variant_id": variant_id,
                "rs_id": site.rs_id,
                "n_alt": int((call == number).sum()) if status == "called" else None,
                "call_status": status,
                "is_annotated": variant_id in annotated,
            }


def volume_row(scan: Scan, rendered: Rendered, form: Form) -> Row:
    """True volumes of the person, and what the pixels show after the scanner's bias."""
    return {
        "study_instance_uid": scan.study_uid,
        "series_instance_uid": scan.series_uid,
        "patient_id": scan.patient_id,
        "study_date": scan.at.date(),
        "is_follow_up": scan.is_follow_up,
        "scanner": scan.scanner.name,
        "ventricle_ml": scan.ventricle_ml,
        "brain_ml": scan.brain_ml,
        "rendered_ventricle_ml": rendered.ventricle_ml,
        "rendered_brain_ml": rendered.brain_ml,
        "form": form.name,
        "segmented_ventricle_ml": volume_ml(scan, rendered.ventricle) if form.has_segmentation else None,
        "segmented_brain_ml": volume_ml(scan, rendered.brain) if form.has_segmentation else None,
    }


def sample_link(sequencing: Sequencing) -> Row:
    """How a VCF leads to its patient."""
    return _link(f"vcf/{sequencing.file_name}", "sample", sequencing.sample_id, sequencing)


def study_link(scan: Scan) -> Row:
    """How a study leads to its patient: by its UID in the chart first, else by the MRN."""
    return _link(scan.study_uid, "study" if scan.has_file else "study_without_file", scan.dicom_patient_id, scan)


def _link(what: str, kind: str, name: str, link: Sequencing | Scan) -> Row:
    verdict = "no_file" if kind == "study_without_file" else "link" if link.patient_id else "refuse"
    return {
        "object": what,
        "kind": kind,
        "name_in_file": name,
        "patient_id": link.patient_id,
        "method": link.link_method,
        "verdict": verdict,
        "case": {"link": link.link_method, "refuse": "orphan"}.get(verdict, verdict),
        "reason": {"link": "agreed", "refuse": "unknown"}.get(verdict),
        "candidates": [link.patient_id] if link.patient_id else [],
    }


N_PEOPLE = 100_000
_SEED = 411


@cache
def bayes_auc() -> dict[str, dict[str, float]]:
    """Outcome -> modality set (`clinical`, `clinical+genomic`, ..., `all`) -> AUC to three digits."""
    people = draw(np.random.default_rng(_SEED), N_PEOPLE)
    return {name: {label: round(_auc_of(people, name, names), 3) for label, names in _sets()} for name in OUTCOMES}


def auc(score: Floats, probability: Floats) -> float:
    """Chance that a random case outscores a random control, each person being a case with `probability`; ties half."""
    # Scores that differ by rounding alone are ties.
    _, group = np.unique(np.round(score, 9), return_inverse=True)
    cases = np.bincount(group, weights=probability)
    controls = np.bincount(group, weights=1.0 - probability)
    below = np.cumsum(controls) - controls
    return float((cases * (below + controls / 2)).sum() / (cases.sum() * controls.sum()))


def _sets() -> list[tuple[str, tuple[str, ...]]]:
    names = list(MODALITIES)
    chosen = [group for size in range(1, len(names) + 1) for group in combinations(names, size)]
    return [("all" if len(group) == len(names) else "+".join(group), group) for group in chosen]


def _auc_of(people: Latent, outcome: str, modalities: tuple[str, ...]) -> float:
    columns = [people.features[name] for modality in modalities for name in MODALITIES[modality]]
    matrix = np.column_stack([np.ones(N_PEOPLE), *columns])
    probability = people.probabilities[outcome]
    log_odds = np.log(probability / (1.0 - probability))
    weights, *_ = np.linalg.lstsq(matrix, log_odds, rcond=None)
    return auc(matrix @ weights, probability)
