"""Frames and metadata of what was imported: lossless, checked, whatever the file's encoding.

Reads pydicom's own test files and slices built here. Make target: `test`.
Example: `pytest tests/localaws/healthimaging/test_frames.py`.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.pixels import pixel_array

from tests.localaws.healthimaging.conftest import SERIES, ImageStore, a_slice, slice_pixels

# Decoded by pydicom itself, so that the expected pixels do not come from the code under test.
LOSSLESS = [
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_implicit.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_RLE.dcm",
    "image_dfl.dcm",
    "liver_1frame.dcm",
    "SC_rgb_rle_2frame.dcm",
    "SC_rgb_rle_32bit_2frame.dcm",
    "rtdose.dcm",
    "rtdose_rle.dcm",
    "rtdose_expb.dcm",
    "SC_rgb_small_odd_big_endian.dcm",
    "SC_rgb_jpeg_dcmd.dcm",
]
# Encodings that pydicom cannot read here, each beside an uncompressed copy of the same pixels.
ENCODED = [
    ("SC_rgb_jpeg_gdcm.dcm", "SC_rgb_rle.dcm"),
    ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"),
    ("MR_small_jp2klossless.dcm", "MR_small.dcm"),
]
KEPT = [("SC_rgb_jpeg_dcmtk.dcm", "image/jpeg"), ("JPEG2000.dcm", "image/j2c")]


def test_metadata_has_the_levels_and_the_values_as_written(store: ImageStore) -> None:
    data = a_slice(1)
    data.add_new(0x00091001, "LO", "private")
    data.ReferencedImageSequence = [pydicom.Dataset()]
    data.ReferencedImageSequence[0].ReferencedSOPInstanceUID = "1.2.3"
    data.ImageComments = None
    store.put("1", data)
    store.run()
    [found] = store.search()
    document = store.metadata(found["imageSetId"])
    assert (document["SchemaVersion"], document["DatastoreID"]) == ("1.1", store.id)
    assert document["ImageSetID"] == found["imageSetId"]
    assert document["Patient"]["DICOM"] == {"PatientName": "Doe^Ann", "PatientID": "MRN-1", "PatientSex": "F"}
    assert document["Study"]["DICOM"]["StudyDate"] == "20200102"
    series = document["Study"]["Series"][SERIES]
    assert (series["DICOM"]["Modality"], series["DICOM"]["SeriesNumber"]) == ("MR", "3")
    instance = series["Instances"][f"{SERIES}.1"]
    attributes = instance["DICOM"]
    assert attributes["ImagePositionPatient"] == ["0", "1.50", "1"]
    assert (attributes["Rows"], attributes["PixelData"], attributes["ImageComments"]) == (16, None, None)
    assert attributes["ReferencedImageSequence"] == [{"ReferencedSOPInstanceUID": "1.2.3"}]
    assert (attributes["00091001"], instance["DICOMVRs"]) == ("private", {"00091001": "LO"})
    pixels = slice_pixels(1)
    [frame] = instance["ImageFrames"]
    [checksum] = frame["PixelDataChecksumFromBaseToFullResolution"]
    assert checksum == {"Width": 12, "Height": 16, "Checksum": zlib.crc32(pixels.tobytes())}
    assert (frame["MinPixelValue"], frame["MaxPixelValue"]) == (pixels.min(), pixels.max())
    assert frame["FrameSizeInBytes"] == pixels.nbytes
    assert instance["StoredTransferSyntaxUID"] == "1.2.840.10008.1.2.4.202"


@pytest.mark.filterwarnings("ignore")
def test_frames_are_the_pixels_of_the_file(store: ImageStore) -> None:
    for name in LOSSLESS:
        data = pydicom.dcmread(_file(name))
        expected = pixel_array(data, raw=True)
        count = int(data.get("NumberOfFrames") or 1)
        _check_frames(store, _file(name), expected if count > 1 else expected[np.newaxis])


@pytest.mark.filterwarnings("ignore")
def test_encoded_frames_are_the_pixels_of_their_uncompressed_copy(store: ImageStore) -> None:
    for name, same in ENCODED:
        expected = pixel_array(pydicom.dcmread(_file(same)), raw=True)
        _check_frames(store, _file(name), expected[np.newaxis])


def _check_frames(store: ImageStore, path: Path, expected: Any) -> None:
    store.renew()
    store.put("file", path.read_bytes())
    job = store.run()
    assert store.output(job, "FAILURE/failure.ndjson") == [], path.name
    [found] = store.search()
    frames = _frames(store.metadata(found["imageSetId"]))
    assert len(frames) == len(expected), path.name
    for frame, pixels in zip(frames, expected, strict=True):
        content, content_type = store.frame(found["imageSetId"], frame["ID"])
        assert content_type == "image/jph"
        decoded = imagecodecs.htj2k_decode(content)
        np.testing.assert_array_equal(decoded, pixels, err_msg=path.name)
        assert frame["PixelDataChecksumFromBaseToFullResolution"][-1]["Checksum"] == zlib.crc32(decoded.tobytes())
        assert (frame["MinPixelValue"], frame["MaxPixelValue"]) == (pixels.min(), pixels.max())


@pytest.mark.parametrize(("name", "content_type"), KEPT)
@pytest.mark.filterwarnings("ignore")
def test_lossy_frames_come_out_as_they_went_in(store: ImageStore, name: str, content_type: str) -> None:
    path = _file(name)
    store.put("file", path.read_bytes())
    store.run()
    [found] = store.search()
    [frame] = _frames(store.metadata(found["imageSetId"]))
    content, found_type = store.frame(found["imageSetId"], frame["ID"])
    assert found_type == content_type
    assert content == pydicom.encaps.get_frame(pydicom.dcmread(path).PixelData, 0, number_of_frames=1)


@pytest.mark.parametrize("name", ["rtplan.dcm", "reportsi.dcm"])
@pytest.mark.filterwarnings("ignore")
def test_objects_without_pixels_are_imported_without_frames(store: ImageStore, name: str) -> None:
    store.put("file", _file(name).read_bytes())
    assert store.summary(store.run())["numberOfImportedFiles"] == 1
    [found] = store.search()
    assert _frames(store.metadata(found["imageSetId"])) == []


def test_jpeg_2000_store_gives_jpeg_2000(store: ImageStore) -> None:
    store.renew(losslessStorageFormat="JPEG_2000_LOSSLESS")
    store.put("1", a_slice(1))
    store.run()
    [found] = store.search()
    document = store.metadata(found["imageSetId"])
    [frame] = _frames(document)
    content, _ = store.frame(found["imageSetId"], frame["ID"])
    np.testing.assert_array_equal(imagecodecs.jpeg2k_decode(content), slice_pixels(1))
    [instance] = document["Study"]["Series"][SERIES]["Instances"].values()
    assert instance["StoredTransferSyntaxUID"] == "1.2.840.10008.1.2.4.90"


def _file(name: str) -> Path:
    found = get_testdata_file(name, download=False)
    assert found is not None
    return Path(found)


def _frames(document: dict[str, Any]) -> list[dict[str, Any]]:
    instances = [item for series in document["Study"]["Series"].values() for item in series["Instances"].values()]
    return [frame for instance in instances for frame in instance["ImageFrames"]]
