"""A person's imaging studies: which exist, when, on which scanner, in which form, by which name they can be linked.

Each site mostly uses one of two scanners, and they measure differently: a known confounder. The profile `imaging` deals
all forms (slices or one enhanced object, encoding, with a segmentation or without) evenly, by the study's UID; every
other profile writes plain slices. What a picture shows does not depend on its form.

Example: draw_scans(seed, index, presence, identity, traits, diagnoses=()); form_of("imaging", scan).encoding
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import product

import numpy as np

from trilake.sample import keys
from trilake.sample.record import Diagnosis, Identity, Scan, Scanner, at

SHARE_OTHER_SCANNER = 0.15
"""Share of a site's patients who are scanned on the other site's scanner."""

SCANNERS = {
    "north": Scanner(
        "north-1.5T", "Synthetic Imaging", "Phantom 15", 1.5,
        n_slices=9, spacing=3.6, thickness=13.0, gain=1.00, noise=26.0, ventricle_bias=1.00, is_head_first=False,
    ),
    "south": Scanner(
        "south-3T", "Imaginary Magnets", "Phantom 30", 3.0,
        n_slices=10, spacing=3.5, thickness=12.0, gain=1.30, noise=20.0, ventricle_bias=1.08, is_head_first=True,
    ),
}  # fmt: skip


def describe() -> list[dict[str, object]]:
    """What each scanner does to an image, for the truth folder."""
    return [
        {
            "scanner": scanner.name, "manufacturer": scanner.manufacturer, "model": scanner.model,
            "mostly_at_site": site, "share_other": SHARE_OTHER_SCANNER, "intensity_gain": scanner.gain,
            "noise_sd": scanner.noise, "ventricle_volume_factor": scanner.ventricle_bias,
        }
        for site, scanner in SCANNERS.items()
    ]  # fmt: skip


SHARE_MR = 0.60
SHARE_FOLLOW_UP = 0.15
SHARE_CHART_ONLY = 0.12
"""Share of people whose chart holds a study that has no DICOM file."""
SHARE_SUBJECT_NUMBER = 0.20
"""Share of people whose DICOM PatientID is a study number instead of the MRN."""
SHARE_MISSING_IN_CHART = 0.08
"""Share of scans with an MRN whose ImagingStudy never reached the chart."""
YEARLY_WIDENING_ML = 0.6
WIDENING_IN_DISEASE_ML = 10.0
YEARLY_ATROPHY_ML = 3.0
_ORPHAN_PLACE = 10**9


@dataclass(frozen=True)
class _Plan:
    """One study to be: its key within the person, its day and modality."""

    key: str
    when: datetime
    modality: str = "MR"


def draw_scans(
    seed: int,
    index: int,
    presence: np.random.Generator,
    identity: Identity,
    traits: dict[str, float],
    *,
    diagnoses: tuple[Diagnosis, ...],
    has_mr: bool | None = None,
) -> tuple[Scan, ...]:
    """All studies of one person; none of the draws looks at an outcome. `has_mr` says whether there is an MR."""
    plans = list(_plans(presence, index, has_mr))
    naming, charting, other = presence.random(3)
    elsewhere = "south" if identity.site_id == "north" else "north"
    scanner = SCANNERS[elsewhere if other < SHARE_OTHER_SCANNER else identity.site_id]
    has_number = bool(naming < SHARE_SUBJECT_NUMBER)
    is_charted = has_number or bool(charting >= SHARE_MISSING_IN_CHART)
    scans = []
    for i, plan in enumerate(plans):
        is_chart_only = plan.key == "chart-only"
        ventricle, brain = _volumes(traits, diagnoses, plan.when)
        scans.append(
            Scan(
                patient_id=identity.patient_id,
                study_uid=keys.uid(identity.patient_id, f"study/{plan.key}"),
                series_uid=keys.uid(identity.patient_id, f"series/{plan.key}"),
                frame_uid=keys.uid(identity.patient_id, f"frame/{plan.key}"),
                at=plan.when,
                modality=plan.modality,
                scanner=scanner,
                ventricle_ml=ventricle,
                brain_ml=brain,
                dicom_patient_id=f"SUBJECT{(index * 37 + 8701) % 100000:05d}" if has_number else identity.mrn,
                accession=f"ACC{index:07d}{i}",
                link_method="none" if is_chart_only else "study_uid" if is_charted else "mrn",
                has_file=not is_chart_only,
                in_chart=is_chart_only or is_charted,
                is_follow_up=plan.key == "later",
                noise_key=keys.stream_key(seed, "pixels", index * 4 + i),
            )
        )
    return tuple(scans)


def draw_orphan_scan(seed: int, shard: int) -> Scan:
    """A study whose UID is in no chart and whose PatientID is no MRN."""
    owner = keys.patient_id(seed, -1_000_000 - shard)
    rng = keys.stream(seed, "pixels", _ORPHAN_PLACE + shard)
    return Scan(
        patient_id=None,
        study_uid=keys.uid(owner, "study"),
        series_uid=keys.uid(owner, "series"),
        frame_uid=keys.uid(owner, "frame"),
        at=at(date(2017, 3, 1) + timedelta(days=int(rng.integers(0, 400))), 9),
        modality="MR",
        scanner=_orphan_scanner(shard),
        ventricle_ml=float(rng.uniform(25, 60)),
        brain_ml=float(rng.uniform(1050, 1220)),
        dicom_patient_id=f"SUBJECT{(99_000 + shard) % 100_000:05d}",
        accession=f"ACCX{shard:06d}",
        link_method="none",
        has_file=True,
        in_chart=False,
        is_follow_up=False,
        noise_key=keys.stream_key(seed, "pixels", _ORPHAN_PLACE * 2 + shard),
    )


def _orphan_scanner(shard: int) -> Scanner:
    return SCANNERS["north" if shard % 2 else "south"]


def _plans(presence: np.random.Generator, index: int, given: bool | None) -> Iterator[_Plan]:
    has_mr, has_later, has_chart_only = presence.random(3) < (SHARE_MR, SHARE_FOLLOW_UP, SHARE_CHART_ONLY)
    baseline, later, chart_only = (timedelta(days=int(days)) for days in presence.integers(0, 900, 3))
    has_mr = has_mr if given is None else given
    if has_mr:
        yield _Plan("baseline", at(date(2016, 6, 1) + baseline, 14, 10))
    if has_mr and has_later:
        yield _Plan("later", at(date(2022, 1, 10) + later, 14, 20))
    if has_chart_only:
        yield _Plan("chart-only", at(date(2016, 6, 1) + chart_only, 16), "CT" if index % 2 else "MR")


def _volumes(traits: dict[str, float], diagnoses: tuple[Diagnosis, ...], when: datetime) -> tuple[float, float]:
    """Ventricle and brain on the day: years shrink the brain, and a disease that has begun widens the ventricle."""
    years = max(0, when.year - 2018)
    is_ill = any(d.outcome == "alzheimers_disease" and d.is_confirmed and d.onset < when for d in diagnoses)
    widening = YEARLY_WIDENING_ML * years + (WIDENING_IN_DISEASE_ML if is_ill and years else 0.0)
    return traits["ventricle"] + widening, traits["brain"] - YEARLY_ATROPHY_ML * years


PROFILE = "imaging"
ENCODINGS = ("native", "rle", "j2k")


@dataclass(frozen=True)
class Form:
    """`encoding` is one of ENCODINGS: explicit VR little endian, RLE Lossless, JPEG 2000 lossless."""

    is_enhanced: bool = False
    encoding: str = "native"
    has_segmentation: bool = False

    @property
    def name(self) -> str:
        return f"{'enhanced' if self.is_enhanced else 'slices'}-{self.encoding}"


PLAIN = Form()
FORMS = tuple(Form(*one) for one in product((False, True), ENCODINGS, (False, True)))


def form_of(profile: str, scan: Scan) -> Form:
    """The study's form. An orphan has one too."""
    if profile != PROFILE:
        return PLAIN
    return FORMS[int(scan.study_uid.removeprefix("2.25.")) % len(FORMS)]
