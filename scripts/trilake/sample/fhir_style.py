"""Two ways to write the same chart, so that no importer is fitted to one generator.

`NDJSON`: literal references, dates in UTC, today's codes. `BUNDLE`: a transaction in the manner of 2019, with
`urn:uuid:` references, practitioners and organisations by search, local times, and the older DICOM identifier system.

Example: NDJSON.patient("0b..")["reference"]
"""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from trilake.sample.keys import shared_id
from trilake.sample.record import Concept
from trilake.sample.vocabulary import SITES

Resource = dict[str, Any]

SITE_SYSTEM = "https://trilake.example/site"
PERSON_SYSTEM = "https://trilake.example/person"
MRN_SYSTEM = "https://trilake.example/mrn"
CONSENT_SYSTEM = "https://trilake.example/consent"
TAG_SYSTEM = "https://trilake.example/tag"
NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"
SNOMED = "http://snomed.info/sct"
LOINC_SYSTEM = "http://loinc.org"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
LAST_UPDATED = "2026-07-01T06:00:00Z"

SYNTHETIC_TAG = {"system": TAG_SYSTEM, "code": "synthetic", "display": "Synthetic, not a person"}
_LOCAL = timezone(timedelta(hours=-5))


def coded(system: str, concept: Concept, *, text: bool = True) -> Resource:
    """A CodeableConcept with one coding."""
    codeable: Resource = {"coding": [{"system": system, "code": concept.code, "display": concept.display}]}
    return {**codeable, "text": concept.display} if text else codeable


def term(code_system: str, code: str, display: str) -> Resource:
    """A CodeableConcept from HL7's terminology server."""
    return coded(f"{TERMINOLOGY}/{code_system}", Concept(code, display), text=False)


def npi(site_id: str, number: int) -> str:
    """A practitioner's (invented) number."""
    return f"99999{list(SITES).index(site_id):02d}{number:03d}"


@dataclass(frozen=True)
class Style:
    """One writer's habits."""

    is_bundle: bool

    def meta(self) -> Resource:
        """Tagged synthetic; only the newer writer says when it wrote."""
        return {"tag": [SYNTHETIC_TAG]} if self.is_bundle else {"lastUpdated": LAST_UPDATED, "tag": [SYNTHETIC_TAG]}

    def instant(self, when: datetime) -> str:
        """A time, in UTC or local with its offset."""
        if self.is_bundle:
            return when.astimezone(_LOCAL).isoformat(timespec="seconds")
        return when.strftime("%Y-%m-%dT%H:%M:%SZ")

    def onset(self, when: datetime, *, is_year_only: bool) -> str:
        """When a condition began: a year, a day, or (older writer) a time."""
        if is_year_only:
            return f"{when.year}"
        return self.instant(when) if self.is_bundle else when.strftime("%Y-%m-%d")

    def reference(self, kind: str, identifier: str) -> Resource:
        """A reference to something of the same patient."""
        return {"reference": f"urn:uuid:{identifier}" if self.is_bundle else f"{kind}/{identifier}"}

    def practitioner(self, site_id: str, number: int) -> Resource:
        """A reference to a practitioner, whom a bundle does not carry."""
        key = npi(site_id, number)
        if self.is_bundle:
            return {"reference": f"Practitioner?identifier={NPI_SYSTEM}|{key}", "display": practitioner_name(number)}
        return {"reference": f"Practitioner/{shared_id(f'practitioner/{key}')}", "display": practitioner_name(number)}

    def organization(self, site_id: str) -> Resource:
        """A reference to a site, with its identifier beside it."""
        query = f"Organization?identifier={SITE_SYSTEM}|{site_id}"
        return {
            "reference": query if self.is_bundle else f"Organization/{shared_id(f'organization/{site_id}')}",
            "identifier": {"system": SITE_SYSTEM, "value": site_id},
            "display": SITES[site_id].name,
        }

    @property
    def study_uid_system(self) -> str:
        return "urn:ietf:rfc:3986" if self.is_bundle else "urn:dicom:uid"


NDJSON = Style(is_bundle=False)
BUNDLE = Style(is_bundle=True)


def practitioner_name(number: int) -> str:
    """The practitioner's name as references show it."""
    return f"Dr. Example {'ABCDEFGH'[number]}"
