"""What a study file may say: the outcome, who is at risk and when, and which features may be used.

Times are years: those who build models see years, not dates. So the index date is a 1 January, and "before the index
date" is "in an earlier year", exactly.

Example: load_study(Path("sql/ml/studies/alzheimers_disease.yaml")).index_year
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from trilake.cohort.definition import CODE_SYSTEMS, Codes, CodeSystem, Name, Text
from trilake.core.paths import SQL
from trilake.core.yaml_file import Strict, load_model

STUDIES = SQL / "ml" / "studies"


def first_of_january(day: date) -> date:
    if (day.month, day.day) != (1, 1):
        raise ValueError(f"found {day}, expected a 1 January: model builders see years, not dates")
    return day


Years = Annotated[int, Field(ge=0, le=50)]
NewYear = Annotated[date, AfterValidator(first_of_january)]


class CodeList(Strict):
    """Codes of one system."""

    system: CodeSystem
    codes: Codes


class Outcome(Strict):
    """What is predicted. `treatments` are codes of drugs and procedures that follow from it: never features."""

    value_set: Annotated[list[CodeList], Field(min_length=1)]
    value_set_version: Text
    verification: list[Literal["confirmed", "provisional", "not_stated"]] = ["confirmed"]
    treatments: list[CodeList] = []


class NumberFeature(Strict):
    """The mean of the values of the latest year with any, in one unit."""

    name: Name
    system: CodeSystem = CODE_SYSTEMS["LOINC"]
    code: Text
    unit: Text


class AnswerFeature(Strict):
    """Whether the answer of the latest year with any was one of `value_codes`."""

    name: Name
    system: CodeSystem = CODE_SYSTEMS["LOINC"]
    code: Text
    value_codes: Codes


class RecordFeature(Strict):
    """Whether a record with one of the codes is dated before the index date."""

    name: Name
    system: CodeSystem
    codes: Codes


class ImageFeature(Strict):
    """A radiomics feature of the latest study."""

    feature: Name
    unit: Text


class ClinicalFeatures(Strict):
    """Age and sex always; measurements, coded answers, conditions and drugs by name."""

    measurements: list[NumberFeature] = []
    answers: list[AnswerFeature] = []
    conditions: list[RecordFeature] = []
    medications: list[RecordFeature] = []


class GenomicFeatures(Strict):
    """Copies of the alternate allele of each variant."""

    variants: Annotated[list[Annotated[str, StringConstraints(pattern=r"^rs[0-9]+$")]], Field(min_length=1)]


class ImagingFeatures(Strict):
    """Measurements of the latest study of one modality."""

    modality: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,16}$")]
    radiomics: Annotated[list[ImageFeature], Field(min_length=1)]


class Features(Strict):
    """What the model may use, by kind of data."""

    clinical: ClinicalFeatures
    genomic: GenomicFeatures | None = None
    imaging: ImagingFeatures | None = None


class Evaluation(Strict):
    """How the model is fitted and held out. Chosen before looking; `strength` is sklearn's C."""

    strength: Annotated[float, Field(gt=0)] = 0.1
    folds: Annotated[int, Field(ge=2, le=20)] = 5
    repeats: Annotated[int, Field(ge=1, le=100)] = 10
    resamples: Annotated[int, Field(ge=100, le=20000)] = 2000
    seed: Annotated[int, Field(ge=0)] = 7


class Study(Strict):
    """One outcome, predicted at one day for everyone."""

    name: Name
    description: Text
    outcome: Outcome
    index_date: NewYear
    look_back_years: Annotated[int, Field(ge=1, le=50)]
    blackout_years: Years = 0
    at_risk_until: NewYear
    follow_up_years: Years = 1
    features: Features
    evaluation: Evaluation = Evaluation()

    @property
    def index_year(self) -> int:
        """The first year that no feature may come from."""
        return self.index_date.year

    @property
    def first_feature_year(self) -> int:
        return self.index_year - self.look_back_years

    @property
    def risk_start_year(self) -> int:
        """The first year of onset that makes a case."""
        return self.index_year + self.blackout_years

    @property
    def modalities(self) -> list[str]:
        return [name for name in Features.model_fields if getattr(self.features, name) is not None]

    @model_validator(mode="after")
    def has_time_at_risk(self) -> Self:
        if self.at_risk_until.year <= self.risk_start_year:
            raise ValueError(f"at_risk_until {self.at_risk_until} leaves no year after {self.risk_start_year}")
        return self


def load_study(path: Path) -> Study:
    """The study in a file. InputError lists all faults with their lines."""
    return load_model(path, Study)
