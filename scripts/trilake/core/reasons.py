"""The one catalogue of reason codes for all three modalities: code -> what it means.

A reason in the ledger carries one of these codes; the file, line, path, found and expected say the rest.

Example: REASONS["FHIR_UNKNOWN_TYPE"]
"""

CORE = {
    "FILE_UNRECOGNISED": "The content is none of FHIR JSON, VCF or DICOM.",
    "FILE_EMPTY": "The file has no content.",
    "FILE_UNREADABLE": "The file could not be read or decompressed to its end.",
    "SERVICE_REFUSED": "The service's import job refused the record.",
}
CLINICAL = {
    "FHIR_NOT_JSON": "The line or file is not a JSON object.",
}
GENOMIC = {
    "VCF_HEADER": "The header breaks a rule of the VCF specification.",
}
IMAGING = {
    "DICOM_UNREADABLE": "The object cannot be parsed as DICOM.",
}
REASONS = CORE | CLINICAL | GENOMIC | IMAGING
