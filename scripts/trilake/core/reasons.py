"""The one catalogue of reason codes for all three modalities: what each means, an example, and how to mend it.

`docs/reason-codes.md` is written from it. A reason in the ledger carries one of these codes; its file, line, path,
found and expected say the rest.

Example: REASONS["FHIR_UNKNOWN_TYPE"].meaning
"""

from typing import NamedTuple


class ReasonCode(NamedTuple):
    """`example` is a FHIR resource, a VCF record with its tabs, or a sentence where the whole file is what is wrong."""

    meaning: str
    example: str
    mend: str


CORE = {
    "FILE_UNRECOGNISED": ReasonCode(
        "The content is none of FHIR JSON, VCF or DICOM.",
        "A spreadsheet or a note beside the data.",
        "Nothing, where the file is no data; else export it as NDJSON, VCF or DICOM part 10.",
    ),
    "FILE_EMPTY": ReasonCode(
        "The file has no content.", "A file of 0 bytes.", "Send it again from where it was written."
    ),
    "FILE_UNREADABLE": ReasonCode(
        "The file could not be read or decompressed to its end.",
        "A .gz file whose copy was interrupted.",
        "Copy it again and compare its size or hash with the source.",
    ),
    "IMPORT_FAILED": ReasonCode(
        "The import stopped before this file was accounted for; loading it again is safe.",
        "The import job of the service ended without a report.",
        "Run `trilake ingest` on the file again; report the error type if it comes back.",
    ),
    "SERVICE_REFUSED": ReasonCode(
        "The service's import job refused the record.",
        "HealthLake's report lists the resource with a status of 400.",
        "Mend what `found` says, then `trilake replay ITEM --with FILE`.",
    ),
    "SERVICE_WARNED": ReasonCode(
        "The service's import job loaded the record with a warning.",
        "HealthLake's report carries a message beside a status of 200.",
        "Nothing; read `found`.",
    ),
}
CLINICAL = {
    "FHIR_NOT_JSON": ReasonCode(
        "The line or file is not JSON.",
        '{"resourceType":"Patient","id":"a",}',
        "Write the line with a JSON library; one resource a line, no line breaks inside.",
    ),
    "FHIR_NOT_OBJECT": ReasonCode(
        "The line or file is JSON, but not an object.",
        "A line that holds `null` or a number between lines of resources.",
        "Each line is one resource, in braces.",
    ),
    "FHIR_TOO_LONG": ReasonCode(
        "The line or document is longer than is read into memory.",
        "A DocumentReference with a whole film as base64.",
        "Keep large attachments outside and refer to them by URL.",
    ),
    "FHIR_UNKNOWN_TYPE": ReasonCode(
        "resourceType does not name a FHIR R4 resource.",
        '{"resourceType":"Pateint","id":"a"}',
        "Use the name of an R4 resource; STU3 and R5 types that R4 lacks cannot be loaded.",
    ),
    "FHIR_ID_MISSING": ReasonCode(
        "A contained resource has no id.",
        '{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/a"},"asserter":{"reference":"#p"},'
        '"contained":[{"resourceType":"Practitioner"}]}',
        "Give the contained resource the id by which the resource refers to it (without #).",
    ),
    "FHIR_ID_TWICE": ReasonCode(
        "Two elements of the resource have the same id.",
        '{"resourceType":"Patient","id":"a","name":[{"id":"1","family":"A"}],"address":[{"id":"1","city":"B"}]}',
        "Give each element an id of its own, or none.",
    ),
    "FHIR_ID_FORM": ReasonCode(
        "The id is not 1 to 64 letters, digits, '-' and '.'.",
        '{"resourceType":"Patient","id":"ward 7/12"}',
        "Make ids of the allowed characters, and keep the hospital's own number in `identifier`.",
    ),
    "FHIR_ELEMENT_MISSING": ReasonCode(
        "A required element is missing.",
        '{"resourceType":"Encounter","id":"e","class":{"code":"AMB"}}',
        "Add the element that `path` names.",
    ),
    "FHIR_ELEMENT_UNKNOWN": ReasonCode(
        "R4 has no such element here.",
        '{"resourceType":"Patient","id":"a","sex":"female"}',
        "Rename it to R4's element, or carry it as an extension with a URL.",
    ),
    "FHIR_WRONG_TYPE": ReasonCode(
        "The JSON type is not the element's.",
        '{"resourceType":"Patient","id":"a","active":"true"}',
        "Write booleans and numbers without quotes, lists in brackets.",
    ),
    "FHIR_EMPTY": ReasonCode(
        "An element is null, an empty text, array or object.",
        '{"resourceType":"Patient","id":"a","gender":""}',
        "Leave the element out where there is nothing to say.",
    ),
    "FHIR_CHOICE": ReasonCode(
        "An element that takes one of several types is given as more than one.",
        '{"resourceType":"Patient","id":"a","deceasedBoolean":true,"deceasedDateTime":"2020-01-01"}',
        "Keep one of them: the one that says more.",
    ),
    "FHIR_DATE": ReasonCode(
        "A date or time has the wrong form, or is no day.",
        '{"resourceType":"Patient","id":"a","birthDate":"01.03.1950"}',
        "Write YYYY, YYYY-MM or YYYY-MM-DD; times with seconds and zone.",
    ),
    "FHIR_CODE": ReasonCode(
        "A code is not one of the element's required value set.",
        '{"resourceType":"Patient","id":"a","gender":"F"}',
        "Use the value set that `expected` names, in its letters.",
    ),
    "FHIR_CODE_UNKNOWN": ReasonCode(
        "The code is none of its code system, which R4 lists in full, or no UCUM unit.",
        '{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":'
        '{"value":1,"system":"http://unitsofmeasure.org","code":"milligrams"}}',
        "Use the system's own code (mg, not milligrams), or another system.",
    ),
    "FHIR_FORM": ReasonCode(
        "A text has not the form of its type: code, URI, OID, UUID, canonical URL, base64.",
        '{"resourceType":"Patient","id":"a","language":" en"}',
        "Write it as `expected` says.",
    ),
    "FHIR_NUMBER_RANGE": ReasonCode(
        "A number is outside the range of its type.",
        '{"resourceType":"Patient","id":"a","multipleBirthInteger":3000000000}',
        "Use a number of the type's range (32 bits), or another element.",
    ),
    "FHIR_KEY_TWICE": ReasonCode(
        "The JSON object has a name twice.",
        '{"resourceType":"Patient","id":"a","gender":"male","gender":"female"}',
        "Keep one; JSON readers differ in which of them counts.",
    ),
    "FHIR_INVARIANT": ReasonCode(
        "An invariant of R4 does not hold; `found` is HL7's key of it.",
        '{"resourceType":"Patient","id":"a","contact":[{"gender":"female"}]}',
        "Look the key up in the resource's page of the specification (pat-1 here: a contact needs a name, telecom, "
        "address or organization).",
    ),
    "FHIR_NARRATIVE": ReasonCode(
        "The narrative is not the XHTML that R4 allows.",
        '{"resourceType":"Patient","id":"a","text":{"status":"generated","div":"plain words"}}',
        'Wrap it in `<div xmlns="http://www.w3.org/1999/xhtml">`, or leave `text` out.',
    ),
    "FHIR_ATTACHMENT": ReasonCode(
        "An attachment's size or hash is not that of its data, or the data are no base64.",
        '{"resourceType":"Patient","id":"a","photo":[{"contentType":"image/png","data":"AAAA","size":7}]}',
        "Write size and hash of the decoded bytes, or leave them out.",
    ),
    "FHIR_EXTENSION": ReasonCode(
        "An extension has no absolute URL, or a value of a type that its definition does not allow.",
        '{"resourceType":"Patient","id":"a","extension":[{"url":"colour","valueString":"red"}]}',
        "Give it an absolute URL, and the type of value that its definition names.",
    ),
    "FHIR_REFERENCE": ReasonCode(
        "A reference has white space in it, or leads to a type that may not stand there.",
        '{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/a b"}}',
        "Write Type/id, an absolute URL, urn:uuid: or #id.",
    ),
    "FHIR_CONTAINED": ReasonCode(
        "Contained resources and the references to them do not fit together.",
        '{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/a"},"asserter":{"reference":"#p"}}',
        "Contain what # refers to, and refer to whatever is contained.",
    ),
    "FHIR_BUNDLE": ReasonCode(
        "Loaded, though the Bundle around it breaks a rule of R4.",
        "A Bundle of type transaction whose entries have no `request`.",
        "Nothing: the resources are loaded, the Bundle itself is not.",
    ),
    "FHIR_TOO_LARGE": ReasonCode(
        "The resource is larger than HealthLake takes.",
        "A Patient with a photo of several megabytes.",
        "Keep attachments outside and refer to them by URL.",
    ),
    "FHIR_ENTRY_EMPTY": ReasonCode(
        "A Bundle entry carries no resource.",
        '{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:'
        '0a0b0c0d-0000-4000-8000-000000000001"}]}',
        "Leave empty entries out; a DELETE in a Bundle is not carried out.",
    ),
    "FHIR_NESTED_BUNDLE": ReasonCode(
        "A Bundle entry is itself a Bundle.",
        '{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Bundle",'
        '"type":"collection"}}]}',
        "Write the inner Bundle to a file of its own.",
    ),
    "FHIR_TWICE_IN_BUNDLE": ReasonCode(
        "The Bundle holds a second, different version of the resource.",
        '{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","id":"a",'
        '"gender":"male"}},{"resource":{"resourceType":"Patient","id":"a","gender":"female"}}]}',
        "Keep the version that counts; `trilake replay ITEM` takes the second one all the same.",
    ),
    "FHIR_ID_MAPPED": ReasonCode(
        "Loaded under an id made from the content, or from a given one that FHIR does not allow.",
        '{"resourceType":"Patient","gender":"male"}',
        "Nothing; give resources ids where others are to refer to them.",
    ),
    "FHIR_REFERENCE_TARGET": ReasonCode(
        "Loaded, though a reference names a resource of a type that may not stand there.",
        "A Bundle whose Condition.subject leads to a Practitioner.",
        "Refer to a resource of the type that `expected` names.",
    ),
    "FHIR_REFERENCE_UNRESOLVED": ReasonCode(
        "Loaded with references whose targets are not in the load.",
        "An Observation whose Patient comes with a later file.",
        "Load the missing resources too; `urn:uuid:` references lead only within their Bundle.",
    ),
}
GENOMIC = {
    "VCF_HEADER": ReasonCode(
        "The header breaks a rule of the VCF specification.",
        "A file without the #CHROM line, or an INFO declaration without Type.",
        "Mend the header (`bcftools reheader`), then `trilake ingest` the file again.",
    ),
    "VCF_BUILD": ReasonCode(
        "The header tells two reference genomes; records of one would be put at places of the other.",
        "##reference=GRCh38 above a ##contig of chromosome 1 with length 249250621, which is GRCh37's.",
        "Find out which it is, and correct the other line.",
    ),
    "VCF_UNDECLARED": ReasonCode(
        "Loaded, though the header does not declare the key, filter, contig or allele.",
        "1\t100\t.\tA\tT\t50\tPASS\tNEWKEY=1\tGT\t0/1",
        "Nothing; declare it in the header where its type matters.",
    ),
    "VCF_STRUCTURAL": ReasonCode(
        "Loaded, though a structural variant breaks a rule of its version.",
        "A <DEL> without END and SVLEN.",
        "Nothing, where the length does not matter; else write END or SVLEN.",
    ),
    "VCF_REF_MISMATCH": ReasonCode(
        "REF is not what the reference sequence has there: another build, or a wrong record.",
        "`trilake ingest --reference GRCh38.fa` on a file of GRCh37.",
        "Use the genome that the file was called on.",
    ),
    "VCF_ENCODING": ReasonCode(
        "The line is not UTF-8 text.",
        "An INFO text in Latin-1.",
        "Convert the file: `iconv -f latin1 -t utf8`.",
    ),
    "VCF_COLUMNS": ReasonCode(
        "The record has another number of columns than the header.",
        "1\t1100\t.\tA\tG",
        "Restore the tabs: an editor may have made blanks of them.",
    ),
    "VCF_CHROM": ReasonCode(
        "CHROM is not a contig name.",
        "chr 1\t100\t.\tA\tT\t50\tPASS\t.\tGT\t0/1",
        "Use a name without white space, commas, brackets, quotes or leading * and =.",
    ),
    "VCF_POSITION": ReasonCode(
        "POS is not a position.",
        "1\tten\t.\tA\tT\t50\tPASS\t.\tGT\t0/1",
        "Write the 1-based position, within its contig.",
    ),
    "VCF_ID": ReasonCode(
        "ID is not a list of identifiers.",
        "1\t100\trs1;;rs2\tA\tT\t50\tPASS\t.\tGT\t0/1",
        "Separate identifiers by single semicolons, or write a point.",
    ),
    "VCF_REF": ReasonCode(
        "REF is not an allele.",
        "1\t100\t.\tA,C\tT\t50\tPASS\t.\tGT\t0/1",
        "REF is one sequence of A, C, G, T and N.",
    ),
    "VCF_ALT": ReasonCode(
        "ALT is not a list of alleles.",
        "1\t100\t.\tA\tTZ\t50\tPASS\t.\tGT\t0/1",
        "Write bases, *, <ID> or a breakend, separated by commas, each allele once.",
    ),
    "VCF_QUALITY": ReasonCode(
        "QUAL is not a quality.",
        "1\t100\t.\tA\tT\thigh\tPASS\t.\tGT\t0/1",
        "Write a number of 0 or more, or a point.",
    ),
    "VCF_FILTER": ReasonCode(
        "FILTER is not a list of filters.",
        "1\t100\t.\tA\tT\t50\tPASS;q10\t.\tGT\t0/1",
        "Write PASS alone, a point, or names separated by semicolons.",
    ),
    "VCF_INFO": ReasonCode(
        "An INFO entry breaks its declaration or the specification.",
        "1\t100\t.\tA\tT\t50\tPASS\tDP=deep\tGT\t0/1",
        "Write the type and the number of values that the header declares, or correct the declaration.",
    ),
    "VCF_FORMAT": ReasonCode(
        "FORMAT is not a list of keys.",
        "1\t100\t.\tA\tT\t50\tPASS\t.\tGT:GT\t0/1:0/1",
        "Name each key once, GT first.",
    ),
    "VCF_SAMPLE": ReasonCode(
        "A sample value breaks its declaration or the specification.",
        "1\t100\t.\tA\tT\t50\tPASS\t.\tGT\t0/1:5",
        "Write one value for each key of FORMAT, of the declared type and number.",
    ),
    "VCF_GENOTYPE": ReasonCode(
        "A genotype is malformed or names an allele that is not there.",
        "1\t1200\t.\tA\tG\t50\tPASS\t.\tGT\t0/7",
        "Use 0 for REF and 1 to n for the ALT alleles; keep alleles and genotypes together when splitting records.",
    ),
    "VCF_SAMPLE_SHARED": ReasonCode(
        "Loaded, though another file of the load has the sample too: an allele in both shows once.",
        "One file a chromosome, each with the same sample.",
        "Nothing, where the files are parts of one call set; else give samples names of their own.",
    ),
    "VCF_REPEATED": ReasonCode(
        "The same line stands in the file before: it is loaded once.",
        "A file that was concatenated with an overlap.",
        "Nothing.",
    ),
    "VCF_DUPLICATE": ReasonCode(
        "The same allele at the same position stands in the file before, with other content.",
        "Two lines for 1:100 A>T with different genotypes.",
        "Keep the line that counts: `bcftools norm -d` shows them.",
    ),
    "VCF_ORDER": ReasonCode(
        "Loaded, though the records are not sorted by position within contiguous contigs.",
        "A file that was sorted as text.",
        "Nothing; `bcftools sort` for other tools.",
    ),
    "VCF_NO_NEWLINE": ReasonCode(
        "Loaded, though the last line has no line end: the file may be cut short.",
        "A download that broke off within the last line.",
        "Compare the size with the source's.",
    ),
    "VCF_NO_END_BLOCK": ReasonCode(
        "Loaded, though the BGZF file lacks its last block: it may be cut short.",
        "A .vcf.gz whose copy was interrupted at a block's end.",
        "Compare the size with the source's.",
    ),
    "VCF_NO_RECORDS": ReasonCode(
        "Loaded, though the file holds no record.",
        "A panel in which nothing was called.",
        "Nothing, where nothing was called.",
    ),
    "VCF_TOO_LARGE": ReasonCode(
        "The file is larger than an import job of HealthOmics takes.",
        "A VCF of more than 20 GB.",
        'Split it by chromosome, or use `genomic_backend = "iceberg"`.',
    ),
    "DNA_HEADER": ReasonCode(
        "The DNA csv lacks columns.", "A csv without STRAND.", "Take the file as it was published."
    ),
    "DNA_PATIENT": ReasonCode(
        "The name of the DNA csv holds no patient's uuid, or more than one.",
        "dna.csv in place of Given_Family_<uuid>_dna.csv.",
        "Keep the published name: nothing inside tells the patient.",
    ),
    "DNA_COLUMNS": ReasonCode(
        "The row of the DNA csv has another number of columns than its header.",
        "A row cut short.",
        "Take the file as it was published.",
    ),
    "DNA_PLACE": ReasonCode(
        "The row's chromosome or location is none.", "CHROMOSOME 23.", "Write 1 to 22, X, Y or MT."
    ),
    "DNA_STRAND": ReasonCode("The row's strand is none.", "STRAND 0.", "Write 1 or -1."),
    "DNA_ALLELE": ReasonCode(
        "The row's alleles cannot be written as a VCF record.",
        "ANCESTRAL_ALLELE `-`.",
        "Nothing: such markers need a reference sequence.",
    ),
    "DNA_CONTRADICTION": ReasonCode(
        "The row, or rows of one marker, contradict each other on what is carried.",
        "VARIANT false beside ALLELE `A>G`.",
        "Find out which row is right, and replay it alone.",
    ),
    "DNA_ALLELE_LEFT_OUT": ReasonCode(
        "Loaded without an allele that is not made of bases.",
        "VARIANT_ALLELE_LIST `A,-`.",
        "Nothing.",
    ),
    "DNA_ALLELE_UNLISTED": ReasonCode(
        "Loaded, though the carried allele is not among the listed ones.",
        "ALLELE `A>T` where VARIANT_ALLELE_LIST is `G`.",
        "Nothing.",
    ),
    "DNA_ZYGOSITY": ReasonCode(
        "Loaded as half calls: a DNA csv tells that an allele is carried, not in how many copies.",
        "Every DNA csv of the Coherent data set.",
        "Nothing; copies cannot be known.",
    ),
    "VCF_BUILD_ASSUMED": ReasonCode(
        "Loaded under the default reference genome: the header names none.",
        "A header with neither ##reference nor lengths of ##contig.",
        "Write ##reference, or check that the default fits.",
    ),
}
IMAGING = {
    "DICOM_UNREADABLE": ReasonCode(
        "The object cannot be parsed as DICOM.",
        "A file whose elements run past each other.",
        "Export it again from the archive.",
    ),
    "DICOM_UID_MISSING": ReasonCode(
        "A UID that names the study, series or instance is missing.",
        "An object without (0020,000D) StudyInstanceUID.",
        "Export it again; UIDs must not be made up.",
    ),
    "DICOM_UID_FORM": ReasonCode(
        "A UID is not made of digits and dots, or is too long.",
        "1.2.840.abc",
        "Use at most 64 digits and dots, no component with a leading zero.",
    ),
    "DICOM_VALUE_LONG": ReasonCode(
        "A value is longer than HealthImaging takes.",
        "A StudyID of more than 16 characters.",
        "Shorten the value, or keep it in an element that takes it.",
    ),
    "DICOM_VALUE": ReasonCode(
        "A number that describes the pixels is missing or damaged.",
        "An MR image without Rows.",
        "Export it again from the archive.",
    ),
    "DICOM_TRUNCATED": ReasonCode(
        "The file ends before its elements do.",
        "A transfer that broke off.",
        "Copy it again and compare its size with the source's.",
    ),
    "DICOM_PIXELS_SHORT": ReasonCode(
        "The pixel data are fewer than rows, columns, bits and frames ask for.",
        "512 x 512 of 16 bits with 400 kB of pixels.",
        "Copy it again; correct NumberOfFrames where frames were taken out.",
    ),
    "DICOM_TOO_LARGE": ReasonCode(
        "The file is larger than an import job takes.",
        "A whole-slide image of more than 4 GB.",
        "Split it into objects of fewer frames.",
    ),
    "DICOM_CONFLICT": ReasonCode(
        "Another file, of this load or an earlier one, has the same SOPInstanceUID and other content.",
        "An image that was edited without a new UID.",
        "`trilake replay ITEM` takes the new content in place of the old.",
    ),
    "DICOM_TWO_PATIENTS": ReasonCode(
        "Files of the same study, in this load or an earlier one, name another patient.",
        "A study that was corrected to another PatientID after half of it was sent.",
        "Find out whose it is and send the whole study again; `trilake replay ITEM` takes it all the same.",
    ),
    "DICOM_REPLACED": ReasonCode(
        "Loaded by replay in the place of other content under the same SOPInstanceUID.",
        "The replay of a DICOM_CONFLICT.",
        "Nothing; `trilake replay ITEM --with FILE` takes it back.",
    ),
    "DICOM_SUPERSEDED": ReasonCode(
        "Loaded once, and left out now: a replay put other content in its place.",
        "The old file of a DICOM_CONFLICT comes again.",
        "Nothing.",
    ),
    "DICOM_NOT_PRIMARY": ReasonCode(
        "Loaded into an image set that is not primary: it contradicts what the store has already.",
        "A series of the same study with another PatientName.",
        "Correct the patient or study elements and send it again.",
    ),
    "DICOM_META_MADE": ReasonCode(
        "Loaded behind a part 10 header that the import made: the file has none.",
        "A bare data set as old archives write it.",
        "Nothing.",
    ),
    "DICOM_SYNTAX": ReasonCode(
        "Loaded, though HealthImaging gives out no frames of this transfer syntax.",
        "A deflated or MPEG object.",
        "Convert it to a transfer syntax of HealthImaging's list where pixels are needed.",
    ),
    "DICOM_PATIENT_MISSING": ReasonCode(
        "Loaded without PatientID.",
        "A phantom or an anonymised study.",
        "Name the patient by `trilake review` where the study is to be somebody's.",
    ),
    "DICOM_DIRECTORY": ReasonCode(
        "A DICOMDIR lists files and holds no instance: the files load, nothing of it does.",
        "The DICOMDIR of a disc.",
        "Nothing.",
    ),
    "RADIOMICS_FAILED": ReasonCode(
        "Loaded, but no features could be measured.",
        "A region of fewer voxels than the features need.",
        "Look at mask and series; measure again with `trilake ingest`.",
    ),
}
REASONS: dict[str, ReasonCode] = CORE | CLINICAL | GENOMIC | IMAGING
