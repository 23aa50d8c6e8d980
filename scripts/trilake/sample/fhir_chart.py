"""FHIR R4 resources about what happened: Encounter, Condition, Observation, MedicationRequest, Procedure,
ImagingStudy, DocumentReference.

Reads latent records; writes nothing. Make target: sample. Example: list(chart(person, NDJSON))
"""

import base64
from collections.abc import Iterator
from datetime import timedelta

from trilake.sample.fhir_style import LOINC_SYSTEM, RXNORM, SNOMED, TERMINOLOGY, UCUM, Resource, Style, coded, term
from trilake.sample.keys import resource_id
from trilake.sample.record import Concept, Diagnosis, Measurement, Note, Person, Scan, Treatment, Visit
from trilake.sample.vocabulary import ENCOUNTERS, LOINC

MR_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.4"
CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
_MODALITY = {"MR": ("Magnetic Resonance", MR_IMAGE_STORAGE), "CT": ("Computed Tomography", CT_IMAGE_STORAGE)}
_BRAIN = {"system": SNOMED, "code": "12738006", "display": "Brain structure (body structure)"}
_CATEGORY = {"vital-signs": "Vital Signs", "laboratory": "Laboratory", "social-history": "Social History"}


def chart(person: Person, style: Style) -> Iterator[Resource]:
    """All resources of the person's history, encounters first."""
    for visit in person.visits:
        yield encounter(person, visit, style)
    for diagnosis in person.diagnoses:
        yield condition(person, diagnosis, style)
    for visit in person.visits:
        for measurement in visit.measurements:
            yield observation(person, visit, measurement, style)
    for treatment in person.treatments:
        builder = medication_request if treatment.kind == "medication" else procedure
        yield builder(person, treatment, style)
    for scan in person.scans:
        if scan.in_chart:
            yield imaging_study(person, scan, style)
    for note in person.notes:
        yield document(person, note, style)


def _begin(kind: str, person: Person, key: str, style: Style) -> Resource:
    return {"resourceType": kind, "id": resource_id(person.patient_id, f"{kind}/{key}"), "meta": style.meta()}


def _subject(person: Person, style: Style) -> Resource:
    return style.reference("Patient", person.patient_id)


def _encounter_of(person: Person, visit_key: str, style: Style) -> Resource:
    return style.reference("Encounter", resource_id(person.patient_id, f"Encounter/{visit_key}"))


def _practitioner(person: Person, style: Style) -> Resource:
    return style.practitioner(person.identity.site_id, person.identity.practitioner)


def encounter(person: Person, visit: Visit, style: Style) -> Resource:
    """A finished Encounter."""
    class_code, class_display, kind = ENCOUNTERS[visit.kind]
    end = visit.start + timedelta(minutes=visit.minutes)
    found = {
        **_begin("Encounter", person, visit.key, style),
        "status": "finished",
        "class": {"system": f"{TERMINOLOGY}/v3-ActCode", "code": class_code, "display": class_display},
        "type": [coded(SNOMED, kind)],
        "subject": _subject(person, style),
        "participant": [{"individual": _practitioner(person, style)}],
        "period": {"start": style.instant(visit.start), "end": style.instant(end)},
    }
    if visit.reason:
        found["reasonCode"] = [coded(SNOMED, visit.reason, text=False)]
    found["serviceProvider"] = style.organization(person.identity.site_id)
    return found


def condition(person: Person, diagnosis: Diagnosis, style: Style) -> Resource:
    """A problem of the list; refuted ones are inactive."""
    if not diagnosis.is_confirmed:
        status = ("inactive", "Inactive")
    else:
        status = ("resolved", "Resolved") if diagnosis.abated else ("active", "Active")
    found = {
        **_begin("Condition", person, diagnosis.key, style),
        "clinicalStatus": term("condition-clinical", *status),
        "verificationStatus": term("condition-ver-status", diagnosis.verification, diagnosis.verification.capitalize()),
        "category": [term("condition-category", "problem-list-item", "Problem List Item")],
        "code": coded(SNOMED, diagnosis.concept),
        "subject": _subject(person, style),
        "encounter": _encounter_of(person, diagnosis.visit_key, style),
        "onsetDateTime": style.onset(diagnosis.onset, is_year_only=diagnosis.is_year_only),
    }
    if diagnosis.abated:
        found["abatementDateTime"] = style.instant(diagnosis.abated)
    found["recordedDate"] = style.instant(diagnosis.recorded)
    return found


def observation(person: Person, visit: Visit, measurement: Measurement, style: Style) -> Resource:
    """A final Observation: one value, two components for blood pressure, or a code."""
    about = LOINC[measurement.name]
    found = {
        **_begin("Observation", person, f"{visit.key}/{measurement.name}", style),
        "status": "final",
        "category": [term("observation-category", about.category, _CATEGORY[about.category])],
        "code": _loinc(measurement.name),
        "subject": _subject(person, style),
        "encounter": _encounter_of(person, visit.key, style),
        "effectiveDateTime": style.instant(visit.start),
    }
    if measurement.name == "blood_pressure":
        parts = zip(("sbp", "dbp"), measurement.values, strict=True)
        found["component"] = [{"code": _loinc(part), "valueQuantity": _quantity(part, value)} for part, value in parts]
    elif measurement.name == "smoking":
        found["valueCodeableConcept"] = coded(SNOMED, person.smoking)
    else:
        found["valueQuantity"] = _quantity(measurement.name, measurement.values[0])
    return found


def _loinc(name: str) -> Resource:
    return coded(LOINC_SYSTEM, Concept(LOINC[name].code, LOINC[name].display))


def _quantity(name: str, value: float) -> Resource:
    unit = LOINC[name].unit
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def medication_request(person: Person, treatment: Treatment, style: Style) -> Resource:
    """An order for a drug."""
    return {
        **_begin("MedicationRequest", person, treatment.key, style),
        "status": "active" if treatment.is_ongoing else "completed",
        "intent": "order",
        "medicationCodeableConcept": coded(RXNORM, treatment.concept),
        "subject": _subject(person, style),
        "encounter": _encounter_of(person, treatment.visit_key, style),
        "authoredOn": style.instant(treatment.at),
        "requester": _practitioner(person, style),
    }


def procedure(person: Person, treatment: Treatment, style: Style) -> Resource:
    """A completed procedure; the older writer gives a period, the newer a time."""
    start, end = treatment.at, treatment.at + timedelta(minutes=15)
    period = {"performedPeriod": {"start": style.instant(start), "end": style.instant(end)}}
    return {
        **_begin("Procedure", person, treatment.key, style),
        "status": "completed",
        "code": coded(SNOMED, treatment.concept),
        "subject": _subject(person, style),
        "encounter": _encounter_of(person, treatment.visit_key, style),
        **(period if style.is_bundle else {"performedDateTime": style.instant(start)}),
    }


def imaging_study(person: Person, scan: Scan, style: Style) -> Resource:
    """The chart's knowledge of a study; it carries the Study Instance UID, whether or not a DICOM file exists."""
    display, sop_class = _MODALITY[scan.modality]
    modality = {"system": "http://dicom.nema.org/resources/ontology/DCM", "code": scan.modality, "display": display}
    n = scan.scanner.n_slices
    instances = [
        {
            "uid": scan.instance_uid(number),
            "sopClass": {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{sop_class}"},
            "number": number,
        }
        for number in range(1, n + 1)
    ]
    return {
        **_begin("ImagingStudy", person, scan.study_uid, style),
        "identifier": [{"use": "official", "system": style.study_uid_system, "value": f"urn:oid:{scan.study_uid}"}],
        "status": "available",
        "modality": [modality],
        "subject": _subject(person, style),
        "started": style.instant(scan.at),
        "numberOfSeries": 1,
        "numberOfInstances": n,
        "description": f"{scan.modality} brain without contrast (synthetic)",
        "series": [
            {
                "uid": scan.series_uid,
                "number": 1,
                "modality": modality,
                "numberOfInstances": n,
                "bodySite": _BRAIN,
                "started": style.instant(scan.at),
                "instance": instances,
            }
        ],
    }


def document(person: Person, note: Note, style: Style) -> Resource:
    """A text note, inline."""
    text = note.text.encode()
    attachment = {
        "contentType": "text/plain; charset=utf-8",
        "data": base64.b64encode(text).decode(),
        "size": len(text),
        "title": "Progress note (synthetic)",
    }
    return {
        **_begin("DocumentReference", person, note.key, style),
        "status": "current",
        "type": coded(LOINC_SYSTEM, Concept("11506-3", "Progress note")),
        "subject": _subject(person, style),
        "date": style.instant(note.at),
        "author": [_practitioner(person, style)],
        "content": [{"attachment": attachment}],
        "context": {"encounter": [_encounter_of(person, note.visit_key, style)]},
    }
