"""The invariants of the resource types that hospitals send: people, events, orders, results, documents. Data.

Example: RULES["Observation"][0].key  ->  "obs-6"
"""

from fhir_r4.predicates import (
    Invariant,
    Object,
    chosen,
    codings,
    count,
    either,
    has,
    is_ordered,
    items,
    needs,
    not_both,
    number,
    one_of,
)

TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
ALLERGY_ERROR = (TERMINOLOGY + "allergyintolerance-verification", "entered-in-error")
CONDITION_ERROR = (TERMINOLOGY + "condition-ver-status", "entered-in-error")
OVER = {(TERMINOLOGY + "condition-clinical", code) for code in ("resolved", "remission", "inactive")}


def allergy_in_error(one: Object) -> bool:
    return ALLERGY_ERROR in codings(one, "verificationStatus")


def condition_in_error(one: Object) -> bool:
    return CONDITION_ERROR in codings(one, "verificationStatus")


def components_differ(one: Object) -> bool:
    """An observation with a value of its own has no component with its own code."""
    if not has(one, "component") or not chosen(one, "Observation", "value"):
        return True
    return not codings(one, "code") & {pair for part in items(one, "component") for pair in codings(part, "code")}


def is_appointed(one: Object) -> bool:
    is_open = one.get("status") in ("proposed", "cancelled", "waitlist")
    return is_open or (has(one, "start") and has(one, "end"))


def is_one_content(one: Object) -> bool:
    """A parameter has parts, a value or a resource: exactly one of them."""
    has_value = chosen(one, "Parameters.parameter", "value")
    return has(one, "part") + has_value + has(one, "resource") == 1


def no_home(name: str) -> "Invariant":
    key = {"address": "org-2", "telecom": "org-3"}[name]
    return Invariant(
        key, f"no {name} of use home", lambda one: all(item.get("use") != "home" for item in items(one, name))
    )


def is_probability(one: Object) -> bool:
    value = one.get("probabilityDecimal")
    return value is None or number(value) <= 100


RULES: dict[str, list[Invariant]] = {
    "AllergyIntolerance": [
        Invariant(
            "ait-1",
            "a clinicalStatus, unless entered in error",
            lambda one: allergy_in_error(one) or has(one, "clinicalStatus"),
        ),
        Invariant(
            "ait-2",
            "no clinicalStatus when entered in error",
            lambda one: not (allergy_in_error(one) and has(one, "clinicalStatus")),
        ),
    ],
    "Appointment": [
        Invariant("app-2", "start and end, or neither", lambda one: has(one, "start") == has(one, "end")),
        Invariant("app-3", "start and end, unless proposed, cancelled or on a waiting list", is_appointed),
        Invariant(
            "app-4",
            "a cancelationReason only for no-show or cancelled",
            lambda one: not has(one, "cancelationReason") or one.get("status") in ("no-show", "cancelled"),
        ),
    ],
    "Appointment.participant": [Invariant("app-1", "a type or an actor", one_of("type", "actor"))],
    "AppointmentResponse": [Invariant("apr-1", "a participantType or an actor", one_of("participantType", "actor"))],
    "AuditEvent.entity": [Invariant("sev-1", "a name or a query, not both", not_both("name", "query"))],
    "CarePlan.activity": [Invariant("cpl-3", "a detail or a reference, not both", not_both("detail", "reference"))],
    "Composition.section": [
        Invariant("cmp-1", "a text, entries or sections", one_of("text", "entry", "section")),
        Invariant("cmp-2", "an emptyReason only without entries", not_both("emptyReason", "entry")),
    ],
    "Condition": [
        Invariant(
            "con-4",
            "an abated condition that is inactive, resolved or in remission",
            lambda one: not chosen(one, "Condition", "abatement") or bool(OVER & codings(one, "clinicalStatus")),
        ),
        Invariant(
            "con-5",
            "no clinicalStatus when entered in error",
            lambda one: not (condition_in_error(one) and has(one, "clinicalStatus")),
        ),
    ],
    "Condition.stage": [Invariant("con-1", "a summary or an assessment", one_of("summary", "assessment"))],
    "Condition.evidence": [Invariant("con-2", "a code or a detail", one_of("code", "detail"))],
    "Consent": [
        Invariant("ppc-1", "a policy or a policyRule", one_of("policy", "policyRule")),
    ],
    "CoverageEligibilityResponse.insurance.item": [
        Invariant("ces-1", "a category or a productOrService", either("category", "productOrService"))
    ],
    "FamilyMemberHistory": [
        Invariant(
            "fhs-1",
            "an age or a birth, not both",
            lambda one: not (chosen(one, "FamilyMemberHistory", "age") and chosen(one, "FamilyMemberHistory", "born")),
        ),
        Invariant(
            "fhs-2",
            "estimatedAge only with an age",
            lambda one: not has(one, "estimatedAge") or chosen(one, "FamilyMemberHistory", "age"),
        ),
    ],
    "Goal.target": [
        Invariant(
            "gol-1",
            "a measure where there is a detail",
            lambda one: not chosen(one, "Goal.target", "detail") or has(one, "measure"),
        )
    ],
    "Group": [
        Invariant(
            "grp-1", "members only of an actual group", lambda one: not has(one, "member") or one.get("actual") is True
        )
    ],
    "Immunization.education": [
        Invariant("imm-1", "a documentType or a reference", one_of("documentType", "reference"))
    ],
    "ImmunizationRecommendation.recommendation": [
        Invariant("imr-1", "a vaccineCode or a targetDisease", one_of("vaccineCode", "targetDisease"))
    ],
    "InsurancePlan": [Invariant("ipn-1", "an identifier or a name", one_of("identifier", "name"))],
    "Linkage": [Invariant("lnk-1", "two items or more", lambda one: count(one, "item") > 1)],
    "List": [
        Invariant("lst-1", "an emptyReason only without entries", not_both("emptyReason", "entry")),
        Invariant(
            "lst-2",
            "deleted only in a list of changes",
            lambda one: one.get("mode") == "changes" or not any(has(entry, "deleted") for entry in items(one, "entry")),
        ),
        Invariant(
            "lst-3",
            "entry dates only in a working list",
            lambda one: one.get("mode") == "working" or not any(has(entry, "date") for entry in items(one, "entry")),
        ),
    ],
    "MedicationAdministration.dosage": [
        Invariant(
            "mad-1",
            "a dose or a rate",
            lambda one: has(one, "dose") or chosen(one, "MedicationAdministration.dosage", "rate"),
        )
    ],
    "MedicationDispense": [
        Invariant(
            "mdd-1",
            "a whenHandedOver that is not before whenPrepared",
            lambda one: is_ordered(one.get("whenPrepared"), one.get("whenHandedOver")),
        )
    ],
    "MolecularSequence": [
        Invariant("msq-3", "a coordinateSystem of 0 or 1", lambda one: one.get("coordinateSystem") in (0, 1, None))
    ],
    "MolecularSequence.referenceSeq": [
        Invariant(
            "msq-5",
            "chromosome and genomeBuild, or neither",
            lambda one: has(one, "chromosome") == has(one, "genomeBuild"),
        ),
        Invariant(
            "msq-6",
            "one way to name the reference",
            lambda one: count(one, "genomeBuild", "referenceSeqId", "referenceSeqPointer", "referenceSeqString") == 1,
        ),
    ],
    "Observation": [
        Invariant(
            "obs-6",
            "a dataAbsentReason only without a value",
            lambda one: not (has(one, "dataAbsentReason") and chosen(one, "Observation", "value")),
        ),
        Invariant("obs-7", "a component with a code other than the observation's", components_differ),
    ],
    "Observation.referenceRange": [Invariant("obs-3", "a low, a high or a text", one_of("low", "high", "text"))],
    "Organization": [
        Invariant("org-1", "an identifier or a name", one_of("identifier", "name")),
        no_home("address"),
        no_home("telecom"),
    ],
    "Parameters.parameter": [Invariant("inv-1", "parts, a value or a resource", is_one_content)],
    "Patient.contact": [
        Invariant(
            "pat-1", "a name, telecom, address or organization", one_of("name", "telecom", "address", "organization")
        )
    ],
    "QuestionnaireResponse.item": [Invariant("qrs-1", "answers or items, not both", not_both("answer", "item"))],
    "RequestGroup.action": [Invariant("rqg-1", "a resource or actions", either("resource", "action"))],
    "RiskAssessment.prediction": [Invariant("ras-2", "a probability of 100 or less", is_probability)],
    "ServiceRequest": [Invariant("prr-1", "a code where there is an orderDetail", needs("orderDetail", "code"))],
    "Task": [
        Invariant(
            "inv-1",
            "a lastModified that is not before authoredOn",
            lambda one: is_ordered(one.get("authoredOn"), one.get("lastModified")),
        )
    ],
}
"""Resource type or nested type -> its rules."""
