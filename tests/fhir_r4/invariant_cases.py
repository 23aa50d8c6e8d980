"""For every invariant, an object that breaks it and one that keeps it. Data.

Example: CASES["Period per-1"]  ->  ({"start": "2021", "end": "2020"}, {"start": "2020", "end": "2021"})
"""

from typing import Any

UCUM = "http://unitsofmeasure.org"
CS = "http://terminology.hl7.org/CodeSystem/"
X = {"text": "x"}
EXT = [{"url": "http://u.example", "valueString": "x"}]


def concept(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": CS + system, "code": code}]}


ALLERGY_ERROR = concept("allergyintolerance-verification", "entered-in-error")
CONDITION_ERROR = concept("condition-ver-status", "entered-in-error")
ACTIVE, RESOLVED = concept("condition-clinical", "active"), concept("condition-clinical", "resolved")
TESTED = ({"operation": {}, "assert": {}}, {"assert": X})
REQUEST = {"method": "PUT", "url": "Patient/a"}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Attachment att-1": ({"data": "AAAA"}, {"data": "AAAA", "contentType": "image/png"}),
    "ContactPoint cpt-2": ({"value": "1"}, {"value": "1", "system": "phone"}),
    "Extension ext-1": ({"url": "u", "valueString": "a", "extension": EXT}, {"url": "u", "valueString": "a"}),
    "Period per-1": (
        {"start": "2020-02-01T10:00:00Z", "end": "2020-02-01T10:30:00+01:00"},
        {"start": "2020", "end": "2021-01"},
    ),
    "Quantity qty-3": ({"code": "mg"}, {"code": "mg", "system": UCUM}),
    "Age qty-3": ({"code": "a"}, {"code": "a", "system": UCUM}),
    "Age age-1": ({"value": 0, "code": "a", "system": UCUM}, {"value": 3, "code": "a", "system": UCUM}),
    "Distance qty-3": ({"code": "m"}, {"code": "m", "system": UCUM}),
    "Distance dis-1": ({"value": 3}, {"value": 3, "code": "m", "system": UCUM}),
    "Count qty-3": ({"code": "1"}, {"code": "1", "system": UCUM}),
    "Count cnt-3": ({"value": 1.5, "code": "1", "system": UCUM}, {"value": 2, "code": "1", "system": UCUM}),
    "Duration qty-3": ({"code": "h"}, {"value": 1, "code": "h", "system": UCUM}),
    "Duration drt-1": ({"code": "h", "system": UCUM}, {"value": 1, "code": "h", "system": UCUM}),
    "Range rng-2": ({"low": {"value": 3}, "high": {"value": 2}}, {"low": {"value": 2}, "high": {"value": 3}}),
    "Ratio rat-1": ({"numerator": {"value": 1}}, {"numerator": {"value": 1}, "denominator": {"value": 2}}),
    "Timing.repeat tim-1": ({"duration": 1}, {"duration": 1, "durationUnit": "h"}),
    "Timing.repeat tim-2": ({"period": 1}, {"period": 1, "periodUnit": "h"}),
    "Timing.repeat tim-4": ({"duration": -1}, {"duration": 0}),
    "Timing.repeat tim-5": ({"period": -1}, {"period": 0}),
    "Timing.repeat tim-6": ({"periodMax": 2}, {"periodMax": 2, "period": 1}),
    "Timing.repeat tim-7": ({"durationMax": 2}, {"durationMax": 2, "duration": 1}),
    "Timing.repeat tim-8": ({"countMax": 2}, {"countMax": 2, "count": 1}),
    "Timing.repeat tim-9": ({"offset": 5, "when": ["C"]}, {"offset": 5, "when": ["AC"]}),
    "Timing.repeat tim-10": ({"timeOfDay": ["10:00:00"], "when": ["AC"]}, {"when": ["AC"]}),
    "DataRequirement.codeFilter drq-1": ({"path": "a", "searchParam": "b"}, {"path": "a"}),
    "DataRequirement.dateFilter drq-2": ({}, {"searchParam": "b"}),
    "Expression exp-1": ({"language": "text/cql"}, {"expression": "a"}),
    "TriggerDefinition trd-1": ({"data": [X], "timingDate": "2020"}, {"data": [X]}),
    "TriggerDefinition trd-2": ({"condition": X}, {"condition": X, "data": [X]}),
    "TriggerDefinition trd-3": ({"type": "named-event"}, {"type": "named-event", "name": "a"}),
    "ElementDefinition.slicing eld-1": ({"rules": "open"}, {"rules": "open", "description": "a"}),
    "AllergyIntolerance ait-1": ({"code": X}, {"clinicalStatus": X}),
    "AllergyIntolerance ait-2": (
        {"clinicalStatus": X, "verificationStatus": ALLERGY_ERROR},
        {"verificationStatus": ALLERGY_ERROR},
    ),
    "Appointment app-2": ({"start": "2020-01-01T00:00:00Z"}, {"status": "proposed"}),
    "Appointment app-3": ({"status": "booked"}, {"status": "booked", "start": "x", "end": "y"}),
    "Appointment app-4": (
        {"status": "booked", "cancelationReason": X},
        {"status": "cancelled", "cancelationReason": X},
    ),
    "Appointment.participant app-1": ({"status": "accepted"}, {"type": [X]}),
    "AppointmentResponse apr-1": ({"comment": "a"}, {"actor": {"display": "a"}}),
    "AuditEvent.entity sev-1": ({"name": "a", "query": "AAAA"}, {"name": "a"}),
    "CarePlan.activity cpl-3": ({"detail": X, "reference": X}, {"detail": X}),
    "Composition.section cmp-1": ({"title": "a"}, {"text": X}),
    "Composition.section cmp-2": ({"emptyReason": X, "entry": [X]}, {"emptyReason": X}),
    "Condition con-4": (
        {"abatementDateTime": "2020", "clinicalStatus": ACTIVE},
        {"abatementDateTime": "2020", "clinicalStatus": RESOLVED},
    ),
    "Condition con-5": (
        {"clinicalStatus": ACTIVE, "verificationStatus": CONDITION_ERROR},
        {"verificationStatus": CONDITION_ERROR},
    ),
    "Condition.stage con-1": ({"type": X}, {"summary": X}),
    "Condition.evidence con-2": ({"extension": EXT}, {"code": [X]}),
    "Consent ppc-1": ({"status": "active"}, {"policyRule": X}),
    "CoverageEligibilityResponse.insurance.item ces-1": ({"category": X, "productOrService": X}, {"category": X}),
    "FamilyMemberHistory fhs-1": ({"ageString": "a", "bornString": "b"}, {"ageString": "a"}),
    "FamilyMemberHistory fhs-2": ({"estimatedAge": True}, {"estimatedAge": True, "ageString": "a"}),
    "Goal.target gol-1": ({"detailString": "a"}, {"detailString": "a", "measure": X}),
    "Group grp-1": ({"member": [X], "actual": False}, {"member": [X], "actual": True}),
    "Immunization.education imm-1": ({"publicationDate": "2020"}, {"documentType": "a"}),
    "ImmunizationRecommendation.recommendation imr-1": ({"forecastStatus": X}, {"targetDisease": X}),
    "InsurancePlan ipn-1": ({"status": "active"}, {"name": "a"}),
    "Linkage lnk-1": ({"item": [X]}, {"item": [X, X]}),
    "List lst-1": ({"emptyReason": X, "entry": [X]}, {"emptyReason": X}),
    "List lst-2": (
        {"mode": "working", "entry": [{"deleted": True}]},
        {"mode": "changes", "entry": [{"deleted": True}]},
    ),
    "List lst-3": ({"mode": "changes", "entry": [{"date": "2020"}]}, {"mode": "working", "entry": [{"date": "2020"}]}),
    "MedicationAdministration.dosage mad-1": ({"text": "a"}, {"dose": X}),
    "MedicationDispense mdd-1": (
        {"whenPrepared": "2021", "whenHandedOver": "2020"},
        {"whenPrepared": "2020", "whenHandedOver": "2021"},
    ),
    "MolecularSequence msq-3": ({"coordinateSystem": 2}, {"coordinateSystem": 1}),
    "MolecularSequence.referenceSeq msq-5": ({"genomeBuild": "a"}, {"genomeBuild": "a", "chromosome": X}),
    "MolecularSequence.referenceSeq msq-6": (
        {"genomeBuild": "a", "referenceSeqString": "A"},
        {"referenceSeqString": "A"},
    ),
    "Observation obs-6": ({"dataAbsentReason": X, "valueString": "a"}, {"dataAbsentReason": X}),
    "Observation obs-7": (
        {"code": ACTIVE, "valueString": "a", "component": [{"code": ACTIVE}]},
        {"code": ACTIVE, "valueString": "a", "component": [{"code": RESOLVED}]},
    ),
    "Observation.referenceRange obs-3": ({"type": X}, {"text": "a"}),
    "Organization org-1": ({"active": True}, {"name": "a"}),
    "Organization org-2": ({"address": [{"use": "home"}]}, {"address": [{"use": "work"}]}),
    "Organization org-3": ({"telecom": [{"use": "home"}]}, {"telecom": [{"use": "work"}]}),
    "Parameters.parameter inv-1": ({"name": "a", "valueString": "b", "part": [X]}, {"name": "a", "valueString": "b"}),
    "Patient.contact pat-1": ({"gender": "male"}, {"name": {"text": "a"}}),
    "QuestionnaireResponse.item qrs-1": ({"answer": [X], "item": [X]}, {"answer": [X]}),
    "RequestGroup.action rqg-1": ({"resource": X, "action": [X]}, {"resource": X}),
    "RiskAssessment.prediction ras-2": ({"probabilityDecimal": 101}, {"probabilityDecimal": 99.5}),
    "ServiceRequest prr-1": ({"orderDetail": [X]}, {"orderDetail": [X], "code": X}),
    "Task inv-1": ({"authoredOn": "2021", "lastModified": "2020"}, {"authoredOn": "2020", "lastModified": "2020"}),
    "Bundle bdl-1": ({"type": "collection", "total": 1}, {"type": "searchset", "total": 1}),
    "Bundle bdl-2": ({"type": "collection", "entry": [{"search": X}]}, {"type": "searchset", "entry": [{"search": X}]}),
    "Bundle bdl-3": ({"type": "transaction", "entry": [{}]}, {"type": "transaction", "entry": [{"request": REQUEST}]}),
    "Bundle bdl-4": ({"type": "batch-response", "entry": [{}]}, {"type": "batch-response", "entry": [{"response": X}]}),
    "Bundle bdl-7": (
        {"type": "collection", "entry": [{"fullUrl": "urn:a"}, {"fullUrl": "urn:a"}]},
        {"type": "history", "entry": [{"fullUrl": "urn:a"}, {"fullUrl": "urn:a"}]},
    ),
    "Bundle bdl-9": ({"type": "document"}, {"type": "document", "identifier": {"system": "a", "value": "b"}}),
    "Bundle bdl-10": ({"type": "document"}, {"type": "document", "timestamp": "x"}),
    "Bundle bdl-11": (
        {"type": "document"},
        {"type": "document", "entry": [{"resource": {"resourceType": "Composition"}}]},
    ),
    "Bundle bdl-12": (
        {"type": "message"},
        {"type": "message", "entry": [{"resource": {"resourceType": "MessageHeader"}}]},
    ),
    "Bundle.entry bdl-5": ({"fullUrl": "urn:a"}, {"resource": X}),
    "Bundle.entry bdl-8": ({"fullUrl": "http://a/Patient/1/_history/2"}, {"fullUrl": "http://a/Patient/1"}),
    "CapabilityStatement cpb-1": ({"kind": "requirements"}, {"rest": [X]}),
    "CapabilityStatement cpb-2": ({"kind": "requirements"}, {"description": "a"}),
    "CapabilityStatement cpb-3": (
        {"kind": "capability", "messaging": [{"endpoint": [X]}]},
        {"kind": "instance", "messaging": [{"endpoint": [X]}]},
    ),
    "CapabilityStatement cpb-14": ({"kind": "instance"}, {"kind": "instance", "implementation": X}),
    "ConceptMap.group.element.target cmd-1": ({"equivalence": "narrower"}, {"equivalence": "narrower", "comment": "a"}),
    "ConceptMap.group.unmapped cmd-2": ({"mode": "fixed"}, {"mode": "fixed", "code": "a"}),
    "ConceptMap.group.unmapped cmd-3": ({"mode": "other-map"}, {"mode": "other-map", "url": "urn:a"}),
    "NamingSystem nsd-1": (
        {"kind": "root", "uniqueId": [{"type": "uuid"}]},
        {"kind": "root", "uniqueId": [{"type": "oid"}]},
    ),
    "NamingSystem nsd-2": (
        {"uniqueId": [{"type": "oid", "preferred": True}] * 2},
        {"uniqueId": [{"type": "oid", "preferred": True}]},
    ),
    "OperationDefinition.parameter opd-1": ({"name": "a"}, {"type": "string"}),
    "OperationDefinition.parameter opd-2": (
        {"searchType": "token", "type": "code"},
        {"searchType": "token", "type": "string"},
    ),
    "OperationDefinition.parameter opd-3": (
        {"targetProfile": ["a"], "type": "code"},
        {"targetProfile": ["a"], "type": "Reference"},
    ),
    "Questionnaire que-2": (
        {"item": [{"linkId": "1", "item": [{"linkId": "1"}]}]},
        {"item": [{"linkId": "1"}, {"linkId": "2"}]},
    ),
    "Questionnaire.item que-1": ({"type": "group"}, {"type": "group", "item": [X]}),
    "Questionnaire.item que-3": ({"type": "display", "code": [X]}, {"type": "string", "code": [X]}),
    "Questionnaire.item que-4": (
        {"type": "choice", "answerOption": [X], "answerValueSet": "a"},
        {"type": "choice", "answerOption": [X]},
    ),
    "Questionnaire.item que-5": ({"type": "boolean", "answerOption": [X]}, {"type": "choice", "answerOption": [X]}),
    "Questionnaire.item que-6": ({"type": "display", "required": True}, {"type": "string", "required": True}),
    "Questionnaire.item que-8": ({"type": "display", "initial": [X]}, {"type": "string", "initial": [X]}),
    "Questionnaire.item que-9": ({"type": "display", "readOnly": True}, {"type": "string", "readOnly": True}),
    "Questionnaire.item que-10": ({"type": "date", "maxLength": 3}, {"type": "string", "maxLength": 3}),
    "Questionnaire.item que-11": (
        {"type": "choice", "answerOption": [X], "initial": [X]},
        {"type": "choice", "initial": [X]},
    ),
    "Questionnaire.item que-12": ({"type": "string", "enableWhen": [X, X]}, {"type": "string", "enableWhen": [X]}),
    "Questionnaire.item que-13": (
        {"type": "string", "initial": [X, X]},
        {"type": "string", "initial": [X, X], "repeats": True},
    ),
    "Questionnaire.item.enableWhen que-7": (
        {"operator": "exists", "answerString": "a"},
        {"operator": "exists", "answerBoolean": True},
    ),
    "SearchParameter spd-1": ({"xpath": "a"}, {"xpath": "a", "xpathUsage": "normal"}),
    "SearchParameter spd-2": ({"chain": ["a"], "type": "token"}, {"chain": ["a"], "type": "reference"}),
    "StructureDefinition sdf-4": ({"abstract": False}, {"abstract": True}),
    "StructureDefinition sdf-6": ({"abstract": True}, {"snapshot": X}),
    "StructureDefinition.mapping sdf-2": ({"identity": "a"}, {"name": "a"}),
    "StructureMap.group.rule.target smp-1": ({"element": "a"}, {"element": "a", "context": "b"}),
    "StructureMap.group.rule.target smp-2": ({"context": "a"}, {"context": "a", "contextType": "type"}),
    "TestScript.setup.action tst-1": TESTED,
    "TestScript.test.action tst-1": TESTED,
    "TestReport.setup.action tst-1": TESTED,
    "TestReport.test.action tst-1": TESTED,
    "ValueSet.compose.include vsd-1": ({"version": "1"}, {"system": "urn:a"}),
    "ValueSet.compose.include vsd-2": ({"concept": [X]}, {"concept": [X], "system": "urn:a"}),
    "ValueSet.compose.include vsd-3": (
        {"concept": [X], "filter": [X], "system": "urn:a"},
        {"concept": [X], "system": "urn:a"},
    ),
    "ValueSet.expansion.contains vsd-6": ({"abstract": True}, {"code": "a"}),
    "ValueSet.expansion.contains vsd-9": ({"display": "a"}, {"abstract": True}),
    "ValueSet.expansion.contains vsd-10": ({"code": "a"}, {"code": "a", "system": "urn:a"}),
}
"""`<type> <HL7's key>` -> (broken, sound), as far as the one rule goes."""
