"""FHIR R4 resources about a person's background: CareTeam, AllergyIntolerance, Immunization, FamilyMemberHistory,
childhood Conditions and Procedures, MedicationAdministration with its Medication, and DiagnosticReport.

Example: list(background_of(person, NDJSON))
"""

import base64
from collections.abc import Iterator
from datetime import datetime, timedelta

from trilake.sample.fhir_chart import begin, encounter_of, practitioner_of, subject_of
from trilake.sample.fhir_style import LOINC_SYSTEM, RXNORM, SNOMED, UCUM, Resource, Style, coded, term
from trilake.sample.keys import resource_id
from trilake.sample.life import ADENOIDS, ASTHMA, REACTION, TONSILLECTOMY, Vaccination, childhood
from trilake.sample.record import Concept, Person, Scan, Treatment, Visit
from trilake.sample.vocabulary import LOINC

CVX = "http://hl7.org/fhir/sid/cvx"
REPORTED_YEARS = (2016, 2017)
LIPIDS = Concept("57698-3", "Lipid panel with direct LDL - Serum or Plasma")
MRI_REPORT = Concept("24590-2", "MR Brain")
TABLET = Concept("385055001", "Tablet")
ORAL = Concept("26643006", "Oral route")
INTRAMUSCULAR = Concept("78421000", "Intramuscular route")
ARM = Concept("368208006", "Left upper arm structure")
YEARS = {"system": UCUM, "unit": "years", "code": "a"}


def background_of(person: Person, style: Style) -> Iterator[Resource]:
    """All of it, the care team first."""
    yield care_team(person, style)
    if person.background.allergy:
        yield allergy(person, style)
    for vaccination in person.background.vaccinations:
        yield immunization(person, vaccination, style)
    if person.background.relative:
        yield relative(person, style)
    if person.background.has_childhood_illness:
        yield from childhood_illness(person, style)
    for treatment in person.treatments:
        if treatment.kind == "medication" and not treatment.is_ongoing:
            yield from given(person, treatment, style)
    yield from reports(person, style)


def reports(person: Person, style: Style) -> Iterator[Resource]:
    """Laboratory reports of the first years, and one for each MR that the chart knows."""
    for visit in person.visits:
        names = [one.name for one in visit.measurements if LOINC[one.name].category == "laboratory"]
        if names and visit.start.year in REPORTED_YEARS:
            yield laboratory_report(person, visit, names, style)
    for scan in person.scans:
        if scan.in_chart and scan.modality == "MR":
            yield imaging_report(person, scan, style)


def care_team(person: Person, style: Style) -> Resource:
    """Practitioner and patient; of the deceased it has ended."""
    who = person.identity
    first = person.visits[0]
    period = {"start": style.instant(first.start)}
    if who.deceased_at:
        period["end"] = style.instant(who.deceased_at)
    return {
        **begin("CareTeam", person, "team", style),
        "status": "inactive" if who.deceased_at else "active",
        "category": [coded(LOINC_SYSTEM, Concept("LA28865-6", "Longitudinal care-coordination focused care team"))],
        "name": "Primary care team (synthetic)",
        "subject": subject_of(person, style),
        "encounter": encounter_of(person, first.key, style),
        "period": period,
        "participant": [
            {
                "role": [coded(SNOMED, Concept("446050000", "Primary care physician (occupation)"))],
                "member": practitioner_of(person, style),
            },
            {
                "role": [coded(SNOMED, Concept("116154003", "Patient (person)"))],
                "member": {**subject_of(person, style), "display": f"{who.official.given} {who.official.family}"},
            },
        ],
        "reasonCode": [coded(SNOMED, Concept("185349003", "Encounter for check up (procedure)"))],
        "managingOrganization": [style.organization(who.site_id)],
    }


def allergy(person: Person, style: Style) -> Resource:
    """A confirmed allergy with the reaction that showed it."""
    allergy = person.background.allergy
    assert allergy is not None
    return {
        **begin("AllergyIntolerance", person, "allergy", style),
        "clinicalStatus": term("allergyintolerance-clinical", "active", "Active"),
        "verificationStatus": term("allergyintolerance-verification", "confirmed", "Confirmed"),
        "type": "allergy",
        "category": [allergy.category],
        "criticality": "low" if allergy.category == "environment" else "high",
        "code": coded(SNOMED, allergy.concept),
        "patient": subject_of(person, style),
        "encounter": encounter_of(person, person.visits[0].key, style),
        "onsetDateTime": f"{allergy.since:%Y-%m}" if allergy.category == "food" else allergy.since.isoformat(),
        "recordedDate": style.instant(person.visits[0].start),
        "lastOccurrence": allergy.last_shown.isoformat(),
        "reaction": [{"manifestation": [coded(SNOMED, REACTION)], "severity": "mild"}],
    }


def immunization(person: Person, vaccination: Vaccination, style: Style) -> Resource:
    """A vaccine given, or not given with its reason."""
    resource = {
        **begin("Immunization", person, vaccination.key, style),
        "status": "completed" if vaccination.is_given else "not-done",
        "vaccineCode": coded(CVX, vaccination.vaccine),
        "patient": subject_of(person, style),
        "encounter": encounter_of(person, vaccination.visit_key, style),
        "primarySource": vaccination.told is None,
    }
    if not vaccination.is_given:
        resource["statusReason"] = term("v3-ActReason", "PATOBJ", "patient objection")
    if vaccination.told:
        return {**resource, "occurrenceString": vaccination.told}
    resource["occurrenceDateTime"] = style.instant(vaccination.at)
    if vaccination.is_given:
        resource |= {
            "lotNumber": f"SYN{vaccination.at:%y%m}",
            "site": coded(SNOMED, ARM),
            "route": coded(SNOMED, INTRAMUSCULAR),
            "doseQuantity": _quantity(0.5, "mL"),
        }
    return resource


def relative(person: Person, style: Style) -> Resource:
    """One relative and what ailed them."""
    relative = person.background.relative
    assert relative is not None
    resource = {
        **begin("FamilyMemberHistory", person, "relative", style),
        "status": "completed",
        "patient": subject_of(person, style),
        "date": style.instant(person.visits[0].start),
        "relationship": term("v3-RoleCode", relative.code, relative.display),
        "sex": coded("http://hl7.org/fhir/administrative-gender", Concept(relative.sex, relative.sex.capitalize())),
        "bornDate": f"{relative.birth_year}",
    }
    if relative.died_at_age:
        resource["deceasedAge"] = {"value": relative.died_at_age, **YEARS}
    else:
        # FHIR's rule fhs-1: age or born, not both.
        del resource["bornDate"]
        resource["ageAge"] = {"value": relative.age, **YEARS}
    conditions = [
        {
            "code": coded(SNOMED, concept),
            "outcome": coded(SNOMED, Concept("268910001", "Patient condition improved (finding)")),
            "onsetAge": {"value": age, **YEARS},
        }
        for concept, age in relative.illness
    ]
    return {**resource, "condition": conditions} if conditions else resource


def childhood_illness(person: Person, style: Style) -> Iterator[Resource]:
    """Old illness, dated by age or in words, and an operation known by word of mouth."""
    about = {
        "clinicalStatus": term("condition-clinical", "resolved", "Resolved"),
        "verificationStatus": term("condition-ver-status", "confirmed", "Confirmed"),
        "category": [term("condition-category", "problem-list-item", "Problem List Item")],
        "severity": coded(SNOMED, Concept("255604002", "Mild (qualifier value)")),
    }
    common = {
        "subject": subject_of(person, style),
        "encounter": encounter_of(person, person.visits[0].key, style),
        "recordedDate": style.instant(childhood(person.identity.birth_date.year)),
    }
    yield {
        **begin("Condition", person, "asthma", style),
        **about,
        "code": coded(SNOMED, ASTHMA),
        **common,
        "onsetAge": {"value": 6, **YEARS},
        "abatementAge": {"value": 14, **YEARS},
    }
    yield {
        **begin("Condition", person, "adenoids", style),
        **about,
        "code": coded(SNOMED, ADENOIDS),
        "bodySite": [coded(SNOMED, Concept("181195007", "Entire nasopharyngeal tonsil (body structure)"))],
        **common,
        "onsetString": "before school",
        "abatementString": "after the operation",
    }
    yield {
        **begin("Procedure", person, "tonsillectomy", style),
        "status": "completed",
        "category": coded(SNOMED, Concept("387713003", "Surgical procedure (procedure)")),
        "code": coded(SNOMED, TONSILLECTOMY),
        "subject": subject_of(person, style),
        "performedString": "before school",
        "reasonCode": [coded(SNOMED, ADENOIDS)],
        "bodySite": [coded(SNOMED, Concept("181195007", "Entire nasopharyngeal tonsil (body structure)"))],
        "outcome": coded(SNOMED, Concept("385669000", "Successful (qualifier value)")),
    }


def given(person: Person, treatment: Treatment, style: Style) -> Iterator[Resource]:
    """The first dose, given on the spot: of a Medication that stands alone, or that is contained."""
    medication: Resource = {
        "status": "active",
        "code": {
            "coding": [
                {"system": RXNORM, "code": treatment.concept.code, "display": treatment.concept.display},
                {"system": "https://trilake.example/formulary", "code": f"F{treatment.concept.code}"},
            ],
            "text": treatment.concept.display,
        },
        "form": coded(SNOMED, TABLET),
    }
    is_contained = person.index % 3 == 0
    if is_contained:
        target: Resource = {"contained": [{"resourceType": "Medication", "id": "drug", **medication}]}
        reference = {"reference": "#drug"}
    else:
        alone = {**begin("Medication", person, treatment.key, style), **medication}
        yield alone
        target, reference = {}, style.reference("Medication", alone["id"])
    end = treatment.at + timedelta(minutes=5)
    yield {
        **begin("MedicationAdministration", person, treatment.key, style),
        **target,
        "status": "completed",
        "medicationReference": reference,
        "subject": subject_of(person, style),
        "context": encounter_of(person, treatment.visit_key, style),
        "effectivePeriod": {"start": style.instant(treatment.at), "end": style.instant(end)},
        "reasonCode": [coded(SNOMED, Concept("182838006", "Drug therapy (procedure)"))],
        **_reason(person, treatment, style),
        "request": style.reference(
            "MedicationRequest", resource_id(person.patient_id, f"MedicationRequest/{treatment.key}")
        ),
        "dosage": {
            "text": "one tablet by mouth",
            "route": coded(SNOMED, ORAL),
            "dose": {"value": 1, "unit": "tablet", "system": UCUM, "code": "{tbl}"},
        },
    }


def _reason(person: Person, treatment: Treatment, style: Style) -> Resource:
    diagnosis = next((one for one in person.diagnoses if one.visit_key == treatment.visit_key), None)
    if diagnosis is None:
        return {}
    target = resource_id(person.patient_id, f"Condition/{diagnosis.key}")
    return {"reasonReference": [style.reference("Condition", target)]}


def laboratory_report(person: Person, visit: Visit, names: list[str], style: Style) -> Resource:
    """The check-up's laboratory values as one report, its words beside."""
    results = [
        {
            **style.reference("Observation", resource_id(person.patient_id, f"Observation/{visit.key}/{name}")),
            "display": LOINC[name].display,
        }
        for name in names
    ]
    words = "Laboratory values of the check-up. Synthetic."
    return {
        **_report(person, f"lab/{visit.key}", visit.start, style),
        "category": [term("v2-0074", "LAB", "Laboratory")],
        "code": coded(LOINC_SYSTEM, LIPIDS),
        "encounter": encounter_of(person, visit.key, style),
        "result": results,
        "conclusion": words,
        "conclusionCode": [coded(SNOMED, Concept("260395002", "Normal range (qualifier value)"))],
        "presentedForm": [
            {"contentType": "text/markdown", "data": base64.b64encode(f"# Report\n\n{words}\n".encode()).decode()}
        ],
    }


def imaging_report(person: Person, scan: Scan, style: Style) -> Resource:
    """The chart's word that a study was read; it says nothing of what was seen."""
    study = resource_id(person.patient_id, f"ImagingStudy/{scan.study_uid}")
    return {
        **_report(person, f"mr/{scan.study_uid}", scan.at, style),
        "category": [term("v2-0074", "RAD", "Radiology")],
        "code": coded(LOINC_SYSTEM, MRI_REPORT),
        "imagingStudy": [style.reference("ImagingStudy", study)],
        "conclusion": "Study read; see the images. Synthetic.",
    }


def _report(person: Person, key: str, when: datetime, style: Style) -> Resource:
    return {
        **begin("DiagnosticReport", person, key, style),
        "status": "final",
        "subject": subject_of(person, style),
        "effectiveDateTime": style.instant(when),
        "issued": style.instant(when + timedelta(hours=20)),
    }


def _quantity(value: float, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}
