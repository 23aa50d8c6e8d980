"""One study in every form: the same picture, whatever the encoding and whether slices or one object hold it."""

import dataclasses
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK

from trilake.imaging.pixels import FileFrames
from trilake.imaging.volume import Volume, read_volume
from trilake.sample.dicom import write_study
from trilake.sample.people import draw_shard
from trilake.sample.record import Scan
from trilake.sample.scans import FORMS, SCANNERS, Form, form_of

SYNTAXES = {"native": "1.2.840.10008.1.2.1", "rle": "1.2.840.10008.1.2.5", "j2k": "1.2.840.10008.1.2.4.90"}


@pytest.fixture(scope="module")
def scans() -> list[Scan]:
    people = draw_shard(7, 0, 50, "imaging").people
    assert all(any(scan.has_file for scan in person.scans) for person in people)
    return [scan for person in people for scan in person.scans if scan.has_file]


def of_scanner(scans: list[Scan], site: str) -> Scan:
    return next(scan for scan in scans if scan.scanner == SCANNERS[site])


def series_of(paths: list[Path], scan: Scan) -> list[Path]:
    return [path for path in paths if path.parent.name == scan.series_uid]


@pytest.mark.parametrize("site", SCANNERS)
@pytest.mark.parametrize("form", [form for form in FORMS if not form.has_segmentation], ids=lambda form: form.name)
def test_a_study_in_any_form_is_the_volume_that_was_rendered(
    scans: list[Scan], tmp_path: Path, form: Form, site: str
) -> None:
    scan = of_scanner(scans, site)
    paths, rendered = write_study(scan, None, tmp_path, form)
    assert {str(pydicom.dcmread(path).file_meta.TransferSyntaxUID) for path in paths} == {SYNTAXES[form.encoding]}
    assert len(paths) == (1 if form.is_enhanced else len(rendered.positions))
    volume = read_volume(FileFrames(paths))
    np.testing.assert_array_equal(volume.array, rendered.pixels)
    assert volume.origin == pytest.approx(rendered.positions[0], abs=1e-3)
    assert volume.spacing == pytest.approx((scan.scanner.spacing, scan.scanner.spacing, scan.scanner.thickness))
    if form.is_enhanced:
        assert_as_simple_itk(volume, paths[0], is_reversed=scan.scanner.is_head_first)


def assert_as_simple_itk(volume: Volume, path: Path, *, is_reversed: bool) -> None:
    """ITK takes the frames of an enhanced object as they are stored, ours by their place."""
    image = SimpleITK.ReadImage(str(path))
    array = SimpleITK.GetArrayFromImage(image)
    np.testing.assert_array_equal(volume.array, array[::-1] if is_reversed else array)
    assert volume.spacing == pytest.approx(image.GetSpacing())
    if not is_reversed:
        assert volume.origin == pytest.approx(image.GetOrigin())


def test_a_segmentation_names_its_series_and_has_the_voxels_of_the_truth(scans: list[Scan], tmp_path: Path) -> None:
    scan = scans[0]
    paths, rendered = write_study(scan, None, tmp_path, Form(has_segmentation=True))
    dataset = pydicom.dcmread(paths[-1])
    assert (dataset.Modality, dataset.ReferencedSeriesSequence[0].SeriesInstanceUID) == ("SEG", scan.series_uid)
    named = {item.ReferencedSOPInstanceUID for item in dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence}
    assert named == {pydicom.dcmread(path).SOPInstanceUID for path in series_of(paths, scan)}
    assert int(dataset.pixel_array.sum()) == rendered.brain.sum() + rendered.ventricle.sum()
    assert (rendered.brain | ~rendered.ventricle).all()


def test_the_forms_are_dealt_evenly_and_only_in_their_profile(scans: list[Scan]) -> None:
    dealt = [form_of("imaging", scan) for scan in scans]
    assert len(set(dealt)) >= 10
    assert {form_of("coherent", scan) for scan in scans} == {Form()}
    moved = dataclasses.replace(scans[0], patient_id=None)
    assert form_of("imaging", moved) == dealt[0]
