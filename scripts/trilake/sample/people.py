"""People from a seed: shard by shard, latent draws become whole persons, and a few orphans that no chart knows.

A shard is a pure function of (seed, shard). Which files a person has never depends on any outcome.

Reads and writes nothing. Make target: sample. Example: draw_shard(7, 0, 50).people[0].identity.mrn
"""

from dataclasses import dataclass

import numpy as np

from trilake.sample import keys
from trilake.sample.background import draw_background
from trilake.sample.effects import SCALES
from trilake.sample.genome import Alleles, draw_alleles, draw_orphan_sample, draw_sequencing
from trilake.sample.identity import draw_consents, draw_identity
from trilake.sample.latent import Latent, draw
from trilake.sample.life import draw_life
from trilake.sample.presence import Presence, presence_of
from trilake.sample.record import Consent, Person, Scan, Sequencing
from trilake.sample.scans import draw_orphan_scan, draw_scans
from trilake.sample.vocabulary import SMOKING

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
