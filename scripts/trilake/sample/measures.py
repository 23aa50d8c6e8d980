"""What a check-up measures: the person's traits, the day's variation, and the effect of treatments already begun.

Blood pressure, BMI and heart rate are always taken; laboratory values sometimes, whatever the outcome; all of them at
the first check-up. Heart rate and sodium are decoys.

Reads and writes nothing. Make target: sample. Example: measure(rng, visit, traits, treated={}).measurements
"""

from dataclasses import replace
from datetime import datetime

import numpy as np

from trilake.sample.record import Measurement, Visit

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
    found = [
        _quantity("blood_pressure", *pressures, digits=0),
        _quantity("bmi", max(values["bmi"], 15.0)),
        _quantity("heart_rate", heart_rate, digits=0),
    ]
    if taken["lipids"]:
        ldl = max(values["ldl"] - ldl_drop, 20.0)
        found += [_quantity("cholesterol", max(values["cholesterol"] - ldl_drop, ldl + 30.0)), _quantity("ldl", ldl)]
    if taken["hba1c"]:
        found.append(_quantity("hba1c", max(values["hba1c"], 3.9)))
    if taken["sodium"]:
        found.append(_quantity("sodium", sodium))
    if taken["smoking"]:
        found.append(Measurement("smoking"))
    return replace(visit, measurements=tuple(found))


def _quantity(name: str, *values: float, digits: int = 1) -> Measurement:
    return Measurement(name, tuple(round(float(value), digits) for value in values))
