"""An MR study as one enhanced multi-frame object: position, plane and spacing in functional groups.

Attributes follow the Enhanced MR Image IOD (PS3.3 A.36), with the groups that a reader of pixels needs. Frames are
stored in the order of their instance numbers, which is not that of their places on every scanner.

Reads and writes nothing. Make target: sample. Example: enhance(image, scan, rendered, [9, 8, 7])
"""

from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from trilake.sample.phantom import Rendered
from trilake.sample.record import Scan

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
