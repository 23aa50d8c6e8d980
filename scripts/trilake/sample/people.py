"""People from a seed: shard by shard, latent draws become whole persons, and a few orphans that no chart knows.

A shard is a pure function of (seed, shard). Which files a person has never depends on any outcome: `tiny` leaves it to
chance; in `imaging` everyone has an MR; `coherent` and `dirty` deal it as the prepared Coherent data set has it, in an
order of the seed's own, so that a smaller sample has about those shares.

Example: draw_shard(7, 0, 50).people[0].identity.mrn
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import numpy as np

from trilake.sample import keys
from trilake.sample.genome import Alleles, draw_alleles, draw_orphan_sample, draw_sequencing
from trilake.sample.keys import mrn, patient_id, stream
from trilake.sample.latent import DATA_END, INDEX_DATE, SCALES, Latent, draw
from trilake.sample.life import draw_background, draw_life
from trilake.sample.record import Address, Consent, Identity, Name, Person, Scan, Sequencing, at
from trilake.sample.scans import draw_orphan_scan, draw_scans
from trilake.sample.vocabulary import (
    FAMILY,
    GIVEN_FEMALE,
    GIVEN_MALE,
    MARITAL,
    PRACTITIONERS_PER_SITE,
    SITES,
    SMOKING,
    STATE,
    STREETS,
)

SHARE_DECEASED = 0.04
SHARE_OTHER_NAME_FIRST = 0.3

CONSENT_CASES: dict[str, tuple[int, bool, bool, bool, bool]] = {
    "permits_all": (31, True, True, True, True),
    "refuses_research": (8, True, False, False, False),
    "refuses_genomic": (4, True, True, False, True),
    "refuses_imaging": (4, True, True, True, False),
    "withdrawn": (3, False, True, True, True),
}
"""Case -> people in a shard, active, permits research, genomic, imaging. A withdrawn consent is inactive."""


def draw_identity(
    rng: np.random.Generator, seed: int, index: int, *, age: float, is_male: bool, site_id: str
) -> Identity:
    """The person's identifiers and demographics; `age` in years at the index date."""
    names = _draw_names(rng, is_male)
    city, first_postcode = SITES[site_id].cities[int(rng.integers(len(SITES[site_id].cities)))]
    address = Address(
        f"{rng.integers(1, 400)} {_pick(rng, STREETS)}", city, STATE, f"{first_postcode + int(rng.integers(60)):05d}"
    )
    is_deceased = rng.random() < SHARE_DECEASED
    last_day = DATA_END - timedelta(days=int(rng.integers(1, 80)))
    return Identity(
        patient_id=patient_id(seed, index),
        mrn=mrn(seed, index),
        names=names,
        is_male=is_male,
        birth_date=INDEX_DATE - timedelta(days=round(age * 365.25)),
        site_id=site_id,
        address=address,
        phone=f"555-01{rng.integers(100):02d}",
        marital_code=_pick(rng, tuple(MARITAL)),
        practitioner=int(rng.integers(PRACTITIONERS_PER_SITE)),
        deceased_at=at(last_day, 4, 30) if is_deceased else None,
    )


def draw_consents(rng: np.random.Generator) -> list[Consent]:
    """One consent for each place of a shard: fixed numbers of each case, in random order, whoever sits there."""
    cases = [case for case, (n, *_) in CONSENT_CASES.items() for _ in range(n)]
    first = date(2016, 1, 4)
    days = rng.integers(0, 15, len(cases))
    return [
        Consent(cases[i], *CONSENT_CASES[cases[i]][1:], at(first + timedelta(days=int(day)), 15))
        for i, day in zip(rng.permutation(len(cases)), days, strict=True)
    ]


def _draw_names(rng: np.random.Generator, is_male: bool) -> tuple[Name, ...]:
    official = Name("official", _pick(rng, GIVEN_MALE if is_male else GIVEN_FEMALE), _pick(rng, FAMILY))
    if rng.random() < 0.5:
        other = Name("nickname", official.given[:3], official.family)
    else:
        other = Name("old", official.given, _pick(rng, FAMILY))
    return (other, official) if rng.random() < SHARE_OTHER_NAME_FIRST else (official, other)


def _pick(rng: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[int(rng.integers(len(words)))]


N_COHERENT, N_VCF, N_MR, N_BOTH = 1278, 889, 298, 151
PROFILES = {"tiny": 100, "coherent": N_COHERENT, "dirty": N_COHERENT, "imaging": 60}
"""Profile -> patients when --patients does not say."""


@dataclass(frozen=True)
class Presence:
    """Which files a person has; None leaves it to chance."""

    has_vcf: bool | None = None
    has_mr: bool | None = None


def presence_of(profile: str, seed: int, index: int) -> Presence:
    """The person's files."""
    if profile in ("tiny", "imaging"):
        return Presence(has_mr=True if profile == "imaging" else None)
    place = int(order_of(seed, index // N_COHERENT)[index % N_COHERENT])
    return Presence(has_vcf=place < N_VCF, has_mr=place < N_BOTH or N_VCF <= place < N_VCF + N_MR - N_BOTH)


@cache
def order_of(seed: int, block: int) -> np.ndarray:
    return stream(seed, "profile", block).permutation(N_COHERENT)


SHARE_BUNDLE = 0.5
"""Share of people whose chart comes as a transaction Bundle of an older writer."""
ORPHAN_SCAN_PLACE = 24
ORPHAN_SAMPLE_PLACE = 37
"""Places in a shard after which an orphan scan and an orphan sample appear."""


@dataclass(frozen=True)
class Shard:
    """The people of one shard and the orphans among them."""

    people: tuple[Person, ...]
    orphan_samples: tuple[Sequencing, ...]
    orphan_scans: tuple[Scan, ...]


def draw_shard(seed: int, shard: int, n: int, profile: str = "tiny") -> Shard:
    """The first `n` people of a shard (at most SHARD_SIZE); a shorter shard is the beginning of the whole one.

    One more than a shard is drawn: the stranger whose sample is an orphan.
    """
    latent = draw(keys.stream(seed, "latent", shard), keys.SHARD_SIZE + 1)
    alleles = draw_alleles(keys.stream(seed, "genome", shard), latent.haplotypes)
    consents = draw_consents(keys.stream(seed, "consent", shard))
    first = shard * keys.SHARD_SIZE
    files = [presence_of(profile, seed, first + i) for i in range(n)]
    people = tuple(_draw_person(seed, first + i, latent, alleles[i], consents[i], files[i]) for i in range(n))
    has_sample, has_scan = n > ORPHAN_SAMPLE_PLACE, n > ORPHAN_SCAN_PLACE
    samples = (draw_orphan_sample(seed, shard, alleles[keys.SHARD_SIZE]),) if has_sample else ()
    return Shard(people, samples, (draw_orphan_scan(seed, shard),) if has_scan else ())


def _draw_person(seed: int, index: int, latent: Latent, alleles: Alleles, consent: Consent, files: Presence) -> Person:
    i = index % keys.SHARD_SIZE
    features = {name: float(values[i]) for name, values in latent.features.items()}
    labels = {name: bool(values[i]) for name, values in latent.labels.items()}
    rng = keys.stream(seed, "life", index)
    site_id = "south" if features["is_south"] else "north"
    traits = _traits(rng, features)
    is_male = bool(features["is_male"])
    identity = draw_identity(rng, seed, index, age=traits["age"], is_male=is_male, site_id=site_id)
    presence = keys.stream(seed, "presence", index)
    is_bundle = bool(presence.random() < SHARE_BUNDLE)
    life = draw_life(rng, traits, labels, identity, is_2019_coded=is_bundle)
    checkups = tuple((visit.key, visit.start) for visit in life.visits if visit.kind == "checkup")
    background = draw_background(
        keys.stream(seed, "background", index),
        is_male=is_male,
        birth_year=identity.birth_date.year,
        checkups=checkups,
    )
    return Person(
        index=index,
        is_bundle=is_bundle,
        identity=identity,
        traits=traits,
        smoking=SMOKING["current" if features["smokes"] else "former" if features["smoked_before"] else "never"],
        consent=consent,
        visits=life.visits,
        diagnoses=life.diagnoses,
        treatments=life.treatments,
        notes=life.notes,
        sequencing=draw_sequencing(seed, index, presence, identity, alleles, has_vcf=files.has_vcf),
        scans=draw_scans(seed, index, presence, identity, traits, diagnoses=life.diagnoses, has_mr=files.has_mr),
        background=background,
        probabilities={name: float(values[i]) for name, values in latent.probabilities.items()},
        labels=labels,
    )


def _traits(rng: np.random.Generator, features: dict[str, float]) -> dict[str, float]:
    """Features in natural units, and two that follow from them."""
    traits = {name: mean + sd * features[name] for name, (mean, sd, _) in SCALES.items()}
    traits["dbp"] = 80.0 + 0.35 * (traits["sbp"] - 134.0) + 6.0 * rng.standard_normal()
    traits["cholesterol"] = traits["ldl"] + 64.0 + 12.0 * rng.standard_normal()
    return traits
