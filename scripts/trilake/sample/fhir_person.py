"""FHIR R4 resources about who a person is and what they agreed to: Patient, Consent; and the sites' own resources.

Example: patient(person, NDJSON)["gender"]
"""

from trilake.sample.fhir_style import (
    CONSENT_SYSTEM,
    LOINC_SYSTEM,
    MRN_SYSTEM,
    NDJSON,
    NPI_SYSTEM,
    PERSON_SYSTEM,
    SITE_SYSTEM,
    TERMINOLOGY,
    Resource,
    Style,
    coded,
    npi,
    term,
)
from trilake.sample.keys import resource_id, shared_id
from trilake.sample.life import ETHNICITIES, LANGUAGES, RACES, Background
from trilake.sample.record import Concept, Person
from trilake.sample.vocabulary import MARITAL, PRACTITIONERS_PER_SITE, SITES, STATE

HL7 = "http://hl7.org/fhir/StructureDefinition"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
NETWORK_SYSTEM = "https://trilake.example/network"
_TEST_DATA = {"system": f"{TERMINOLOGY}/v3-ActReason", "code": "HTEST", "display": "test health data"}


def organizations() -> list[Resource]:
    """The two sites, and the network that both belong to."""
    network = {
        "resourceType": "Organization",
        "id": shared_id("organization/network"),
        "meta": NDJSON.meta(),
        "identifier": [{"system": NETWORK_SYSTEM, "value": "network"}],
        "active": True,
        "type": [term("organization-type", "other", "Other")],
        "name": "Example Health Network (synthetic)",
    }
    sites = [
        {
            "resourceType": "Organization",
            "id": shared_id(f"organization/{site_id}"),
            "meta": NDJSON.meta(),
            "identifier": [{"system": SITE_SYSTEM, "value": site_id}],
            "active": True,
            "type": [term("organization-type", "prov", "Healthcare Provider")],
            "name": site.name,
            "address": [{"city": site.cities[0][0], "state": STATE, "postalCode": f"{site.cities[0][1]:05d}"}],
            "partOf": {"reference": f"Organization/{network['id']}"},
        }
        for site_id, site in SITES.items()
    ]
    return [network, *sites]


def practitioners() -> list[Resource]:
    """A few at each site."""
    return [
        {
            "resourceType": "Practitioner",
            "id": shared_id(f"practitioner/{npi(site_id, number)}"),
            "meta": NDJSON.meta(),
            "identifier": [{"system": NPI_SYSTEM, "value": npi(site_id, number)}],
            "active": True,
            "name": [{"use": "official", "prefix": ["Dr."], "given": ["Example"], "family": "ABCDEFGH"[number]}],
        }
        for site_id in SITES
        for number in range(PRACTITIONERS_PER_SITE)
    ]


def patient(person: Person, style: Style) -> Resource:
    """The Patient."""
    who = person.identity
    meta = {**style.meta(), "security": [_TEST_DATA]}
    address = {"use": "home", "line": [who.address.line], "city": who.address.city, "state": who.address.state}
    resource: Resource = {
        "resourceType": "Patient",
        "id": who.patient_id,
        "meta": meta,
        "identifier": [_uuid_identifier(who.patient_id), _mrn_identifier(who.mrn)],
        "extension": _extensions(person.background),
        "active": who.deceased_at is None,
        "name": [
            *({"use": name.use, "family": name.family, "given": [name.given]} for name in who.names),
            *_maiden_name(person),
        ],
        "telecom": [{"system": "phone", "value": who.phone, "use": "home"}],
        "gender": who.gender,
        "birthDate": who.birth_date.isoformat(),
        "address": [{**address, "postalCode": who.address.postcode, "country": "US"}],
        "maritalStatus": _marital_status(who.marital_code),
        "communication": [_language(person.background.language)],
        "generalPractitioner": [style.practitioner(who.site_id, who.practitioner)],
        "managingOrganization": style.organization(who.site_id),
    }
    birth_sex = {"url": f"{US_CORE}/us-core-birthsex", "valueCode": "M" if who.is_male else "F"}
    resource["extension"].insert(person.index % 3, birth_sex)
    if who.deceased_at:
        resource["deceasedDateTime"] = style.instant(who.deceased_at)
    return resource


def consent(person: Person, style: Style) -> Resource:
    """The person's one consent to research, with the two kinds of data that it covers or not."""
    given = person.consent
    return {
        "resourceType": "Consent",
        "id": resource_id(person.patient_id, "consent"),
        "meta": style.meta(),
        "status": "active" if given.is_active else "inactive",
        "scope": term("consentscope", "research", "Research"),
        "category": [coded(LOINC_SYSTEM, Concept("59284-0", "Consent Document"), text=False)],
        "patient": style.reference("Patient", person.patient_id),
        "dateTime": style.instant(given.given_at),
        "organization": [style.organization(person.identity.site_id)],
        "policyRule": term("v3-ActCode", *(("OPTIN", "opt-in") if given.permits_research else ("OPTOUT", "opt-out"))),
        "provision": {
            "type": _permission(given.permits_research),
            "period": {"start": style.instant(given.given_at), "end": f"{given.given_at.year + 20}-12-31"},
            "provision": [
                _provision("genomic", "Genomic data", given.permits_genomic),
                _provision("imaging", "Imaging data", given.permits_imaging),
            ],
        },
    }


def _extensions(about: Background) -> list[Resource]:
    """US Core's and Synthea's, in no fixed order: who reads them by place reads them wrongly."""
    extensions = [
        _omb("us-core-race", about.race, RACES[about.race]),
        _omb("us-core-ethnicity", about.ethnicity, ETHNICITIES[about.ethnicity]),
        {"url": f"{HL7}/patient-mothersMaidenName", "valueString": about.mothers_maiden_name},
        {"url": f"{HL7}/patient-birthPlace", "valueAddress": {"city": about.birth_city, "country": "US"}},
    ]
    return extensions[::-1] if about.language == "es" else extensions


def _omb(name: str, code: str, display: str) -> Resource:
    coding = {"system": "urn:oid:2.16.840.1.113883.6.238", "code": code, "display": display}
    parts = [{"url": "ombCategory", "valueCoding": coding}, {"url": "text", "valueString": display}]
    return {"url": f"{US_CORE}/{name}", "extension": parts}


def _maiden_name(person: Person) -> list[Resource]:
    name = person.background.maiden_name
    return [{"use": "maiden", "family": name, "given": [person.identity.official.given]}] if name else []


def _language(code: str) -> Resource:
    return {"language": coded("urn:ietf:bcp:47", Concept(code, LANGUAGES[code])), "preferred": True}


def _permission(is_permitted: bool) -> str:
    return "permit" if is_permitted else "deny"


def _provision(code: str, display: str, is_permitted: bool) -> Resource:
    return {"type": _permission(is_permitted), "code": [coded(CONSENT_SYSTEM, Concept(code, display), text=False)]}


def _uuid_identifier(value: str) -> Resource:
    return {"use": "usual", "system": PERSON_SYSTEM, "value": value}


def _mrn_identifier(value: str) -> Resource:
    kind = term("v2-0203", "MR", "Medical record number")
    return {"use": "official", "type": kind, "system": MRN_SYSTEM, "value": value}


def _marital_status(code: str) -> Resource:
    return term("v3-MaritalStatus", code, MARITAL[code])
