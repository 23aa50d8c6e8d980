"""FHIR R4 resources about what happened to a person, from encounters to notes, in either writer's style.

`examination` adds one Observation for each kind of value that R4 has (value[x]), so that no reader is fitted to
quantities and codes alone.

Example: list(chart(person, NDJSON))
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
_IMAGED = {
    "MR": Concept("816077007", "Magnetic resonance imaging of brain (procedure)"),
    "CT": Concept("303653007", "Computed tomography of head (procedure)"),
}
_BRAIN = {"system": SNOMED, "code": "12738006", "display": "Brain structure (body structure)"}
_NOTE_CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category"
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


def begin(kind: str, person: Person, key: str, style: Style) -> Resource:
    """What every resource of a person starts with; `key` is unique among the person's of that kind."""
    return {"resourceType": kind, "id": resource_id(person.patient_id, f"{kind}/{key}"), "meta": style.meta()}


def subject_of(person: Person, style: Style) -> Resource:
    return style.reference("Patient", person.patient_id)


def encounter_of(person: Person, visit_key: str, style: Style) -> Resource:
    return style.reference("Encounter", resource_id(person.patient_id, f"Encounter/{visit_key}"))


def practitioner_of(person: Person, style: Style) -> Resource:
    return style.practitioner(person.identity.site_id, person.identity.practitioner)


def encounter(person: Person, visit: Visit, style: Style) -> Resource:
    """A finished Encounter."""
    class_code, class_display, kind = ENCOUNTERS[visit.kind]
    end = visit.start + timedelta(minutes=visit.minutes)
    resource = {
        **begin("Encounter", person, visit.key, style),
        "status": "finished",
        "class": {"system": f"{TERMINOLOGY}/v3-ActCode", "code": class_code, "display": class_display},
        "type": [coded(SNOMED, kind)],
        "subject": subject_of(person, style),
        "participant": [{"individual": practitioner_of(person, style)}],
        "period": {"start": style.instant(visit.start), "end": style.instant(end)},
    }
    if visit.reason:
        resource["reasonCode"] = [coded(SNOMED, visit.reason, text=False)]
    if visit.kind == "admission":
        home = Concept("home", "Home")
        resource["hospitalization"] = {"dischargeDisposition": coded(f"{TERMINOLOGY}/discharge-disposition", home)}
    if visit.kind == "follow_up":
        first = next(one for one in person.visits if one.key == visit.key.replace("follow-up-", "visit-"))
        resource["partOf"] = encounter_of(person, first.key, style)
    resource["serviceProvider"] = style.organization(person.identity.site_id)
    return resource


def condition(person: Person, diagnosis: Diagnosis, style: Style) -> Resource:
    """A problem of the list; refuted ones are inactive."""
    if not diagnosis.is_confirmed:
        status = ("inactive", "Inactive")
    else:
        status = ("resolved", "Resolved") if diagnosis.abated else ("active", "Active")
    resource = {
        **begin("Condition", person, diagnosis.key, style),
        "clinicalStatus": term("condition-clinical", *status),
        "verificationStatus": term("condition-ver-status", diagnosis.verification, diagnosis.verification.capitalize()),
        "category": [term("condition-category", "problem-list-item", "Problem List Item")],
        "code": coded(SNOMED, diagnosis.concept),
        "subject": subject_of(person, style),
        "encounter": encounter_of(person, diagnosis.visit_key, style),
        "onsetDateTime": style.onset(diagnosis.onset, is_year_only=diagnosis.is_year_only),
    }
    if diagnosis.abated:
        resource["abatementDateTime"] = style.instant(diagnosis.abated)
    resource["recordedDate"] = style.instant(diagnosis.recorded)
    return resource


def observation(person: Person, visit: Visit, measurement: Measurement, style: Style) -> Resource:
    """A final Observation: one value, two components for blood pressure, or a code."""
    about = LOINC[measurement.name]
    resource = {
        **begin("Observation", person, f"{visit.key}/{measurement.name}", style),
        "status": "final",
        "category": [term("observation-category", about.category, _CATEGORY[about.category])],
        "code": loinc(measurement.name),
        "subject": subject_of(person, style),
        "encounter": encounter_of(person, visit.key, style),
        "effectiveDateTime": style.instant(visit.start),
    }
    if measurement.name == "blood_pressure":
        parts = zip(("sbp", "dbp"), measurement.values, strict=True)
        resource["component"] = [
            {"code": loinc(part), "valueQuantity": _quantity(part, value)} for part, value in parts
        ]
    elif measurement.name == "smoking":
        resource["valueCodeableConcept"] = coded(SNOMED, person.smoking)
    else:
        resource["valueQuantity"] = _quantity(measurement.name, measurement.values[0])
    return resource


def loinc(name: str) -> Resource:
    return coded(LOINC_SYSTEM, Concept(LOINC[name].code, LOINC[name].display))


def _quantity(name: str, value: float) -> Resource:
    unit = LOINC[name].unit
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def medication_request(person: Person, treatment: Treatment, style: Style) -> Resource:
    """An order for a drug; the older writer names the reason by reference, the newer by code."""
    diagnosis = next((one for one in person.diagnoses if one.visit_key == treatment.visit_key), None)
    reason: Resource = {}
    if diagnosis and style.is_bundle:
        target = resource_id(person.patient_id, f"Condition/{diagnosis.key}")
        reason = {"reasonReference": [style.reference("Condition", target)]}
    elif diagnosis:
        reason = {"reasonCode": [coded(SNOMED, diagnosis.concept, text=False)]}
    return {
        **begin("MedicationRequest", person, treatment.key, style),
        "status": "active" if treatment.is_ongoing else "completed",
        "intent": "order",
        **_drug(person, treatment, style),
        "subject": subject_of(person, style),
        "encounter": encounter_of(person, treatment.visit_key, style),
        "authoredOn": style.instant(treatment.at),
        "requester": practitioner_of(person, style),
        **reason,
        "dosageInstruction": [
            {
                "text": "one tablet daily" if treatment.is_ongoing else "one tablet when needed",
                "asNeededBoolean": not treatment.is_ongoing,
                "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet", "system": UCUM, "code": "{tbl}"}}],
            }
        ],
        "dispenseRequest": {"numberOfRepeatsAllowed": 3 if treatment.is_ongoing else 0},
    }


def _drug(person: Person, treatment: Treatment, style: Style) -> Resource:
    """The drug's code, or for a few a reference to the Medication that was given."""
    if person.index % 3 == 1 and not treatment.is_ongoing:
        target = resource_id(person.patient_id, f"Medication/{treatment.key}")
        return {"medicationReference": style.reference("Medication", target)}
    return {"medicationCodeableConcept": coded(RXNORM, treatment.concept)}


def procedure(person: Person, treatment: Treatment, style: Style) -> Resource:
    """A completed procedure; the older writer gives a period, the newer a time."""
    start, end = treatment.at, treatment.at + timedelta(minutes=15)
    diagnosis = next((one for one in person.diagnoses if one.visit_key == treatment.visit_key), None)
    reason: Resource = {}
    if diagnosis:
        target = resource_id(person.patient_id, f"Condition/{diagnosis.key}")
        reason = {"reasonReference": [style.reference("Condition", target)]}
    period = {"performedPeriod": {"start": style.instant(start), "end": style.instant(end)}}
    return {
        **begin("Procedure", person, treatment.key, style),
        "status": "completed",
        "code": coded(SNOMED, treatment.concept),
        "subject": subject_of(person, style),
        "encounter": encounter_of(person, treatment.visit_key, style),
        **(period if style.is_bundle else {"performedDateTime": style.instant(start)}),
        **reason,
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
        **begin("ImagingStudy", person, scan.study_uid, style),
        "identifier": [{"use": "official", "system": style.study_uid_system, "value": f"urn:oid:{scan.study_uid}"}],
        "status": "available",
        "modality": [modality],
        "subject": subject_of(person, style),
        "encounter": encounter_of(person, person.visits[0].key, style),
        "procedureCode": [coded(SNOMED, _IMAGED[scan.modality])],
        "started": style.instant(scan.at),
        "numberOfSeries": 1,
        "numberOfInstances": n,
        "description": f"{scan.modality} brain without contrast (synthetic)",
        "series": [
            {
                "uid": scan.series_uid,
                "number": 1,
                "modality": modality,
                "description": "axial",
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
        **begin("DocumentReference", person, note.key, style),
        "status": "current",
        "docStatus": "final",
        "type": coded(LOINC_SYSTEM, Concept("11506-3", "Progress note")),
        "category": [coded(_NOTE_CATEGORY, Concept("clinical-note", "Clinical Note"), text=False)],
        "subject": subject_of(person, style),
        "date": style.instant(note.at),
        "author": [practitioner_of(person, style)],
        "description": "Progress note (synthetic)",
        "content": [{"attachment": attachment}],
        "context": {"encounter": [encounter_of(person, note.visit_key, style)]},
    }


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
            {"valueRatio": {"numerator": _amount(1, "{titer}"), "denominator": _amount(40, "{titer}")}},
        ),
        "ecg": (
            Concept("11524-6", "EKG study"),
            {"valueSampledData": {"origin": _amount(2048, "uV"), "period": 10, "dimensions": 1, "data": "0 3 E 2"}},
        ),
        "remark": (Concept("8251-1", "Comment"), {"valueString": "Synthetic remark."}),
        "crp": (
            Concept("1988-5", "C reactive protein"),
            {"valueQuantity": {**_amount(3, "mg/L"), "comparator": "<"}},
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
            "referenceRange": [{"low": _amount(0, "mg/L"), "high": _amount(5, "mg/L"), "text": "below 5 mg/L"}],
            "method": coded(SNOMED, Concept("702658000", "Immunoturbidimetric assay (procedure)")),
        }
    if key == "ecg":
        return {"bodySite": coded(SNOMED, Concept("51185008", "Thoracic structure (body structure)"))}
    return {}


def _amount(value: float, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def _below(value: float, unit: str) -> Resource:
    return {**_amount(value, unit), "comparator": "<"}


def _watt(value: float) -> Resource:
    return _amount(value, "W")
