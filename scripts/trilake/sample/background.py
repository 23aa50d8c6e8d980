"""What a chart holds beside the story of the outcomes: origin, childhood illness, allergies, vaccines, the family,
the care team, drugs given, and findings of every kind of value. Nothing here moves or follows an outcome.

Reads and writes nothing. Make target: sample. Example: draw_background(stream(7, "background", 0), person).allergy
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from trilake.sample.identity import at
from trilake.sample.record import Concept
from trilake.sample.vocabulary import FAMILY, SITES

SHARE_ALLERGIC = 0.3
SHARE_FAMILY_ILL = 0.4
SHARE_CHILDHOOD = 0.2
SHARE_EXAMINED = 0.1
SHARE_NOT_VACCINATED = 0.1

RACES = {"2106-3": "White", "2054-5": "Black or African American", "2028-9": "Asian", "2131-1": "Other Race"}
ETHNICITIES = {"2186-5": "Not Hispanic or Latino", "2135-2": "Hispanic or Latino"}
LANGUAGES = {"en-US": "English", "es": "Spanish"}

ALLERGIES = (
    ("food", "91935009", "Allergy to peanut (finding)"),
    ("medication", "91936005", "Allergy to penicillin (finding)"),
    ("environment", "232347008", "Dander (animal) allergy (disorder)"),
)
REACTION = Concept("271807003", "Eruption of skin (disorder)")
INFLUENZA = Concept("140", "Influenza, seasonal, injectable, preservative free")
TETANUS = Concept("113", "Td (adult) preservative free")
RELATIONS = (("FTH", "father", "male"), ("MTH", "mother", "female"), ("BRO", "brother", "male"))
FAMILY_ILLNESS = (
    Concept("254837009", "Malignant neoplasm of breast (disorder)"),
    Concept("195967001", "Asthma (disorder)"),
)
ASTHMA = Concept("233678006", "Childhood asthma (disorder)")
ADENOIDS = Concept("14857009", "Adenoidal hypertrophy (disorder)")
TONSILLECTOMY = Concept("173422009", "Tonsillectomy (procedure)")


@dataclass(frozen=True)
class Allergy:
    """An allergy and when it showed."""

    category: str
    concept: Concept
    since: date
    last_shown: date


@dataclass(frozen=True)
class Vaccination:
    """A vaccine given, or why not; `told` where the time is known by word of mouth."""

    key: str
    vaccine: Concept
    at: datetime
    visit_key: str
    is_given: bool
    told: str | None = None


@dataclass(frozen=True)
class Relative:
    """A member of the family and what ails them; `died_at_age` in years."""

    code: str
    display: str
    sex: str
    birth_year: int
    age: int
    died_at_age: int | None
    illness: tuple[tuple[Concept, int], ...]


@dataclass(frozen=True)
class Background:
    """One person's background. `is_examined`: findings of every kind of value exist of this person."""

    race: str
    ethnicity: str
    language: str
    birth_city: str
    mothers_maiden_name: str
    maiden_name: str | None
    allergy: Allergy | None
    vaccinations: tuple[Vaccination, ...]
    relative: Relative | None
    has_childhood_illness: bool
    is_examined: bool


def draw_background(
    rng: np.random.Generator, *, is_male: bool, birth_year: int, checkups: tuple[tuple[str, datetime], ...]
) -> Background:
    """The background of a person whose check-ups are given as (key, time)."""
    return Background(
        race=_pick(rng, tuple(RACES)),
        ethnicity=_pick(rng, tuple(ETHNICITIES)),
        language="es" if rng.random() < 0.1 else "en-US",
        birth_city=_pick(rng, tuple(city for site in SITES.values() for city, _ in site.cities)),
        mothers_maiden_name=_pick(rng, FAMILY),
        maiden_name=_pick(rng, FAMILY) if not is_male and rng.random() < 0.4 else None,
        allergy=_draw_allergy(rng),
        vaccinations=_draw_vaccinations(rng, checkups),
        relative=_draw_relative(rng, birth_year),
        has_childhood_illness=bool(rng.random() < SHARE_CHILDHOOD),
        is_examined=bool(rng.random() < SHARE_EXAMINED),
    )


def _draw_allergy(rng: np.random.Generator) -> Allergy | None:
    category, code, display = ALLERGIES[int(rng.integers(len(ALLERGIES)))]
    since = date(2005, 1, 1) + timedelta(days=int(rng.integers(3000)))
    allergy = Allergy(category, Concept(code, display), since, since + timedelta(days=400))
    return allergy if rng.random() < SHARE_ALLERGIC else None


def _draw_vaccinations(rng: np.random.Generator, checkups: tuple[tuple[str, datetime], ...]) -> tuple[Vaccination, ...]:
    (first, first_at), (second, second_at) = checkups[:2]
    is_given = bool(rng.random() >= SHARE_NOT_VACCINATED)
    found = [Vaccination("influenza", INFLUENZA, second_at + timedelta(minutes=20), second, is_given)]
    if rng.random() < 0.3:
        told = "as a recruit" if rng.random() < 0.3 else None
        found.append(Vaccination("tetanus", TETANUS, first_at + timedelta(minutes=20), first, True, told))
    return tuple(found)


def _draw_relative(rng: np.random.Generator, birth_year: int) -> Relative | None:
    code, display, sex = RELATIONS[int(rng.integers(len(RELATIONS)))]
    born = birth_year - (0 if code == "BRO" else 28) + int(rng.integers(-3, 4))
    n_ill = int(rng.integers(0, 3))
    illness = tuple((concept, int(rng.integers(30, 60))) for concept in FAMILY_ILLNESS[:n_ill])
    died = int(rng.integers(62, 90)) if code != "BRO" and rng.random() < 0.6 else None
    relative = Relative(code, display, sex, born, 2016 - born, died, illness)
    return relative if rng.random() < SHARE_FAMILY_ILL else None


def childhood(birth_year: int) -> datetime:
    """When a childhood illness was first written down: long after."""
    return at(date(max(birth_year + 30, 2016), 2, 1), 14)


def _pick(rng: np.random.Generator, words: tuple[str, ...]) -> str:
    return words[int(rng.integers(len(words)))]
