"""Fixtures of this folder's tests: an empty lake on the laptop's AWS, and a study."""

from datetime import date

import pytest

from tests.lake import built_lake, lake
from trilake.ml.study import Study

__all__ = ["built_lake", "lake"]

STUDY = {
    "name": "a_study",
    "description": "b",
    "outcome": {
        "value_set": [{"system": "SNOMED", "codes": ["26929004"]}],
        "value_set_version": "1",
        "treatments": [{"system": "RXNORM", "codes": ["997223"]}],
    },
    "index_date": date(2019, 1, 1),
    "look_back_years": 3,
    "blackout_years": 1,
    "at_risk_until": date(2027, 1, 1),
    "follow_up_years": 1,
    "features": {
        "clinical": {
            "measurements": [{"name": "systolic", "code": "8480-6", "unit": "mm[Hg]"}],
            "answers": [{"name": "smokes", "code": "72166-2", "value_codes": ["449868002"]}],
            "conditions": [{"name": "diabetes", "system": "SNOMED", "codes": ["44054006"]}],
            "medications": [{"name": "statin", "system": "RXNORM", "codes": ["312961"]}],
        },
        "genomic": {"variants": ["rs429358"]},
        "imaging": {"modality": "MR", "radiomics": [{"feature": "dark_interior_volume", "unit": "mL"}]},
    },
    "evaluation": {"strength": 0.1, "folds": 5, "repeats": 2, "resamples": 300, "seed": 7},
}


@pytest.fixture(scope="session")
def study() -> Study:
    return Study.model_validate(STUDY)
