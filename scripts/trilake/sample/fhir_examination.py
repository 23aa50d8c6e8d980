"""Observations of every kind of value that FHIR R4 has, and the specimen of a sample: what an examination leaves.

Reads latent records; writes nothing. Make target: sample. Example: [o["id"] for o in examination(person, NDJSON)]
"""

from collections.abc import Iterator
from datetime import timedelta

from trilake.sample.fhir_chart import begin, encounter_of, subject_of
from trilake.sample.fhir_style import LOINC_SYSTEM, SNOMED, UCUM, Resource, Style, coded, term
from trilake.sample.record import Concept, Person, Visit

SPECIMEN_SYSTEM = "https://trilake.example/specimen"
YEAR = 2022
"""After the index date: nothing here is a feature."""


def examination(person: Person, style: Style) -> Iterator[Resource]:
    """One observation per kind of value; none for those who were not examined."""
    visit = next((one for one in person.visits if one.kind == "checkup" and one.start.year == YEAR), None)
    if visit is None or not person.background.is_examined:
        return
    day, later = style.instant(visit.start), style.instant(visit.start + timedelta(minutes=10))
    values: dict[str, tuple[Concept, Resource]] = {
        "pregnant": (Concept("82810-3", "Pregnancy status"), {"valueBoolean": False}),
        "pain": (Concept("72514-3", "Pain severity - 0-10 verbal numeric rating"), {"valueInteger": 2}),
        "meal": (Concept("49541-6", "Fasting status - Reported"), {"valueDateTime": day}),
        "bedtime": (Concept("65551-1", "Usual bedtime"), {"valueTime": "22:30:00"}),
        "rest": (Concept("93832-4", "Sleep duration"), {"valuePeriod": {"start": day, "end": later}}),
        "stress": (Concept("76542-0", "Tolerated load"), {"valueRange": {"low": _watt(75), "high": _watt(125)}}),
        "titre": (
            Concept("5048-7", "Nuclear Ab [Titer] in Serum"),
            {"valueRatio": {"numerator": _quantity(1, "{titer}"), "denominator": _quantity(40, "{titer}")}},
        ),
        "ecg": (
            Concept("11524-6", "EKG study"),
            {"valueSampledData": {"origin": _quantity(2048, "uV"), "period": 10, "dimensions": 1, "data": "0 3 E 2"}},
        ),
        "remark": (Concept("8251-1", "Comment"), {"valueString": "Synthetic remark."}),
        "crp": (
            Concept("1988-5", "C reactive protein"),
            {"valueQuantity": {**_quantity(3, "mg/L"), "comparator": "<"}},
        ),
        "vision": (
            Concept("98499-7", "Visual acuity"),
            {"dataAbsentReason": term("data-absent-reason", "not-performed", "Not Performed")},
        ),
    }
    for key, (concept, value) in values.items():
        when = {"effectivePeriod": {"start": day, "end": later}} if key == "ecg" else {"effectiveDateTime": day}
        yield {**_about(person, visit, key, concept, style), **when, **value, **_extra(key, later)}


def specimen(person: Person, style: Style) -> Iterator[Resource]:
    """The blood that a person's VCF was made of, taken on the first visit; its numbers lead to nothing else."""
    if person.sequencing is None:
        return
    taken = person.visits[0].start
    yield {
        **begin("Specimen", person, "blood", style),
        "identifier": [{"system": SPECIMEN_SYSTEM, "value": f"TUBE{person.index:07d}"}],
        "accessionIdentifier": {"system": SPECIMEN_SYSTEM, "value": f"SPC{person.index:07d}"},
        "status": "available",
        "type": coded(SNOMED, Concept("119297000", "Blood specimen (specimen)")),
        "subject": subject_of(person, style),
        "receivedTime": style.instant(taken + timedelta(hours=3)),
        "collection": {"collectedDateTime": style.instant(taken)},
    }


def _about(person: Person, visit: Visit, key: str, concept: Concept, style: Style) -> Resource:
    return {
        **begin("Observation", person, f"{visit.key}/{key}", style),
        "status": "final",
        "category": [term("observation-category", "exam", "Exam")],
        "code": coded(LOINC_SYSTEM, concept),
        "subject": subject_of(person, style),
        "encounter": encounter_of(person, visit.key, style),
    }


def _extra(key: str, later: str) -> Resource:
    """What only some observations carry."""
    if key == "crp":
        return {
            "issued": later,
            "interpretation": [term("v3-ObservationInterpretation", "N", "Normal")],
            "referenceRange": [{"low": _quantity(0, "mg/L"), "high": _quantity(5, "mg/L"), "text": "below 5 mg/L"}],
            "method": coded(SNOMED, Concept("702658000", "Immunoturbidimetric assay (procedure)")),
        }
    if key == "ecg":
        return {"bodySite": coded(SNOMED, Concept("51185008", "Thoracic structure (body structure)"))}
    return {}


def _quantity(value: float, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def _below(value: float, unit: str) -> Resource:
    return {**_quantity(value, unit), "comparator": "<"}


def _watt(value: float) -> Resource:
    return _quantity(value, "W")
