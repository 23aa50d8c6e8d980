"""MR studies as DICOM Part 10 files: explicit VR little endian, 16 bit, one file a slice, real geometry.

Attributes follow the MR Image IOD (PS3.3 A.4). No text is burned in; the header says that the data are synthetic.

Reads latent records; writes dicom/<study>/<series>/<n>.dcm. Make target: sample.
Example: write_study(scan, person, Path("dicom"))
"""

from pathlib import Path

from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from trilake.sample.keys import shared_id, uid
from trilake.sample.phantom import SIZE, Rendered, render
from trilake.sample.record import Person, Scan

MR_IMAGE_STORAGE = UID("1.2.840.10008.5.1.4.1.1.4")
IMPLEMENTATION_UID = UID(uid(shared_id("implementation"), "dicom"))
NOTICE = "SYNTHETIC DATA, not from a person"


def write_study(scan: Scan, person: Person | None, folder: Path) -> tuple[list[Path], Rendered]:
    """The files of one study, in order of instance number, and what was rendered. No person: an orphan."""
    rendered = render(scan)
    series = folder / scan.study_uid / scan.series_uid
    series.mkdir(parents=True, exist_ok=True)
    common = _common(scan, person)
    n = len(rendered.positions)
    paths = []
    for number in range(1, n + 1):
        place = n - number if scan.scanner.is_head_first else number - 1
        path = series / f"{number}.dcm"
        _write_slice(path, common, scan, rendered, (number, place))
        paths.append(path)
    return paths, rendered


def _write_slice(path: Path, common: Dataset, scan: Scan, rendered: Rendered, order: tuple[int, int]) -> None:
    number, place = order
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MR_IMAGE_STORAGE
    meta.MediaStorageSOPInstanceUID = UID(scan.instance_uid(number))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_UID
    meta.ImplementationVersionName = "TRILAKE_SAMPLE"
    image = FileDataset(str(path), common, file_meta=meta, preamble=b"\0" * 128)
    pixels = rendered.pixels[place]
    image.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    image.InstanceNumber = number
    image.ImagePositionPatient = [round(value, 3) for value in rendered.positions[place]]
    image.SliceLocation = round(rendered.positions[place][2], 3)
    image.SmallestImagePixelValue = int(pixels.min())
    image.LargestImagePixelValue = int(pixels.max())
    image["SmallestImagePixelValue"].VR = image["LargestImagePixelValue"].VR = "US"
    image.PixelData = pixels.astype("<u2").tobytes()
    image["PixelData"].VR = "OW"
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
    image.SeriesDescription = "T1 axial"
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
