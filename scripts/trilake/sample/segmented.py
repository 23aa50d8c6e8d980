"""A segmentation of a study's brain and ventricles, as the renderer knows them: a DICOM SEG of its own series.

Attributes follow the Segmentation IOD (PS3.3 A.51): binary, one frame for each segment and slice that it reaches. A
voxel is in a segment when half of it or more is; the ventricles are in the brain.

Reads and writes nothing. Make target: sample. Example: segmentation(image, scan, rendered, uids)
"""

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from trilake.sample.enhanced import group
from trilake.sample.phantom import Rendered
from trilake.sample.record import Scan

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
