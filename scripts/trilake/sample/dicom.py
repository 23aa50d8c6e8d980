"""MR studies as DICOM Part 10 files, 16 bit, real geometry: one file a slice, or the forms of `forms.py`.

Attributes follow the MR Image IOD (PS3.3 A.4). No text is burned in; the header says that the data are synthetic.

Reads latent records; writes dicom/<study>/<series>/<n>.dcm. Make target: sample.
Example: write_study(scan, person, Path("dicom"))
"""

import copy
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID

from trilake.sample import segmented
from trilake.sample.encoding import set_pixels, syntax_of
from trilake.sample.enhanced import ENHANCED_MR_STORAGE, OF_FRAMES, enhance
from trilake.sample.forms import PLAIN, Form
from trilake.sample.keys import shared_id, uid
from trilake.sample.phantom import SIZE, Rendered, render
from trilake.sample.record import Person, Scan

MR_IMAGE_STORAGE = UID("1.2.840.10008.5.1.4.1.1.4")
IMPLEMENTATION_UID = UID(uid(shared_id("implementation"), "dicom"))
NOTICE = "SYNTHETIC DATA, not from a person"


def write_study(scan: Scan, person: Person | None, folder: Path, form: Form = PLAIN) -> tuple[list[Path], Rendered]:
    """The files of one study, in order of instance number, and what was rendered. No person: an orphan.

    A segmentation, where the form has one, is the last file.
    """
    rendered = render(scan)
    series = folder / scan.study_uid / scan.series_uid
    series.mkdir(parents=True, exist_ok=True)
    common = _common(scan, person)
    n = len(rendered.positions)
    places = [n - number if scan.scanner.is_head_first else number - 1 for number in range(1, n + 1)]
    if form.is_enhanced:
        paths = [_write_enhanced(series / "1.dcm", common, scan, rendered, places, form.encoding)]
    else:
        paths = []
        for number, place in enumerate(places, start=1):
            paths.append(series / f"{number}.dcm")
            _write_slice(paths[-1], common, scan, rendered, (number, place), form.encoding)
    if form.has_segmentation:
        paths.append(_write_segmentation(folder, common, scan, rendered, len(paths), form))
    return paths, rendered


def _write_slice(
    path: Path, common: Dataset, scan: Scan, rendered: Rendered, order: tuple[int, int], encoding: str
) -> None:
    number, place = order
    image = _open(path, common, MR_IMAGE_STORAGE, scan.instance_uid(number), encoding)
    image.InstanceNumber = number
    image.ImagePositionPatient = [round(value, 3) for value in rendered.positions[place]]
    image.SliceLocation = round(rendered.positions[place][2], 3)
    _save(image, path, rendered.pixels[place : place + 1], encoding)


def _write_enhanced(
    path: Path, common: Dataset, scan: Scan, rendered: Rendered, places: list[int], encoding: str
) -> Path:
    image = _open(path, copy.deepcopy(common), ENHANCED_MR_STORAGE, scan.instance_uid(1), encoding)
    enhance(image, scan, rendered, places)
    _save(image, path, rendered.pixels[places], encoding)
    return path


def _write_segmentation(
    folder: Path, common: Dataset, scan: Scan, rendered: Rendered, n_files: int, form: Form
) -> Path:
    path = folder / scan.study_uid / segmented.series_uid(scan) / "1.dcm"
    path.parent.mkdir(parents=True, exist_ok=True)
    image = _open(path, copy.deepcopy(common), segmented.SEGMENTATION_STORAGE, scan.instance_uid(20_000), "native")
    for keyword in (*OF_FRAMES, "WindowCenter", "WindowWidth", "ScanningSequence", "MRAcquisitionType"):
        if keyword in image:
            del image[keyword]
    image.InstanceNumber = 1
    sop_class = ENHANCED_MR_STORAGE if form.is_enhanced else MR_IMAGE_STORAGE
    referenced = [(sop_class, scan.instance_uid(number)) for number in range(1, n_files + 1)]
    segmented.segmentation(image, scan, rendered, referenced)
    image.save_as(path, enforce_file_format=True)
    return path


def _open(path: Path, common: Dataset, sop_class: UID, uid: str, encoding: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = UID(uid)
    meta.TransferSyntaxUID = syntax_of(encoding)
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = "TRILAKE_SAMPLE"
    image = FileDataset(str(path), common, file_meta=meta, preamble=b"\0" * 128)
    image.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    return image


def _save(image: FileDataset, path: Path, pixels: NDArray[np.uint16], encoding: str) -> None:
    image.SmallestImagePixelValue = int(pixels.min())
    image.LargestImagePixelValue = int(pixels.max())
    image["SmallestImagePixelValue"].VR = image["LargestImagePixelValue"].VR = "US"
    set_pixels(image, pixels, encoding)
    image.save_as(path, enforce_file_format=True)


def _common(scan: Scan, person: Person | None) -> Dataset:
    """What all slices of the study share."""
    image = Dataset()
    image.SpecificCharacterSet = "ISO_IR 192"
    _add_patient(image, scan, person)
    _add_study(image, scan, person)
    _add_equipment(image, scan)
    _add_acquisition(image, scan)
    _add_pixel_description(image, scan)
    return image


def _add_patient(image: Dataset, scan: Scan, person: Person | None) -> None:
    is_named = person is not None and scan.dicom_patient_id == person.identity.mrn
    if person is not None and is_named:
        name = person.identity.official
        image.PatientName = f"{name.family}^{name.given}"
        image.PatientBirthDate = person.identity.birth_date.strftime("%Y%m%d")
    else:
        image.PatientName = f"Subject^{scan.dicom_patient_id[-5:]}"
        image.PatientBirthDate = ""
    image.PatientID = scan.dicom_patient_id
    image.PatientSex = "" if person is None else "M" if person.identity.is_male else "F"
    image.PatientComments = NOTICE


def _add_study(image: Dataset, scan: Scan, person: Person | None) -> None:
    day, time = scan.at.strftime("%Y%m%d"), scan.at.strftime("%H%M%S")
    image.StudyInstanceUID, image.SeriesInstanceUID = scan.study_uid, scan.series_uid
    image.StudyDate = image.SeriesDate = image.AcquisitionDate = image.ContentDate = day
    image.StudyTime = image.SeriesTime = image.AcquisitionTime = image.ContentTime = time
    image.TimezoneOffsetFromUTC = "+0000"
    image.StudyID = scan.accession[-8:]
    image.AccessionNumber = scan.accession
    image.ReferringPhysicianName = "Example^Doctor"
    image.StudyDescription = "MR brain without contrast (synthetic)"
    image.SeriesDescription = image.ProtocolName = "T1 axial"
    image.SeriesNumber = 1
    image.Modality = scan.modality
    image.BodyPartExamined = "BRAIN"
    image.PatientPosition = "HFS"
    image.FrameOfReferenceUID = scan.frame_uid
    image.PositionReferenceIndicator = ""
    if person is not None:
        years = (scan.at.date() - person.identity.birth_date).days // 365.25
        image.PatientAge = f"{int(years):03d}Y"


def _add_equipment(image: Dataset, scan: Scan) -> None:
    image.Manufacturer = scan.scanner.manufacturer
    image.ManufacturerModelName = scan.scanner.model
    image.StationName = scan.scanner.name[:16]
    image.InstitutionName = "Synthetic hospital"
    image.DeviceSerialNumber = "0"
    image.SoftwareVersions = "sample"
    image.MagneticFieldStrength = scan.scanner.field_strength


def _add_acquisition(image: Dataset, scan: Scan) -> None:
    image.SOPClassUID = MR_IMAGE_STORAGE
    image.ImageType = ["DERIVED", "PRIMARY", "OTHER"]
    image.DerivationDescription = "Synthetic phantom, brain only"
    image.AcquisitionNumber = 1
    image.ScanningSequence = "GR"
    image.SequenceVariant = "SP"
    image.ScanOptions = ""
    image.MRAcquisitionType = "2D"
    image.RepetitionTime = 500.0
    image.EchoTime = 4.0
    image.EchoTrainLength = 1
    image.FlipAngle = 70.0
    image.SliceThickness = scan.scanner.thickness
    image.SpacingBetweenSlices = scan.scanner.thickness
    image.PixelSpacing = [scan.scanner.spacing, scan.scanner.spacing]
    image.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    image.ImageComments = NOTICE


def _add_pixel_description(image: Dataset, scan: Scan) -> None:
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows = image.Columns = SIZE
    image.BitsAllocated = 16
    image.BitsStored = 12
    image.HighBit = 11
    image.PixelRepresentation = 0
    image.WindowCenter = round(400 * scan.scanner.gain)
    image.WindowWidth = round(900 * scan.scanner.gain)
    image.BurnedInAnnotation = "NO"
    image.RecognizableVisualFeatures = "NO"
    image.LossyImageCompression = "00"
