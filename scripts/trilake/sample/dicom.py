"""DICOM files of a study: MR slices or one enhanced object, in three encodings, with a SEG of brain and ventricles.

Attributes follow the MR Image (PS3.3 A.4), Enhanced MR Image (A.36) and Segmentation (A.51) IODs, as far as a reader of
pixels needs them. The same study gives the same bytes.

Example: write_study(scan, person, Path("dicom"))
"""

import copy
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from trilake.sample.keys import shared_id, uid
from trilake.sample.phantom import SIZE, Rendered, render
from trilake.sample.record import Person, Scan
from trilake.sample.scans import PLAIN, Form

SYNTAX = {"native": ExplicitVRLittleEndian, "rle": RLELossless, "j2k": JPEG2000Lossless}


def syntax_of(encoding: str) -> UID:
    return SYNTAX[encoding]


def set_pixels(image: FileDataset, frames: NDArray[np.uint16], encoding: str) -> None:
    """PixelData of the frames ([frame, row, column]) in the encoding that the file's transfer syntax names."""
    if encoding == "j2k":
        streams = [imagecodecs.jpeg2k_encode(one, codecformat="j2k", reversible=True, level=0) for one in frames]
        image.PixelData = encapsulate([bytes(stream) for stream in streams])
    else:
        image.PixelData = frames.astype("<u2").tobytes()
    image["PixelData"].VR = "OB" if encoding == "j2k" else "OW"
    if encoding == "rle":
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.compress(RLELossless, generate_instance_uid=False)
    elif encoding == "j2k":
        image["PixelData"].is_undefined_length = True


ENHANCED_MR_STORAGE = UID("1.2.840.10008.5.1.4.1.1.4.1")
OF_FRAMES = (
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices",
    "SliceLocation", "EchoTime", "RepetitionTime", "FlipAngle", "EchoTrainLength", "SequenceVariant", "ScanOptions",
)  # fmt: skip
"""Attributes of a single slice that an enhanced object says in its functional groups."""


def enhance(image: Dataset, scan: Scan, rendered: Rendered, places: list[int]) -> None:
    """Turn the header of a slice into that of an object with one frame for each place."""
    for keyword in OF_FRAMES:
        if keyword in image:
            del image[keyword]
    image.SOPClassUID = ENHANCED_MR_STORAGE
    image.NumberOfFrames = len(places)
    image.InstanceNumber = 1
    image.ImageType = ["DERIVED", "PRIMARY", "OTHER", "NONE"]
    image.PixelPresentation, image.VolumetricProperties = "MONOCHROME", "VOLUME"
    image.VolumeBasedCalculationTechnique = "NONE"
    image.AcquisitionDateTime = scan.at.strftime("%Y%m%d%H%M%S")
    organization = Dataset()
    organization.DimensionOrganizationUID = scan.instance_uid(10_000)
    image.DimensionOrganizationSequence = Sequence([organization])
    image.SharedFunctionalGroupsSequence = Sequence([shared_groups(scan)])
    image.PerFrameFunctionalGroupsSequence = Sequence(
        [frame_groups(rendered, number, place) for number, place in enumerate(places, start=1)]
    )


def group(**values: object) -> Sequence:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return Sequence([item])


def shared_groups(scan: Scan) -> Dataset:
    groups = Dataset()
    spacing = scan.scanner.spacing
    groups.PixelMeasuresSequence = group(
        PixelSpacing=[spacing, spacing],
        SliceThickness=scan.scanner.thickness,
        SpacingBetweenSlices=scan.scanner.thickness,
    )
    groups.PlaneOrientationSequence = group(ImageOrientationPatient=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    groups.MRTimingAndRelatedParametersSequence = group(RepetitionTime=500.0, FlipAngle=70.0, EchoTrainLength=1)
    groups.MREchoSequence = group(EffectiveEchoTime=4.0)
    groups.MRImageFrameTypeSequence = group(FrameType=["DERIVED", "PRIMARY", "OTHER", "NONE"])
    groups.PixelValueTransformationSequence = group(RescaleIntercept=0.0, RescaleSlope=1.0, RescaleType="US")
    return groups


def frame_groups(rendered: Rendered, number: int, place: int) -> Dataset:
    groups = Dataset()
    groups.FrameContentSequence = group(StackID="1", InStackPositionNumber=place + 1, DimensionIndexValues=[1, number])
    groups.PlanePositionSequence = group(ImagePositionPatient=[round(value, 3) for value in rendered.positions[place]])
    return groups


SEGMENTATION_STORAGE = UID("1.2.840.10008.5.1.4.1.1.66.4")
SEGMENTS = ("Brain", "Ventricles")
CODES = {"Brain": ("12738006", "Brain structure"), "Ventricles": ("35764002", "Brain ventricle structure")}
Mask = NDArray[np.bool_]


def series_uid(scan: Scan) -> str:
    return scan.instance_uid(30_000)


def masks(rendered: Rendered) -> dict[str, Mask]:
    """The voxels [slice, row, column] of each segment."""
    return {"Brain": rendered.brain, "Ventricles": rendered.ventricle}


def segmentation(image: Dataset, scan: Scan, rendered: Rendered, referenced: list[tuple[UID, str]]) -> None:
    """Turn the header of a study's slice into that of its segmentation, pixels included.

    `referenced`: SOP class and instance of what the segments were drawn on.
    """
    image.SOPClassUID, image.Modality = SEGMENTATION_STORAGE, "SEG"
    image.SeriesInstanceUID, image.SeriesNumber = series_uid(scan), 2
    image.SeriesDescription, image.ContentLabel = "Brain and ventricles", "BRAIN"
    image.ContentDescription, image.ContentCreatorName = "Synthetic segmentation", "Example^Renderer"
    image.ImageType, image.SegmentationType = ["DERIVED", "PRIMARY"], "BINARY"
    image.BitsAllocated = image.BitsStored = 1
    image.HighBit = image.PixelRepresentation = 0
    image.ReferencedSeriesSequence = group(
        SeriesInstanceUID=scan.series_uid,
        ReferencedInstanceSequence=Sequence([reference(*one) for one in referenced]),
    )
    image.SegmentSequence = Sequence([segment(number, label) for number, label in enumerate(SEGMENTS, start=1)])
    spacing, thickness = scan.scanner.spacing, scan.scanner.thickness
    shared = Dataset()
    shared.PixelMeasuresSequence = group(
        PixelSpacing=[spacing, spacing], SliceThickness=thickness, SpacingBetweenSlices=thickness
    )
    shared.PlaneOrientationSequence = group(ImageOrientationPatient=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    image.SharedFunctionalGroupsSequence = Sequence([shared])
    drawn = [
        (number, place)
        for number, label in enumerate(SEGMENTS, start=1)
        for place in range(len(rendered.positions))
        if masks(rendered)[label][place].any()
    ]
    image.PerFrameFunctionalGroupsSequence = Sequence([frame(rendered, *one) for one in drawn])
    image.NumberOfFrames = len(drawn)
    bits = np.concatenate([masks(rendered)[SEGMENTS[number - 1]][place].ravel() for number, place in drawn])
    packed = np.packbits(bits, bitorder="little").tobytes()
    image.PixelData = packed + b"\0" * (len(packed) % 2)
    image["PixelData"].VR = "OB"


def reference(sop_class: UID, uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
    return item


def segment(number: int, label: str) -> Dataset:
    code, meaning = CODES[label]
    item = Dataset()
    item.SegmentNumber, item.SegmentLabel, item.SegmentAlgorithmType = number, label, "AUTOMATIC"
    item.SegmentAlgorithmName = "sample renderer"
    item.SegmentedPropertyCategoryCodeSequence = concept("123037004", "Body structure")
    item.SegmentedPropertyTypeCodeSequence = concept(code, meaning)
    return item


def concept(code: str, meaning: str) -> Sequence:
    return group(CodeValue=code, CodingSchemeDesignator="SCT", CodeMeaning=meaning)


def frame(rendered: Rendered, number: int, place: int) -> Dataset:
    item = Dataset()
    item.FrameContentSequence = group(DimensionIndexValues=[number, place + 1])
    item.PlanePositionSequence = group(ImagePositionPatient=[round(value, 3) for value in rendered.positions[place]])
    item.SegmentIdentificationSequence = group(ReferencedSegmentNumber=number)
    return item


def volume_ml(scan: Scan, mask: Mask) -> float:
    return float(mask.sum()) * scan.scanner.spacing**2 * scan.scanner.thickness / 1000


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
    path = folder / scan.study_uid / series_uid(scan) / "1.dcm"
    path.parent.mkdir(parents=True, exist_ok=True)
    image = _open(path, copy.deepcopy(common), SEGMENTATION_STORAGE, scan.instance_uid(20_000), "native")
    for keyword in (*OF_FRAMES, "WindowCenter", "WindowWidth", "ScanningSequence", "MRAcquisitionType"):
        if keyword in image:
            del image[keyword]
    image.InstanceNumber = 1
    sop_class = ENHANCED_MR_STORAGE if form.is_enhanced else MR_IMAGE_STORAGE
    referenced = [(sop_class, scan.instance_uid(number)) for number in range(1, n_files + 1)]
    segmentation(image, scan, rendered, referenced)
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
