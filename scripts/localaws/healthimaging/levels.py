"""Which DICOM attributes describe the patient, the study and the series; all others describe the instance.

Reads and writes nothing. Behind `make ingest`. Example: `level_of("PatientSex")` is `"Patient"`.

From the composite IODs of DICOM PS3.3: C.7.1 Patient and Clinical Trial Subject; C.7.2 General Study, Patient Study
and Clinical Trial Study; C.7.3 General Series and Clinical Trial Series; C.7.4 Frame of Reference; C.7.5 General
Equipment. HealthImaging keeps each of them once per image set.
"""

from __future__ import annotations


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
