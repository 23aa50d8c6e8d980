"""The latent record: everything that is true of one synthetic person, before any file format.

The FHIR, VCF and DICOM writers and the truth read these records and nothing else; they draw no facts of their own.
All times are UTC.

Example: [d.outcome for d in person.diagnoses if d.is_confirmed]
"""

import unicodedata
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

import numpy as np
from numpy.typing import NDArray

from trilake.sample import keys

NO_CALL = -1
HAPLOID = -2
"""Second allele of a call on a contig that the person has once."""


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A time of day, UTC."""
    return datetime.combine(day, time(hour, minute), UTC)


@dataclass(frozen=True)
class Concept:
    """A code with its display; the system follows from where it is used."""

    code: str
    display: str


@dataclass(frozen=True)
class Name:
    """One of a person's names."""

    use: str
    given: str
    family: str


@dataclass(frozen=True)
class Address:
    """Where a person lives (invented)."""

    line: str
    city: str
    state: str
    postcode: str


@dataclass(frozen=True)
class Identity:
    """Who the person is: identifiers and demographics. `names` is in file order, the official one not always first."""

    patient_id: str
    mrn: str
    names: tuple[Name, ...]
    is_male: bool
    birth_date: date
    site_id: str
    address: Address
    phone: str
    marital_code: str
    practitioner: int
    deceased_at: datetime | None

    @property
    def official(self) -> Name:
        return next(name for name in self.names if name.use == "official")

    @property
    def gender(self) -> str:
        return "male" if self.is_male else "female"

    @property
    def file_stem(self) -> str:
        """Given_Family_uuid in plain ASCII letters."""
        return "_".join((_ascii(self.official.given), _ascii(self.official.family), self.patient_id))


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("ø", "o")).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain if letter.isalnum())


@dataclass(frozen=True)
class Measurement:
    """What a visit measured: one number, two for blood pressure, none for smoking (that is Person.smoking)."""

    name: str
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Visit:
    """One encounter. `key` is unique within the person."""

    key: str
    kind: str
    start: datetime
    minutes: int
    reason: Concept | None = None
    measurements: tuple[Measurement, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """One condition of the problem list; `outcome` names the label that it stands for, if any."""

    key: str
    concept: Concept
    outcome: str | None
    onset: datetime
    is_year_only: bool
    recorded: datetime
    abated: datetime | None
    verification: str
    visit_key: str

    @property
    def is_confirmed(self) -> bool:
        return self.verification == "confirmed"


@dataclass(frozen=True)
class Treatment:
    """A medication request or a procedure."""

    key: str
    kind: str
    concept: Concept
    at: datetime
    visit_key: str
    is_ongoing: bool = False


@dataclass(frozen=True)
class Note:
    """A free-text note."""

    key: str
    at: datetime
    visit_key: str
    text: str


@dataclass(frozen=True)
class Consent:
    """What the person agreed to. `case` is one of identity.CONSENT_CASES."""

    case: str
    is_active: bool
    permits_research: bool
    permits_genomic: bool
    permits_imaging: bool
    given_at: datetime

    @property
    def research(self) -> bool:
        return self.is_active and self.permits_research

    @property
    def genomic(self) -> bool:
        return self.research and self.permits_genomic

    @property
    def imaging(self) -> bool:
        return self.research and self.permits_imaging


@dataclass(frozen=True)
class Sequencing:
    """One single-sample VCF: its names, and per site of the panel the call, its depth, quality and filter.

    `calls` is site x 2: allele numbers, NO_CALL, or HAPLOID as second allele.
    """

    patient_id: str | None
    sample_id: str
    file_name: str
    link_method: str
    has_prefix: bool
    is_phased: bool
    calls: NDArray[np.int8]
    depth: NDArray[np.int64]
    quality: NDArray[np.int64]
    n_reads_alternate: NDArray[np.int64]
    is_filtered: NDArray[np.bool_]


@dataclass(frozen=True)
class Scanner:
    """A scanner and what it does to an image: a known confounder, because each site mostly uses one."""

    name: str
    manufacturer: str
    model: str
    field_strength: float
    n_slices: int
    spacing: float
    thickness: float
    gain: float
    noise: float
    ventricle_bias: float
    is_head_first: bool


@dataclass(frozen=True)
class Scan:
    """One imaging study. `has_file`: a DICOM study is written; `in_chart`: the chart holds its ImagingStudy."""

    patient_id: str | None
    study_uid: str
    series_uid: str
    frame_uid: str
    at: datetime
    modality: str
    scanner: Scanner
    ventricle_ml: float
    brain_ml: float
    dicom_patient_id: str
    accession: str
    link_method: str
    has_file: bool
    in_chart: bool
    is_follow_up: bool
    noise_key: tuple[int, ...]

    def instance_uid(self, number: int) -> str:
        """The SOP Instance UID of the numbered slice."""
        owner = uuid.UUID(int=int(self.series_uid.removeprefix("2.25.")))
        return keys.uid(str(owner), f"instance/{number}")


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


@dataclass(frozen=True)
class Person:
    """One synthetic person, whole."""

    index: int
    is_bundle: bool
    identity: Identity
    traits: dict[str, float]
    smoking: Concept
    consent: Consent
    visits: tuple[Visit, ...]
    diagnoses: tuple[Diagnosis, ...]
    treatments: tuple[Treatment, ...]
    notes: tuple[Note, ...]
    sequencing: Sequencing | None
    scans: tuple[Scan, ...]
    background: Background
    probabilities: dict[str, float]
    labels: dict[str, bool]

    @property
    def patient_id(self) -> str:
        return self.identity.patient_id

    def case_of(self, outcome: str) -> Diagnosis | None:
        """The confirmed diagnosis behind a label, or None."""
        return next((d for d in self.diagnoses if d.outcome == outcome and d.is_confirmed), None)
