"""The DICOM studies, read by pydicom: geometry, headers, and pixels that show the volumes of the truth."""

from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from scipy.ndimage import binary_fill_holes

REQUIRED = [
    "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "StudyDate",
    "StudyTime", "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID",
    "ReferringPhysicianName", "Modality", "SeriesNumber", "InstanceNumber", "Manufacturer", "ManufacturerModelName",
    "ImageType", "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns", "BitsAllocated", "BitsStored",
    "HighBit", "PixelRepresentation", "PixelData", "PixelSpacing", "ImageOrientationPatient",
    "ImagePositionPatient", "SliceThickness", "ScanningSequence", "SequenceVariant", "ScanOptions",
    "MRAcquisitionType", "EchoTime", "EchoTrainLength", "MagneticFieldStrength", "PositionReferenceIndicator",
    "BurnedInAnnotation",
]  # fmt: skip


@pytest.fixture(scope="module")
def studies(written) -> dict[str, list[Dataset]]:
    found: dict[str, list[Dataset]] = defaultdict(list)
    for path in sorted((written.out / "dicom").rglob("*.dcm")):
        image = pydicom.dcmread(path)
        study, series, name = path.parts[-3:]
        assert (study, series, name) == (
            image.StudyInstanceUID, image.SeriesInstanceUID, f"{image.InstanceNumber}.dcm"
        )  # fmt: skip
        found[study].append(image)
    return {study: sorted(images, key=lambda i: i.ImagePositionPatient[2]) for study, images in found.items()}


def test_headers_are_whole_and_valid(studies) -> None:
    pydicom.config.settings.reading_validation_mode = pydicom.config.RAISE
    try:
        for images in studies.values():
            for image in images:
                assert [name for name in REQUIRED if name not in image] == []
                assert image.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
                assert image.file_meta.MediaStorageSOPInstanceUID == image.SOPInstanceUID
                assert image.SOPClassUID == pydicom.uid.MRImageStorage
                assert image.SOPInstanceUID.is_valid and image.SOPInstanceUID.startswith("2.25.")
                assert "SYNTHETIC" in image.PatientComments
                assert image.BurnedInAnnotation == "NO"
                for element in image:
                    assert element.value is not None or element.VM == 0
    finally:
        pydicom.config.settings.reading_validation_mode = pydicom.config.WARN


def test_instances_are_unique_over_the_sample(studies) -> None:
    uids = Counter(image.SOPInstanceUID for images in studies.values() for image in images)
    assert set(uids.values()) == {1}


def test_slices_stand_one_thickness_apart(studies) -> None:
    orders = set()
    for images in studies.values():
        assert 8 <= len(images) <= 10
        assert {image.FrameOfReferenceUID for image in images} == {images[0].FrameOfReferenceUID}
        for lower, upper in pairwise(images):
            step = upper.ImagePositionPatient[2] - lower.ImagePositionPatient[2]
            assert step == pytest.approx(float(lower.SliceThickness))
        orders.add(images[0].InstanceNumber < images[-1].InstanceNumber)
        normal = np.cross(images[0].ImageOrientationPatient[:3], images[0].ImageOrientationPatient[3:])
        assert normal.tolist() == [0, 0, 1]
    assert orders == {True, False}


def ventricle_ml(images: list[Dataset]) -> float:
    """Dark voxels inside the brain, each by the share of it that is dark."""
    volume = np.stack([image.pixel_array for image in images]).astype(float)
    tissue = np.median(volume[volume > volume.max() * 0.4])
    dark = 0.0
    for picture in volume:
        inside = binary_fill_holes(picture > tissue * 0.6)
        if inside.sum() > 300:
            dark += np.clip((tissue * 0.93 - picture[inside]) / (tissue * 0.75), 0, 1)[
                picture[inside] < tissue * 0.6
            ].sum()
    spacing = images[0].PixelSpacing
    return float(dark * spacing[0] * spacing[1] * images[0].SliceThickness / 1000)


def test_pixels_show_the_ventricles_of_the_truth(written, studies) -> None:
    rows = written.table("volumes")
    assert {row["study_instance_uid"] for row in rows} == set(studies)
    measured = [ventricle_ml(studies[row["study_instance_uid"]]) for row in rows]
    rendered = [row["rendered_ventricle_ml"] for row in rows]
    assert np.corrcoef(measured, rendered)[0, 1] > 0.95
    for row in rows:
        bias = {"north-1.5T": 1.0, "south-3T": 1.08}[row["scanner"]]
        assert row["rendered_ventricle_ml"] == pytest.approx(row["ventricle_ml"] * bias, rel=0.06)
        assert row["rendered_brain_ml"] == pytest.approx(row["brain_ml"], rel=0.01)


def test_scanners_differ_and_follow_the_site(written, studies) -> None:
    sites = {row["patient_id"]: row["site_id"] for row in written.table("patients")}
    brightness = defaultdict(list)
    at_home = []
    for row in written.table("volumes"):
        images = studies[row["study_instance_uid"]]
        brightness[images[0].Manufacturer].append(max(int(image.LargestImagePixelValue) for image in images))
        if row["patient_id"]:
            at_home.append(row["scanner"].startswith(sites[row["patient_id"]]))
    low, high = sorted(np.mean(values) for values in brightness.values())
    assert high / low > 1.15
    assert 0.7 < np.mean(at_home) < 0.97


def test_files_are_named_by_uid_alone(written) -> None:
    names = [
        Path(entry["path"]) for entry in written.document("manifest")["files"] if entry["path"].startswith("dicom")
    ]
    assert all(part.startswith("2.25.") for name in names for part in name.parts[1:3])
