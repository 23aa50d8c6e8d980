"""The one catalogue of reason codes for all three modalities: code -> what it means.

A reason in the ledger carries one of these codes; the file, line, path, found and expected say the rest.

Example: REASONS["FHIR_UNKNOWN_TYPE"]
"""

CORE = {
    "FILE_UNRECOGNISED": "The content is none of FHIR JSON, VCF or DICOM.",
    "FILE_EMPTY": "The file has no content.",
    "FILE_UNREADABLE": "The file could not be read or decompressed to its end.",
    "IMPORT_FAILED": "The import stopped before this file was accounted for; loading it again is safe.",
    "SERVICE_REFUSED": "The service's import job refused the record.",
}
CLINICAL = {
    "FHIR_NOT_JSON": "The line or file is not JSON.",
    "FHIR_NOT_OBJECT": "The line or file is JSON, but not an object.",
    "FHIR_TOO_LONG": "The line or document is longer than is read into memory.",
    "FHIR_UNKNOWN_TYPE": "resourceType does not name a FHIR R4 resource.",
    "FHIR_ID_MISSING": "The resource has no id.",
    "FHIR_ID_FORM": "The id is not 1 to 64 letters, digits, '-' and '.'.",
    "FHIR_ELEMENT_MISSING": "A required element is missing.",
    "FHIR_ELEMENT_UNKNOWN": "R4 has no such element here.",
    "FHIR_WRONG_TYPE": "The JSON type is not the element's.",
    "FHIR_EMPTY": "An element is null, an empty text, array or object.",
    "FHIR_CHOICE": "An element that takes one of several types is given as more than one.",
    "FHIR_DATE": "A date or time has the wrong form, or is no day.",
    "FHIR_CODE": "A code is not one of the element's required value set.",
    "FHIR_CODE_UNKNOWN": "The code is none of its code system, which R4 lists in full, or no UCUM unit.",
    "FHIR_FORM": "A text has not the form of its type: code, URI, OID, UUID, canonical URL, base64.",
    "FHIR_NUMBER_RANGE": "A number is outside the range of its type.",
    "FHIR_KEY_TWICE": "The JSON object has a name twice.",
    "FHIR_INVARIANT": "An invariant of R4 does not hold; `found` is HL7's key of it.",
    "FHIR_NARRATIVE": "The narrative is not the XHTML that R4 allows.",
    "FHIR_ATTACHMENT": "An attachment's size or hash is not that of its data, or the data are no base64.",
    "FHIR_EXTENSION": "An extension has no absolute URL, or a value of a type that its definition does not allow.",
    "FHIR_REFERENCE": "A reference has white space in it, or leads to a type that may not stand there.",
    "FHIR_CONTAINED": "Contained resources and the references to them do not fit together.",
    "FHIR_BUNDLE": "Loaded, though the Bundle around it breaks a rule of R4.",
    "FHIR_TOO_LARGE": "The resource is larger than HealthLake takes.",
    "FHIR_ENTRY_EMPTY": "A Bundle entry carries no resource.",
    "FHIR_NESTED_BUNDLE": "A Bundle entry is itself a Bundle.",
    "FHIR_TWICE_IN_BUNDLE": "The Bundle holds a second, different version of the resource.",
    "FHIR_ID_MAPPED": "Loaded under an id made from the given one, which FHIR does not allow, or from the content.",
    "FHIR_REFERENCE_UNRESOLVED": "Loaded with references whose targets are not in the load.",
}
GENOMIC = {
    "VCF_HEADER": "The header breaks a rule of the VCF specification.",
    "VCF_ENCODING": "The line is not UTF-8 text.",
    "VCF_COLUMNS": "The record has another number of columns than the header.",
    "VCF_CHROM": "CHROM is not a contig name.",
    "VCF_POSITION": "POS is not a position.",
    "VCF_ID": "ID is not a list of identifiers.",
    "VCF_REF": "REF is not an allele.",
    "VCF_ALT": "ALT is not a list of alleles.",
    "VCF_QUALITY": "QUAL is not a quality.",
    "VCF_FILTER": "FILTER is not a list of filters.",
    "VCF_INFO": "An INFO entry breaks its declaration or the specification.",
    "VCF_FORMAT": "FORMAT is not a list of keys.",
    "VCF_SAMPLE": "A sample value breaks its declaration or the specification.",
    "VCF_GENOTYPE": "A genotype is malformed or names an allele that is not there.",
    "VCF_SAMPLE_SHARED": "Loaded, though another file of the load has the sample too: an allele in both shows once.",
    "VCF_REPEATED": "The same line stands in the file before: it is loaded once.",
    "VCF_DUPLICATE": "The same allele at the same position stands in the file before, with other content.",
    "VCF_ORDER": "Loaded, though the records are not sorted by position within contiguous contigs.",
    "VCF_NO_NEWLINE": "Loaded, though the last line has no line end: the file may be cut short.",
    "VCF_NO_END_BLOCK": "Loaded, though the BGZF file lacks its last block: it may be cut short.",
    "VCF_NO_RECORDS": "Loaded, though the file holds no record.",
    "VCF_TOO_LARGE": "The file is larger than an import job of HealthOmics takes.",
    "VCF_BUILD_ASSUMED": "Loaded under the default reference genome: the header names none.",
}
IMAGING = {
    "DICOM_UNREADABLE": "The object cannot be parsed as DICOM.",
    "DICOM_UID_MISSING": "A UID that names the study, series or instance is missing.",
    "DICOM_UID_FORM": "A UID is not made of digits and dots, or is too long.",
    "DICOM_TRUNCATED": "The file is shorter than its pixels.",
    "DICOM_TOO_LARGE": "The file is larger than an import job takes.",
    "DICOM_CONFLICT": "Another file of the load has the same SOPInstanceUID and other content.",
    "DICOM_PATIENT_MISSING": "Loaded without PatientID.",
    "DICOM_DIRECTORY": "A DICOMDIR lists files and holds no images: nothing of it is loaded.",
    "RADIOMICS_FAILED": "Loaded, but no features could be measured.",
}
REASONS = CORE | CLINICAL | GENOMIC | IMAGING
