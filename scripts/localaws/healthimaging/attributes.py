"""DICOM data elements as the JSON of image set metadata: keyword -> value, by level (patient, study, series, instance).

Decimal and integer strings stay strings, as written: `document(dataset)["RescaleSlope"]` is `"1"`. Private elements are
named by their tag in eight hexadecimal digits. Pixel data, and other binary values beyond 64 KB, are null; shorter ones
are base64. A value that cannot be read is null, and named among the faults.

Which attribute belongs to which level follows the modules of the composite IODs (DICOM PS3.3): C.7.1 Patient and
Clinical Trial Subject; C.7.2 General Study, Patient Study and Clinical Trial Study; C.7.3 General Series and Clinical
Trial Series; C.7.4 Frame of Reference; C.7.5 General Equipment. HealthImaging keeps each of them once per image set.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from typing import Any

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

MAX_BINARY = 64 * 1024
PIXELS = {"PixelData", "FloatPixelData", "DoubleFloatPixelData"}
_BINARY = {"OB", "OW", "OD", "OF", "OL", "OV", "UN", "OB or OW"}
_NUMBERS = {"US", "SS", "UL", "SL", "UV", "SV", "FL", "FD", "US or SS", "US or OW", "US or SS or OW"}


class Truncated(Exception):
    """The file ends inside a data element; the message names it."""


def document(dataset: Dataset, faults: list[str]) -> dict[str, Any]:
    """All elements of a data set by name; names of unreadable ones are added to `faults`. Truncated if one is cut."""
    attributes: dict[str, Any] = {}
    for tag in sorted(dataset.keys()):
        if tag.element == 0:  # A group's length, retired (PS3.5, 7.2).
            continue
        name = name_of(tag)
        raw = dataset.get_item(tag)
        _check_whole(raw, name)
        if name in PIXELS:
            attributes[name] = None
            continue
        try:
            attributes[name] = value_of(dataset[tag], faults)
        except Truncated:
            raise
        except Exception:
            # pydicom raises whatever its readers meet in a broken value: ValueError, struct.error, TypeError ...
            attributes[name] = None
            faults.append(name)
    return attributes


def private_representations(dataset: Dataset) -> dict[str, str]:
    """Name -> value representation of the elements whose name does not tell it."""
    unnamed = [tag for tag in sorted(dataset.keys()) if tag.element and not keyword_for_tag(tag)]
    return {name_of(tag): str(dataset[tag].VR) for tag in unnamed}


def name_of(tag: BaseTag) -> str:
    return keyword_for_tag(tag) or f"{int(tag):08X}"


def _check_whole(element: DataElement | RawDataElement | None, name: str) -> None:
    if isinstance(element, RawDataElement) and element.value is not None:
        expected = element.length
        if expected != 0xFFFFFFFF and len(element.value) < expected:
            raise Truncated(f"{name} has {len(element.value)} of {expected} bytes")


def value_of(element: DataElement, faults: list[str]) -> Any:
    """One element's value: null when empty, an array when there are several."""
    if element.VR == "SQ":
        return [document(item, faults) for item in element.value]
    if element.VR in _BINARY and isinstance(element.value, bytes):
        return _binary(element.value)
    values = element.value
    if values is None or values == "" or values == b"":
        return None
    if isinstance(values, MultiValue | list | tuple):
        return _several(element.VR, values)
    return _single(element.VR, values)


def _several(representation: str, values: Iterable[Any]) -> Any:
    return [_single(representation, value) for value in values] or None


def _single(representation: str, value: Any) -> Any:
    if value is None or value == "":
        return None
    if representation in _NUMBERS and isinstance(value, int | float):
        return value if math.isfinite(value) else None
    if representation == "AT":
        return f"{int(value):08X}"
    if isinstance(value, bytes):
        return _binary(value)
    original = getattr(value, "original_string", None)
    return str(original if isinstance(original, str) else value).strip(" \0")


def _binary(value: bytes) -> str | None:
    return base64.b64encode(value).decode() if 0 < len(value) <= MAX_BINARY else None


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


PATIENT = _names(
    """
    PatientName PatientID IssuerOfPatientID IssuerOfPatientIDQualifiersSequence TypeOfPatientID PatientBirthDate
    PatientBirthDateInAlternativeCalendar PatientDeathDateInAlternativeCalendar PatientAlternativeCalendar PatientSex
    ReferencedPatientSequence PatientBirthTime OtherPatientIDs OtherPatientIDsSequence OtherPatientNames
    EthnicGroup PatientComments PatientSpeciesDescription PatientSpeciesCodeSequence PatientBreedDescription
    PatientBreedCodeSequence BreedRegistrationSequence StrainDescription StrainNomenclature StrainCodeSequence
    ResponsiblePerson ResponsiblePersonRole ResponsibleOrganization PatientIdentityRemoved DeidentificationMethod
    DeidentificationMethodCodeSequence ReferencedPatientPhotoSequence QualityControlSubject
    ClinicalTrialSponsorName ClinicalTrialProtocolID ClinicalTrialProtocolName ClinicalTrialSiteID
    ClinicalTrialSiteName ClinicalTrialSubjectID ClinicalTrialSubjectReadingID
    ClinicalTrialProtocolEthicsCommitteeName ClinicalTrialProtocolEthicsCommitteeApprovalNumber
    """
)
STUDY = _names(
    """
    StudyInstanceUID StudyDate StudyTime AccessionNumber IssuerOfAccessionNumberSequence ReferringPhysicianName
    ReferringPhysicianIdentificationSequence ConsultingPhysicianName ConsultingPhysicianIdentificationSequence
    StudyID StudyDescription PhysiciansOfRecord PhysiciansOfRecordIdentificationSequence NameOfPhysiciansReadingStudy
    PhysiciansReadingStudyIdentificationSequence RequestingService RequestingServiceCodeSequence
    ReferencedStudySequence ProcedureCodeSequence ReasonForPerformedProcedureCodeSequence
    AdmittingDiagnosesDescription AdmittingDiagnosesCodeSequence PatientAge PatientSize PatientWeight
    PatientBodyMassIndex MeasuredAPDimension MeasuredLateralDimension PatientSizeCodeSequence MedicalAlerts Allergies
    SmokingStatus PregnancyStatus LastMenstrualDate PatientState Occupation AdditionalPatientHistory AdmissionID
    IssuerOfAdmissionIDSequence ServiceEpisodeID IssuerOfServiceEpisodeIDSequence ServiceEpisodeDescription
    PatientSexNeutered NumberOfStudyRelatedSeries NumberOfStudyRelatedInstances ClinicalTrialTimePointID
    ClinicalTrialTimePointDescription LongitudinalTemporalOffsetFromEvent LongitudinalTemporalEventType
    ConsentForClinicalTrialUseSequence
    """
)
SERIES = _names(
    """
    Modality SeriesInstanceUID SeriesNumber Laterality SeriesDate SeriesTime PerformingPhysicianName
    PerformingPhysicianIdentificationSequence ProtocolName SeriesDescription SeriesDescriptionCodeSequence
    OperatorsName OperatorIdentificationSequence ReferencedPerformedProcedureStepSequence RelatedSeriesSequence
    BodyPartExamined PatientPosition SmallestPixelValueInSeries LargestPixelValueInSeries RequestAttributesSequence
    PerformedProcedureStepID PerformedProcedureStepStartDate PerformedProcedureStepStartTime
    PerformedProcedureStepEndDate PerformedProcedureStepEndTime PerformedProcedureStepDescription
    PerformedProtocolCodeSequence CommentsOnThePerformedProcedureStep AnatomicalOrientationType
    ClinicalTrialCoordinatingCenterName ClinicalTrialSeriesID ClinicalTrialSeriesDescription
    FrameOfReferenceUID PositionReferenceIndicator Manufacturer InstitutionName InstitutionAddress StationName
    InstitutionalDepartmentName InstitutionalDepartmentTypeCodeSequence ManufacturerModelName
    ManufacturerDeviceClassUID DeviceSerialNumber SoftwareVersions GantryID UDISequence DeviceUID SpatialResolution
    DateOfManufacture DateOfInstallation DateOfLastCalibration TimeOfLastCalibration PixelPaddingValue
    """
)


def level_of(keyword: str) -> str:
    """`Patient`, `Study`, `Series` or `Instance`."""
    if keyword in PATIENT:
        return "Patient"
    if keyword in STUDY:
        return "Study"
    return "Series" if keyword in SERIES else "Instance"
