"""Who a person is: names, birth date, address, consent. Nothing here moves an outcome (decoys, most of it).

Reads and writes nothing. Make target: sample. Example: draw_consents(stream(7, "consent", 0))[0].case
"""

from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from trilake.sample.effects import DATA_END, INDEX_DATE
from trilake.sample.keys import mrn, patient_id
from trilake.sample.record import Address, Consent, Identity, Name
from trilake.sample.vocabulary import (
    FAMILY,
    GIVEN_FEMALE,
    GIVEN_MALE,
    MARITAL,
    PRACTITIONERS_PER_SITE,
    SITES,
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


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A time of day, UTC."""
    return datetime.combine(day, time(hour, minute), UTC)


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
