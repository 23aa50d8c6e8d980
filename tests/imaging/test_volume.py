import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from tests.imaging.builders import NAME, Frames, a_series, as_image_set
from trilake.imaging.pixels import FileFrames, ImageSetFrames, is_reencoded
from trilake.imaging.volume import Volume, read_largest, read_volume, read_volumes, stacks_of

PYDICOM_FILES = Path(pydicom.__file__).parent / "data/test_files"
BRAIN = Path(__file__).resolve().parents[3] / "shared/samples/dicom/t1-brain"
OF_ONE_SERIES = {
    "ct of five slices": sorted((PYDICOM_FILES / "dicomdirtests/98892001/CT5N").glob("*")),
    "rt dose, one object, offsets": [PYDICOM_FILES / "rtdose.dcm"],
    "rt dose, RLE": [PYDICOM_FILES / "rtdose_rle.dcm"],
    "ct, j2k with loss": [PYDICOM_FILES / "693_J2KI.dcm"],
    "ct": [PYDICOM_FILES / "CT_small.dcm"],
}
SINGLE = (
    "MR_small_RLE", "MR_small_jp2klossless", "MR_small_jpeg_ls_lossless", "MR_small_bigendian", "MR_small_implicit",
    "J2K_pixelrep_mismatch", "examples_overlay",
)  # fmt: skip
PICTURES = np.arange(5 * 6 * 7, dtype=np.uint16).reshape(5, 6, 7)


def by_simple_itk(source: FileFrames) -> SimpleITK.Image:
    """The same files in the same order, read by ITK and GDCM."""
    (stack,) = stacks_of(source.frames())
    paths = list(dict.fromkeys(str(source.paths[frame.sop_instance_uid]) for frame in stack.frames))
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    return SimpleITK.ReadImage(paths if len(paths) > 1 else paths[0], SimpleITK.sitkFloat64)


def assert_same(volume: Volume, image: SimpleITK.Image) -> None:
    np.testing.assert_array_equal(volume.array, SimpleITK.GetArrayFromImage(image))
    assert volume.spacing == pytest.approx(image.GetSpacing(), rel=1e-5)
    assert volume.origin == pytest.approx(image.GetOrigin(), abs=1e-5)
    np.testing.assert_allclose(volume.direction, np.reshape(image.GetDirection(), (3, 3)), atol=1e-5)


@pytest.mark.parametrize("name", OF_ONE_SERIES)
def test_a_series_of_real_files_is_the_volume_that_simple_itk_reads(name: str) -> None:
    source = FileFrames(OF_ONE_SERIES[name])
    assert_same(read_volume(source), by_simple_itk(source))


@pytest.mark.parametrize("name", SINGLE)
def test_any_encoding_gives_the_values_that_simple_itk_reads(name: str) -> None:
    source = FileFrames([PYDICOM_FILES / f"{name}.dcm"])
    np.testing.assert_array_equal(read_volume(source).array, SimpleITK.GetArrayFromImage(by_simple_itk(source)))


@pytest.mark.skipif(not BRAIN.exists(), reason="the real scan is not beside the checkout")
def test_a_real_brain_whose_slices_are_uneven_is_refused_or_read_as_simple_itk_does() -> None:
    source = FileFrames(sorted(BRAIN.glob("*.dcm")))
    with pytest.raises(ValueError, match="slices stand 5.333 to 6 mm apart"):
        read_volume(source)
    assert_same(read_volume(source, keep_gaps=True), by_simple_itk(source))


@st.composite
def planes(draw: st.DrawFn) -> tuple[float, ...]:
    """Two directions at a right angle, any way round."""
    turn = np.linalg.qr(np.random.default_rng(draw(st.integers(0, 9999))).normal(size=(3, 3)))[0]
    return tuple(float(value) for value in turn[:, :2].T.ravel())


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    orientation=planes(),
    order=st.permutations(range(5)),
    step=st.floats(0.4, 9),
    slopes=st.booleans(),
    signed=st.booleans(),
)
def test_any_plane_order_and_scale_is_the_volume_that_simple_itk_reads(
    tmp_path_factory: pytest.TempPathFactory, orientation, order, step, slopes, signed
) -> None:
    pictures = PICTURES.astype(np.int16) - 100 if signed else PICTURES
    scales = [1.0, 0.5, 2.0, 0.25, 3.0] if slopes else []
    files = a_series(
        tmp_path_factory.mktemp("series"),
        pictures,
        orientation=orientation,
        order=order,
        step=round(step, 2),
        slopes=scales,
    )
    source = FileFrames(files)
    volume = read_volume(source)
    assert_same(volume, by_simple_itk(source))
    client, instances = as_image_set([pydicom.dcmread(path) for path in reversed(files)])
    stored = read_volume(ImageSetFrames(client, NAME, instances))
    np.testing.assert_array_equal(stored.array, volume.array)
    assert (stored.spacing, stored.origin) == (volume.spacing, volume.origin)


def test_points_in_the_patient_are_places_in_the_array(tmp_path: Path) -> None:
    volume = read_volume(FileFrames(a_series(tmp_path, PICTURES, orientation=(0, 1, 0, 0, 0, -1), step=4)))
    x, y, z = volume.spacing
    point = np.array(volume.origin) + volume.direction @ np.array([6 * x, 2 * y, 3 * z])
    np.testing.assert_allclose(volume.index_of(point[None]), [[3, 2, 6]], atol=1e-9)


def refused(source: FileFrames | ImageSetFrames, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_volume(source)


def test_missing_slices_are_named(tmp_path: Path) -> None:
    files = a_series(tmp_path, np.concatenate([PICTURES, PICTURES]), step=2)
    kept = [path for number, path in enumerate(files) if number not in (3, 6, 7)]
    refused(FileFrames(kept), "slices are missing: 1 between 9 and 13 mm, 2 between 15 and 21 mm")
    assert read_volume(FileFrames(kept), keep_gaps=True).gaps == ((1, 9.0, 13.0), (2, 15.0, 21.0))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ImagePositionPatient": [0, 0, 0]}, "4 of 5 frames lie where another one does"),
        ({"ImagePositionPatient": None}, "5 of 5 frames do not say where they lie"),
        ({"PixelSpacing": None}, "PixelSpacing is not given"),
        ({"leave_out": ("PixelData",)}, "the file has no pixels"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "in colour"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, "a mosaic of several slices"),
    ],
)
def test_what_is_no_volume_says_why(tmp_path: Path, changes: dict, message: str) -> None:
    refused(FileFrames(a_series(tmp_path, PICTURES, **changes)), message)


def test_slices_of_two_sizes_and_a_tilted_gantry_are_refused(tmp_path: Path) -> None:
    files = a_series(tmp_path, PICTURES)
    other = tmp_path / "other"
    other.mkdir()
    refused(
        FileFrames([*files, *a_series(other, PICTURES[:1, :4], order=[7], origin=(-10, 20, 20))]), "6 x 7, 4|4 x 7, 6"
    )
    tilted = []
    for number, path in enumerate(files):
        dataset = pydicom.dcmread(path)
        dataset.ImagePositionPatient = [-10, 20 + number, 5 + 3 * number]
        dataset.save_as(path)
        tilted.append(path)
    refused(FileFrames(tilted), "sheared by 4 mm")


def test_echoes_of_one_series_are_not_mixed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first = a_series(tmp_path / "a", PICTURES, EchoTime=10)
    second = a_series(tmp_path / "b", PICTURES + np.uint16(1000), order=[10, 11, 12, 13, 14], EchoTime=80)
    source = FileFrames(second + first)
    refused(source, "2 stacks, expected one .EchoTime 10: 5 frames; EchoTime 80: 5 frames")
    assert [(one.label, one.array[0, 0, 0]) for one in read_volumes(source)] == [
        ("EchoTime 10", 0),
        ("EchoTime 80", 1000),
    ]


def test_volumes_in_time_are_told_apart_by_what_differs(tmp_path: Path) -> None:
    files = []
    for number in range(3):
        folder = tmp_path / str(number)
        folder.mkdir()
        order = list(range(5 * number, 5 * number + 5))
        files += a_series(folder, PICTURES, order=order, AcquisitionNumber=number + 1)
    assert [one.label for one in read_volumes(FileFrames(files))] == [
        f"AcquisitionNumber {number}" for number in (1, 2, 3)
    ]


def test_an_object_with_one_position_is_stepped_in_its_own_order(tmp_path: Path) -> None:
    changes = {"NumberOfFrames": 5, "SpacingBetweenSlices": 2.5, "PixelData": PICTURES.tobytes()}
    source = FileFrames(a_series(tmp_path, PICTURES[:1], **changes))
    volume = read_volume(source)
    np.testing.assert_array_equal(volume.array, PICTURES)
    assert (volume.is_assumed, volume.spacing[2], volume.origin) == (True, 2.5, (-10.0, 20.0, 5.0))
    cine = FileFrames(a_series(tmp_path, PICTURES[:1], **changes, FrameTime=40))
    refused(cine, "4 of 5 frames lie where another one does")


def test_bits_above_those_stored_are_no_values(tmp_path: Path) -> None:
    overlaid = PICTURES | np.uint16(0xA000)
    with warnings.catch_warnings():
        volume = read_volume(FileFrames(a_series(tmp_path, overlaid, BitsStored=12, HighBit=11)))
    np.testing.assert_array_equal(volume.array, PICTURES)
    client, instances = as_image_set([pydicom.dcmread(path) for path in sorted(tmp_path.glob("*.dcm"))])
    client = Frames({name: picture | np.uint16(0xA000) for name, picture in client.pictures.items()})
    np.testing.assert_array_equal(read_volume(ImageSetFrames(client, NAME, instances)).array, PICTURES)


def test_files_that_are_deflated_or_bare_are_the_same_volume(tmp_path: Path) -> None:
    files = a_series(tmp_path, PICTURES)
    expected = read_volume(FileFrames(files)).array
    for number, path in enumerate(files):
        dataset = pydicom.dcmread(path)
        if number % 2:
            dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
            dataset.save_as(path)
        else:
            del dataset.file_meta, dataset.preamble
            dataset.save_as(path, implicit_vr=True, little_endian=True)
    np.testing.assert_array_equal(read_volume(FileFrames(files)).array, expected)


def test_the_largest_stack_of_a_series_can_be_read_alone(tmp_path: Path) -> None:
    (tmp_path / "scout").mkdir()
    scout = a_series(tmp_path / "scout", PICTURES[:1], orientation=(0, 1, 0, 0, 0, -1), order=[9])
    volume = read_largest(FileFrames(scout + a_series(tmp_path, PICTURES)))
    np.testing.assert_array_equal(volume.array, PICTURES)
    assert volume.n_stacks == 2


@pytest.mark.parametrize(("changes", "expected"), [({}, True), ({"PatientID": "MRN2"}, False)])
def test_a_copy_in_another_lossless_encoding_is_known_as_such(tmp_path: Path, changes: dict, expected: bool) -> None:
    path, other = a_series(tmp_path, PICTURES[:1])[0], tmp_path / "rle.dcm"
    dataset = pydicom.dcmread(path)
    dataset.compress(RLELossless, generate_instance_uid=False)
    dataset.update(changes)
    dataset.save_as(other)
    assert is_reencoded(other, path) is expected
    assert not is_reencoded(path, path)


def test_files_of_two_series_are_no_series(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="2 series"):
        FileFrames([PYDICOM_FILES / "CT_small.dcm", PYDICOM_FILES / "MR_small.dcm"])
