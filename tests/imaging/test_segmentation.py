"""Regions of the sample's segmentations on the voxels of its studies, and what is measured in them."""

import dataclasses

import numpy as np
import pydicom
import pytest

from tests.imaging.builders import NAME, a_metadata, as_image_set
from trilake.imaging.metadata import ImageSet, geometry, instance_rows, series_rows
from trilake.imaging.pixels import ImageSetFrames
from trilake.imaging.radiomics import FOREGROUND
from trilake.imaging.radiomics_job import Measurer, with_frames
from trilake.imaging.segmentation import mask_hash, regions
from trilake.imaging.volume import Volume, read_volume
from trilake.sample.dicom import write_study
from trilake.sample.people import draw_shard
from trilake.sample.phantom import Rendered
from trilake.sample.record import Scan
from trilake.sample.scans import Form


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A study with its segmentation, as the image store gives both out."""

    scan: Scan
    rendered: Rendered
    instances: dict
    volume: Volume
    segmentation: ImageSetFrames


@pytest.fixture(scope="module", params=[False, True], ids=["slices", "enhanced"])
def drawn(request, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    people = draw_shard(7, 0, 50, "imaging").people
    scan = next(one for person in people for one in person.scans if one.has_file and one.scanner.is_head_first)
    form = Form(is_enhanced=request.param, has_segmentation=True)
    paths, rendered = write_study(scan, None, tmp_path_factory.mktemp("study"), form)
    client, instances = as_image_set([pydicom.dcmread(path) for path in paths[:-1]])
    volume = read_volume(ImageSetFrames(client, NAME, instances))
    segments = ImageSetFrames(*reordered(as_image_set([pydicom.dcmread(paths[-1])])))
    return Drawn(scan, rendered, instances, volume, segments)


def reordered(found):
    client, instances = found
    return client, NAME, instances


def test_segments_lie_on_the_voxels_they_were_drawn_in(drawn: Drawn) -> None:
    brain, ventricles = regions(drawn.segmentation, drawn.volume, drawn.scan.series_uid, set(drawn.instances))
    assert (brain.label, ventricles.label, brain.source) == ("Brain", "Ventricles", "dicom_seg")
    np.testing.assert_array_equal(brain.mask, drawn.rendered.brain)
    np.testing.assert_array_equal(ventricles.mask, drawn.rendered.ventricle)
    assert mask_hash(brain.mask) != mask_hash(ventricles.mask)


def test_a_segmentation_of_another_series_draws_nothing(drawn: Drawn) -> None:
    assert list(regions(drawn.segmentation, drawn.volume, "1.2.3", set(drawn.instances))) == []


def test_a_segmentation_on_another_grid_is_refused(drawn: Drawn) -> None:
    moved = dataclasses.replace(drawn.volume, origin=(drawn.volume.origin[0] + 1.5, *drawn.volume.origin[1:]))
    with pytest.raises(ValueError, match="another grid"):
        list(regions(drawn.segmentation, moved, drawn.scan.series_uid, set(drawn.instances)))
    beside = dataclasses.replace(drawn.volume, origin=(drawn.volume.origin[0] + 36 * drawn.volume.spacing[0], 0, 0))
    with pytest.raises(ValueError, match="another grid|beyond the series"):
        list(regions(drawn.segmentation, beside, drawn.scan.series_uid, set(drawn.instances)))


def test_every_value_has_its_passport_and_the_drawn_volumes_are_the_truth(drawn: Drawn) -> None:
    problems: list[str] = []
    drawn_regions = list(regions(drawn.segmentation, drawn.volume, drawn.scan.series_uid, set(drawn.instances)))
    rows = list(Measurer(None, "load").measured(drawn.volume, drawn_regions, problems.append))  # type: ignore[arg-type]
    assert problems == []
    assert {row["mask_source"] for row in rows} == {FOREGROUND, "dicom_seg"}
    assert all(
        row["mask_sha256"] and row["settings_sha256"] and row["software_version"] and row["n_voxels"] for row in rows
    )
    value = {(row["mask_label"], row["feature"]): row["value"] for row in rows}
    assert len(value) == len(rows)
    voxel_mm3 = drawn.volume.voxel_ml * 1000
    assert value["Ventricles", "morph_vol_approx"] == pytest.approx(drawn.rendered.ventricle.sum() * voxel_mm3)
    # By surface and by whole voxels the volume is near what was rendered with partial ones; so is the foreground's.
    assert value["Brain", "morph_volume"] / 1000 == pytest.approx(drawn.rendered.brain_ml, rel=0.05)
    assert value["foreground", "foreground_volume"] == pytest.approx(drawn.rendered.brain_ml, rel=0.05)
    assert value["Ventricles", "stat_mean"] < value["Brain", "stat_mean"]


def test_geometry_and_scanner_are_those_of_the_study_in_either_form(drawn: Drawn) -> None:
    scanner, metadata = drawn.scan.scanner, a_metadata(drawn.instances)
    (row,) = series_rows(metadata, ImageSet("store", "set", 1, True))
    assert (row["n_slices"], row["n_frames"], row["n_stacks"]) == (scanner.n_slices, scanner.n_slices, 1)
    assert (row["row_spacing"], row["slice_thickness"], row["echo_time"]) == (scanner.spacing, scanner.thickness, 4.0)
    assert row["slice_spacing"] == pytest.approx(scanner.thickness)
    assert (row["is_regular"], row["n_gaps"], row["geometry_problem"]) == (True, 0, None)
    assert row["last_position"] == pytest.approx(drawn.rendered.positions[-1], abs=1e-3)
    assert (row["station_name"], row["field_strength"]) == (scanner.name[:16], scanner.field_strength)
    assert row["is_multi_frame"] == (len(drawn.instances) == 1)
    places = [one["slice_place"] for one in instance_rows(metadata, ImageSet("store", "set", 1, True))]
    assert places[0] == pytest.approx(drawn.rendered.positions[-1][2], abs=1e-3)


def test_a_segmentation_has_stacks_of_its_own_and_objects_without_frames_no_geometry(drawn: Drawn) -> None:
    grid = geometry(drawn.segmentation.instances)
    assert (grid["n_stacks"], grid["geometry_problem"]) == (2, None)
    assert set(geometry({"1": {"DICOM": {}, "ImageFrames": []}}).values()) == {None}
    picture = {"Rows": 4, "Columns": 4, "BitsAllocated": 16}
    lost = geometry({"1": {"DICOM": picture, "ImageFrames": []}, "2": {"DICOM": {}}})
    assert lost["geometry_problem"] == "1 of 2 instances describe a picture and have no frames"
    assert with_frames({"1": {"DICOM": {}}, "2": {"ImageFrames": [1]}}) == {"2": {"ImageFrames": [1]}}


def test_gaps_and_mosaics_are_told_in_the_series_row() -> None:
    def slice_at(z: float) -> dict:
        place = {
            "ImagePositionPatient": [0, 0, z],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "PixelSpacing": [1, 1],
        }
        return {"DICOM": place | {"Rows": 4, "Columns": 4}, "ImageFrames": [{"ID": "f"}]}

    grid = geometry({str(z): slice_at(z) for z in (0, 2, 4, 10, 12)})
    assert (grid["n_gaps"], grid["n_missing_slices"], grid["is_regular"]) == (1, 2, False)
    assert grid["geometry_problem"] == "slices are missing: 2 between 4 and 10 mm"
    mosaic = slice_at(0)
    mosaic["DICOM"] |= {"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"], "0019100A": 36}
    assert geometry({"1": mosaic})["n_slices"] == geometry({"1": mosaic})["n_mosaic_tiles"] == 36
