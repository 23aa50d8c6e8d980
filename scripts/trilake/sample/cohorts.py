"""Cohort questions with known answers, over one to three kinds of data.

A question's criteria stand in words, in machine-readable form (governed table and column conditions), and as a test on
the latent record, which gives the true answer.

Example: [question.name for question in QUESTIONS if question.holds(person)]
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from trilake.sample.latent import INDEX_DATE, OUTCOMES
from trilake.sample.panel import MARKERS, SITES, Site
from trilake.sample.record import Person

_MARKER = {site.rs_id: site for site in MARKERS}
_CURRENT_SMOKER = "449868002"


@dataclass(frozen=True)
class Criterion:
    """One condition that a person meets or not. `kind` is clinical, genomic or imaging."""

    kind: str
    words: str
    machine: dict[str, Any]
    holds: Callable[[Person], bool]


@dataclass(frozen=True)
class Question:
    """All criteria must hold."""

    name: str
    criteria: tuple[Criterion, ...]

    def holds(self, person: Person) -> bool:
        return all(criterion.holds(person) for criterion in self.criteria)

    def is_consented(self, person: Person) -> bool:
        """Research, and the kinds of data that the question looks at."""
        kinds = {criterion.kind for criterion in self.criteria}
        consent = person.consent
        return (
            consent.research
            and ("genomic" not in kinds or consent.genomic)
            and ("imaging" not in kinds or consent.imaging)
        )


def hash_of(patient_ids: list[str]) -> str:
    """sha256 of the sorted ids, one a line, without a newline at the end."""
    return sha256("\n".join(sorted(patient_ids)).encode()).hexdigest()


def n_alternate(person: Person, site: Site, allele: int = 1) -> int | None:
    """Copies of the allele that the person's VCF shows; None when not sequenced, not called or filtered."""
    if person.sequencing is None:
        return None
    row = SITES.index(site)
    call = person.sequencing.calls[row]
    if person.sequencing.is_filtered[row] or call[0] < 0:
        return None
    return int((call == allele).sum())


def _has_outcome(outcome: str) -> Criterion:
    codes = OUTCOMES[outcome].value_set
    where = {"code": codes, "verification_status": "confirmed"}
    return Criterion(
        "clinical",
        f"has a confirmed diagnosis of {outcome.replace('_', ' ')} at any time",
        {"table": "clinical.condition", "where": where},
        lambda person: person.case_of(outcome) is not None,
    )


def _carries(rs_id: str, at_least: int) -> Criterion:
    site = _MARKER[rs_id]
    variant_id = site.variant_id(site.alts[0])
    return Criterion(
        "genomic",
        f"carries at least {at_least} called {site.alts[0]} of {rs_id} ({site.gene})",
        {
            "table": "genomic.dosage",
            "where": {"variant_id": variant_id, "call_status": "called"},
            "n_alt_at_least": at_least,
        },
        lambda person: (n_alternate(person, site) or 0) >= at_least,
    )


def _carries_pathogenic(genes: tuple[str, ...]) -> Criterion:
    sites = [site for site in MARKERS if site.gene in genes and site.significance == ("Pathogenic",)]
    ids = [site.variant_id(site.alts[0]) for site in sites]
    where = {"gene": list(genes), "clinical_significance": "Pathogenic"}
    return Criterion(
        "genomic",
        f"carries a called allele annotated Pathogenic in {' or '.join(genes)}",
        {"table": "genomic.annotation", "where": where, "n_alt_at_least": 1, "variant_ids": ids},
        lambda person: any((n_alternate(person, site) or 0) >= 1 for site in sites),
    )


def _is_sequenced() -> Criterion:
    return Criterion(
        "genomic",
        "has a linked sample",
        {"table": "genomic.sample", "where": {}},
        lambda person: person.sequencing is not None,
    )


def _has_mr(before: date | None = None, tesla: float | None = None) -> Criterion:
    where: dict[str, Any] = {"modality": "MR"}
    words = "has a linked MR study in the image store"
    if before:
        where["study_date_before"] = before.isoformat()
        words += f" from before {before}"
    if tesla:
        where["field_strength"] = tesla
        words += f" at {tesla} T"
    return Criterion(
        "imaging",
        words,
        {"table": "imaging.study" if tesla is None else "imaging.series", "where": where, "is_linked": True},
        lambda person: any(
            scan.has_file
            and (before is None or scan.at.date() < before)
            and (tesla is None or scan.scanner.field_strength == tesla)
            for scan in person.scans
        ),
    )


def _systolic_at_least(value: float) -> Criterion:
    where = {"code": "8480-6", "value_number_at_least": value, "effective_before": INDEX_DATE.isoformat()}
    return Criterion(
        "clinical",
        f"had a systolic blood pressure of {value:g} mm[Hg] or more before {INDEX_DATE}",
        {"table": "clinical.observation", "where": where},
        lambda person: any(
            measurement.values[0] >= value
            for visit in person.visits
            if visit.start.date() < INDEX_DATE
            for measurement in visit.measurements
            if measurement.name == "blood_pressure"
        ),
    )


def _smokes() -> Criterion:
    return Criterion(
        "clinical",
        "is a current smoker",
        {"table": "clinical.observation", "where": {"code": "72166-2", "value_code": _CURRENT_SMOKER}},
        lambda person: person.smoking.code == _CURRENT_SMOKER,
    )


QUESTIONS = (
    Question("hypertension_recorded", (_has_outcome("hypertension"),)),
    Question("high_systolic_before_index", (_systolic_at_least(140),)),
    Question("smokers_with_stroke", (_has_outcome("stroke"), _smokes())),
    Question("apoe_e4_carriers", (_carries("rs429358", 1),)),
    Question("pathogenic_clotting_alleles", (_carries_pathogenic(("F5", "F2")),)),
    Question("imaged_at_3_tesla_before_index", (_has_mr(INDEX_DATE, 3.0),)),
    Question("alzheimers_and_e4", (_has_outcome("alzheimers_disease"), _carries("rs429358", 1))),
    Question("coronary_with_two_9p21_alleles", (_has_outcome("coronary_heart_disease"), _carries("rs10757278", 2))),
    Question("alzheimers_with_mr", (_has_outcome("alzheimers_disease"), _has_mr())),
    Question("all_three_modalities", (_is_sequenced(), _has_mr())),
    Question(
        "alzheimers_e4_with_mr", (_has_outcome("alzheimers_disease"), _carries("rs429358", 1), _has_mr(INDEX_DATE))
    ),
    Question("high_systolic_9p21_with_mr", (_systolic_at_least(140), _carries("rs10757278", 1), _has_mr(INDEX_DATE))),
)
"""From one kind of data to three; some answers are below ten people on purpose."""


def describe(question: Question, members: dict[str, list[str]]) -> dict[str, Any]:
    """The question and its answers: `members` holds the ids of all, of those consented to research, and of those
    consented to every kind of data in the question."""
    answers = {
        group: {"n_patients": len(ids), "sha256_of_sorted_patient_ids": hash_of(ids)} for group, ids in members.items()
    }
    return {
        "name": question.name,
        "modalities": sorted({criterion.kind for criterion in question.criteria}),
        "criteria": [criterion.words for criterion in question.criteria],
        "all_of": [criterion.machine for criterion in question.criteria],
        "answers": answers,
    }
