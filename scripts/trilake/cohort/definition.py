"""What a cohort file may say: ordered, named criteria over clinical, variant and image data.

A criterion includes or excludes by one predicate. A predicate holds, does not hold, or cannot be assessed for a
patient; sql/cohort/README.md says when.

Example: load_definition(Path("sql/cohort/cohorts/apoe_e4_carriers.yaml")).criteria[0].name
"""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from trilake.core.paths import SQL
from trilake.core.yaml_file import Strict, load_model

COHORTS = SQL / "cohort" / "cohorts"

CODE_SYSTEMS = {
    "SNOMED": "http://snomed.info/sct",
    "LOINC": "http://loinc.org",
    "RXNORM": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "ICD10CM": "http://hl7.org/fhir/sid/icd-10-cm",
}
EXTRACTED = [
    "clinical.patient",
    "clinical.condition",
    "clinical.observation",
    "clinical.medication_request",
    "genomic.dosage",
    "imaging.study",
    "imaging.radiomics",
]
"""Governed tables that an extract holds unless the definition says otherwise."""


def system_uri(name: str) -> str:
    """The URI of a code system given by short name or by URI."""
    if name in CODE_SYSTEMS:
        return CODE_SYSTEMS[name]
    if not name.startswith(("http://", "https://", "urn:")):
        raise ValueError(f"found '{name}', expected {', '.join(CODE_SYSTEMS)} or the system's URI")
    return name


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Text = Annotated[str, StringConstraints(min_length=1)]
CodeSystem = Annotated[str, AfterValidator(system_uri)]
Codes = Annotated[list[Text], Field(min_length=1)]


class Window(Strict):
    """Days from `since` (inclusive) to `before` (exclusive); an open end where nothing is said."""

    since: date | None = None
    before: date | None = None

    @model_validator(mode="after")
    def ends_after_it_starts(self) -> Self:
        if self.since and self.before and self.since >= self.before:
            raise ValueError(f"since {self.since} is not before {self.before}")
        return self


class Comparison(Strict):
    """At least one bound on a number, and its unit as UCUM writes it."""

    at_least: float | None = None
    above: float | None = None
    at_most: float | None = None
    below: float | None = None
    unit: Text | None = None

    @property
    def bounds(self) -> dict[str, float]:
        """SQL operator -> bound."""
        bounds = {">=": self.at_least, ">": self.above, "<=": self.at_most, "<": self.below}
        return {operator: bound for operator, bound in bounds.items() if bound is not None}


class Condition(Window):
    """A diagnosis with one of the codes. Refuted and unconfirmed ones count only when `verification` names them."""

    system: CodeSystem = CODE_SYSTEMS["SNOMED"]
    codes: Codes
    verification: list[Literal["confirmed", "provisional", "differential", "unconfirmed", "refuted", "not_stated"]] = [
        "confirmed"
    ]


class Medication(Window):
    """A medication request with one of the codes."""

    system: CodeSystem = CODE_SYSTEMS["RXNORM"]
    codes: Codes


class Observation(Window, Comparison):
    """A measured number compared in its unit, or a coded answer that is one of `value_codes`."""

    system: CodeSystem = CODE_SYSTEMS["LOINC"]
    code: Text
    value_codes: Codes | None = None

    @model_validator(mode="after")
    def compares_one_thing(self) -> Self:
        if bool(self.bounds) == bool(self.value_codes):
            raise ValueError("expected either a comparison (at_least, above, at_most, below) or value_codes")
        if self.bounds and self.unit is None:
            raise ValueError("a comparison needs its unit, such as unit: mm[Hg]")
        return self


class Age(Strict):
    """Completed years on a day."""

    at: date
    at_least: Annotated[int, Field(ge=0, le=150)] | None = None
    below: Annotated[int, Field(ge=0, le=150)] | None = None

    @model_validator(mode="after")
    def has_a_bound(self) -> Self:
        if self.at_least is None and self.below is None:
            raise ValueError("expected at_least or below")
        return self


class Variant(Strict):
    """Copies of an allele: one named by `variant_id` or `rs_id`, or any annotated one of genes and significance."""

    variant_id: Annotated[str, StringConstraints(pattern=r"^[0-9XYMT]+-[0-9]+-[ACGTN]+-[ACGTN]+$")] | None = None
    rs_id: Annotated[str, StringConstraints(pattern=r"^rs[0-9]+$")] | None = None
    genes: Codes | None = None
    clinical_significance: Codes | None = None
    copies: Annotated[int, Field(ge=1, le=2)] = 1

    @model_validator(mode="after")
    def names_alleles_in_one_way(self) -> Self:
        ways = [self.variant_id, self.rs_id, self.genes or self.clinical_significance]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("expected variant_id, or rs_id, or genes and clinical_significance")
        return self


class Study(Window):
    """At least so many studies of a modality in the image store."""

    modality: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,16}$")]
    at_least: Annotated[int, Field(ge=1)] = 1
    field_strength: float | None = None


class Radiomics(Window, Comparison):
    """A measured image feature compared in its unit."""

    feature: Text

    @model_validator(mode="after")
    def compares(self) -> Self:
        if not self.bounds or self.unit is None:
            raise ValueError("expected a comparison (at_least, above, at_most, below) and its unit")
        return self


class Predicate(Strict):
    """Exactly one of these; `any_of` holds when one of its parts does."""

    condition: Condition | None = None
    medication: Medication | None = None
    observation: Observation | None = None
    age: Age | None = None
    sex: Literal["male", "female", "other"] | None = None
    sequenced: Literal[True] | None = None
    variant: Variant | None = None
    study: Study | None = None
    radiomics: Radiomics | None = None
    any_of: Annotated[list["Predicate"], Field(min_length=2)] | None = None

    @model_validator(mode="after")
    def is_one(self) -> Self:
        if len(self.model_fields_set) != 1 or self.kind is None:
            raise ValueError(f"expected exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def kind(self) -> str | None:
        """The name of the field that is set."""
        return next((name for name in type(self).model_fields if getattr(self, name) is not None), None)


class Criterion(Strict):
    """One step of the attrition. What cannot be assessed never includes; whether it excludes, the criterion says."""

    name: Name
    description: str = ""
    include: Predicate | None = None
    exclude: Predicate | None = None
    when_not_assessable: Literal["keep", "remove"] | None = None

    @model_validator(mode="after")
    def is_one_kind(self) -> Self:
        if (self.include is None) == (self.exclude is None):
            raise ValueError("expected either include or exclude")
        if self.include is not None and self.when_not_assessable == "keep":
            raise ValueError("when_not_assessable: keep is for exclude; who cannot be assessed is never included")
        return self

    @property
    def predicate(self) -> Predicate:
        predicate = self.include or self.exclude
        assert predicate is not None
        return predicate

    @property
    def keeps_unknown(self) -> bool:
        """Whether patients who cannot be assessed stay."""
        return self.exclude is not None and self.when_not_assessable != "remove"


class Definition(Strict):
    """A cohort: everyone whom the caller may see and who passes every criterion."""

    name: Name
    description: Text
    criteria: Annotated[list[Criterion], Field(min_length=1)]
    extract: Annotated[list[Literal[tuple(EXTRACTED)]], Field(min_length=1)] = EXTRACTED  # type: ignore[valid-type]

    @model_validator(mode="after")
    def names_differ(self) -> Self:
        names = [criterion.name for criterion in self.criteria]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two criteria are named {', '.join(doubled)}")
        return self


def load_definition(path: Path) -> Definition:
    """The cohort in a file. InputError lists all faults with their lines."""
    return load_model(path, Definition)
