"""What happens to a person: check-ups, diagnoses, treatments, notes, measurements; and a background that is no story.

Everyone has check-ups with measurements in 2016, 2017 and 2018, before the index date and before any onset of theirs.
After a diagnosis come its visits, drugs, procedures and better readings: decoys that leak the label to whoever looks
past the index date. The background (origin, childhood illness, allergies, vaccines, the family) moves and follows no
outcome; it is there so that every column of the governed tables has a value.

Example: draw_life(rng, traits, labels, identity, is_2019_coded=False).visits
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np

from trilake.sample.latent import INDEX_DATE, OUTCOMES, SHARE_PREVALENT
from trilake.sample.record import (
    Allergy,
    Background,
    Concept,
    Diagnosis,
    Identity,
    Measurement,
    Note,
    Relative,
    Treatment,
    Vaccination,
    Visit,
    at,
)
from trilake.sample.vocabulary import (
    ACETAMINOPHEN,
    BRONCHITIS,
    DIABETES,
    FAMILY,
    MEDICATIONS,
    PROCEDURES,
    RECONCILIATION,
    SINUSITIS,
    SITES,
)

SHARE_MEASURED = {"lipids": 0.8, "hba1c": 0.6, "sodium": 0.5, "smoking": 0.6}
SBP_DROP_ON_TREATMENT = 12.0
LDL_DROP_ON_TREATMENT = 35.0
_SD = {"sbp": 5.0, "dbp": 4.0, "bmi": 0.4, "ldl": 9.0, "cholesterol": 8.0, "hba1c": 0.12}


def measure(rng: np.random.Generator, visit: Visit, traits: dict[str, float], treated: dict[str, datetime]) -> Visit:
    """The visit with its measurements. `treated`: outcome -> since when."""
    is_first = visit.key.endswith("2016")
    taken = {name: is_first or bool(rng.random() < share) for name, share in SHARE_MEASURED.items()}
    since = {name: visit.start > begun for name, begun in treated.items()}
    sbp_drop = SBP_DROP_ON_TREATMENT if since.get("hypertension") else 0.0
    ldl_drop = LDL_DROP_ON_TREATMENT if since.get("coronary_heart_disease") else 0.0
    values = {name: traits[name] + sd * rng.standard_normal() for name, sd in _SD.items()}
    heart_rate = float(rng.normal(72, 9))
    sodium = float(rng.normal(140, 2.2))
    pressures = max(values["sbp"] - sbp_drop, 85.0), max(values["dbp"] - sbp_drop / 2, 45.0)
    measurements = [
        _quantity("blood_pressure", *pressures, digits=0),
        _quantity("bmi", max(values["bmi"], 15.0)),
        _quantity("heart_rate", heart_rate, digits=0),
    ]
    if taken["lipids"]:
        ldl = max(values["ldl"] - ldl_drop, 20.0)
        measurements += [
            _quantity("cholesterol", max(values["cholesterol"] - ldl_drop, ldl + 30.0)),
            _quantity("ldl", ldl),
        ]
    if taken["hba1c"]:
        measurements.append(_quantity("hba1c", max(values["hba1c"], 3.9)))
    if taken["sodium"]:
        measurements.append(_quantity("sodium", sodium))
    if taken["smoking"]:
        measurements.append(Measurement("smoking"))
    return replace(visit, measurements=tuple(measurements))


def _quantity(name: str, *values: float, digits: int = 1) -> Measurement:
    return Measurement(name, tuple(round(float(value), digits) for value in values))


CHECKUP_YEARS = (2016, 2017, 2018, 2020, 2022, 2024)
FIRST_PREVALENT_ONSET = date(2017, 1, 15)
LAST_PREVALENT_ONSET = date(2018, 11, 30)
LAST_ONSET = date(2026, 3, 1)
LAST_FOLLOW_UP = date(2026, 4, 1)
SHARE_YEAR_ONLY = 0.06  # FHIR dates may be partial: an onset "2017" must not be read as 1 January.
SHARE_REFUTED = 0.02
"""Share of people without an outcome whose chart holds its code as refuted: no case."""
DIABETES_HBA1C = 6.5

_VISIT_KIND = {"stroke": "emergency", "appendicitis": "admission"}
_DAYS_TO_RESOLVE = {"stroke": 30, "appendicitis": 14}


@dataclass(frozen=True)
class Life:
    """A person's events, each kind in order of time."""

    visits: tuple[Visit, ...]
    diagnoses: tuple[Diagnosis, ...]
    treatments: tuple[Treatment, ...]
    notes: tuple[Note, ...]


@dataclass
class _Draft:
    """Events as they are drawn."""

    rng: np.random.Generator
    is_2019_coded: bool
    visits: list[Visit]
    diagnoses: list[Diagnosis]
    treatments: list[Treatment]


def draw_life(
    rng: np.random.Generator,
    traits: dict[str, float],
    labels: dict[str, bool],
    identity: Identity,
    *,
    is_2019_coded: bool,
) -> Life:
    """All events of one person. `traits` in natural units; `labels` says which outcomes happen."""
    draft = _Draft(rng, is_2019_coded, _checkups(rng), [], [])
    for outcome, is_case in labels.items():
        if is_case:
            _add_outcome(draft, outcome)
        elif rng.random() < SHARE_REFUTED:
            _add_refuted(draft, outcome)
    _add_unrelated(draft, traits)
    _add_reconciliations(draft)
    treated = {d.outcome: d.recorded for d in draft.diagnoses if d.outcome and d.is_confirmed}
    visits = [measure(rng, visit, traits, treated) if visit.kind == "checkup" else visit for visit in draft.visits]
    return Life(
        tuple(sorted(visits, key=lambda visit: visit.start)),
        tuple(sorted(draft.diagnoses, key=lambda diagnosis: diagnosis.recorded)),
        tuple(sorted(draft.treatments, key=lambda treatment: treatment.at)),
        _notes(identity, visits, draft.diagnoses),
    )


def _checkups(rng: np.random.Generator) -> list[Visit]:
    days = [date(year, 1, 1) + timedelta(days=int(rng.integers(20, 330))) for year in CHECKUP_YEARS]
    return [Visit(f"checkup-{day.year}", "checkup", _office_hour(rng, day), 30) for day in days]


def _office_hour(rng: np.random.Generator, day: date) -> datetime:
    return at(day, int(rng.integers(13, 20)), int(rng.integers(0, 12)) * 5)


def _between(rng: np.random.Generator, first: date, last: date) -> date:
    return first + timedelta(days=int(rng.integers((last - first).days + 1)))


def _concept(draft: _Draft, outcome: str) -> Concept:
    about = OUTCOMES[outcome]
    if draft.is_2019_coded and about.codes_2019 and draft.rng.random() < 0.5:
        return Concept(*about.codes_2019)
    return Concept(about.code, about.display)


def _add_outcome(draft: _Draft, outcome: str) -> None:
    """A confirmed case: its onset, its visit, and what follows from it."""
    rng = draft.rng
    if rng.random() < SHARE_PREVALENT:
        onset_day = _between(rng, FIRST_PREVALENT_ONSET, LAST_PREVALENT_ONSET)
    else:
        onset_day = _between(rng, INDEX_DATE + timedelta(days=30), LAST_ONSET)
    onset = _office_hour(rng, onset_day)
    recorded = onset + timedelta(days=int(rng.integers(0, 22)))
    days = _DAYS_TO_RESOLVE.get(outcome)
    abated = recorded + timedelta(days=days) if days else None
    concept = _concept(draft, outcome)
    visit = Visit(f"visit-{outcome}", _VISIT_KIND.get(outcome, "symptom"), recorded, 60, concept)
    draft.visits.append(visit)
    draft.diagnoses.append(
        Diagnosis(
            f"case-{outcome}", concept, outcome, onset, bool(rng.random() < SHARE_YEAR_ONLY), recorded, abated,
            "confirmed", visit.key,
        )
    )  # fmt: skip
    _add_treatment(draft, outcome, visit)


def _add_treatment(draft: _Draft, outcome: str, visit: Visit) -> None:
    is_lasting = outcome not in _DAYS_TO_RESOLVE
    for i, drug in enumerate(MEDICATIONS[outcome]):
        begun = visit.start + timedelta(minutes=45)
        draft.treatments.append(Treatment(f"drug-{outcome}-{i}", "medication", drug, begun, visit.key, is_lasting))
    if outcome in PROCEDURES and (outcome != "coronary_heart_disease" or draft.rng.random() < 0.5):
        done = visit.start + timedelta(minutes=30)
        draft.treatments.append(Treatment(f"procedure-{outcome}", "procedure", PROCEDURES[outcome], done, visit.key))
    later = visit.start + timedelta(days=90)
    if later.date() <= LAST_FOLLOW_UP:
        draft.visits.append(Visit(f"follow-up-{outcome}", "follow_up", later, 20, visit.reason))


def _add_refuted(draft: _Draft, outcome: str) -> None:
    """A suspicion that was ruled out: the outcome's code without the outcome."""
    seen = _office_hour(draft.rng, _between(draft.rng, FIRST_PREVALENT_ONSET, LAST_ONSET))
    visit = Visit(f"suspicion-{outcome}", "symptom", seen, 30)
    draft.visits.append(visit)
    concept = _concept(draft, outcome)
    draft.diagnoses.append(
        Diagnosis(f"refuted-{outcome}", concept, outcome, seen, False, seen, None, "refuted", visit.key)
    )


def _add_unrelated(draft: _Draft, traits: dict[str, float]) -> None:
    rng = draft.rng
    for key, concept, share, days in (("bronchitis", BRONCHITIS, 0.4, 14), ("sinusitis", SINUSITIS, 0.3, 21)):
        seen = _office_hour(rng, _between(rng, date(2016, 2, 1), LAST_ONSET))
        if rng.random() >= share:
            continue
        visit = Visit(f"visit-{key}", "symptom", seen, 20, concept)
        draft.visits.append(visit)
        end = seen + timedelta(days=days)
        draft.diagnoses.append(Diagnosis(key, concept, None, seen, False, seen, end, "confirmed", visit.key))
        draft.treatments.append(Treatment(f"drug-{key}", "medication", ACETAMINOPHEN, seen, visit.key))
    if traits["hba1c"] >= DIABETES_HBA1C:
        visit = draft.visits[1]
        is_year_only = bool(rng.random() < SHARE_YEAR_ONLY)
        draft.diagnoses.append(
            Diagnosis("diabetes", DIABETES, None, visit.start, is_year_only, visit.start, None, "confirmed", visit.key)
        )


def _add_reconciliations(draft: _Draft) -> None:
    """The same procedure for everyone, at the first and the third check-up."""
    for visit in (draft.visits[0], draft.visits[2]):
        draft.treatments.append(
            Treatment(f"reconciliation-{visit.key}", "procedure", RECONCILIATION, visit.start, visit.key)
        )


def _notes(identity: Identity, visits: list[Visit], diagnoses: list[Diagnosis]) -> tuple[Note, ...]:
    name = identity.official
    head = f"SYNTHETIC NOTE\nPatient: {name.given} {name.family}, {identity.mrn}, born {identity.birth_date}\n"
    checkup = visits[2]
    notes = [Note("note-checkup", checkup.start, checkup.key, head + "Routine check-up. No new complaints.\n")]
    for diagnosis in diagnoses:
        if diagnosis.outcome and diagnosis.is_confirmed:
            text = f"{head}Assessment: {diagnosis.concept.display}. Treatment started; review in three months.\n"
            notes.append(Note(f"note-{diagnosis.outcome}", diagnosis.recorded, diagnosis.visit_key, text))
    return tuple(notes)


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
    vaccinations = [Vaccination("influenza", INFLUENZA, second_at + timedelta(minutes=20), second, is_given)]
    if rng.random() < 0.3:
        told = "as a recruit" if rng.random() < 0.3 else None
        vaccinations.append(Vaccination("tetanus", TETANUS, first_at + timedelta(minutes=20), first, True, told))
    return tuple(vaccinations)


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
