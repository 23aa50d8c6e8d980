"""Link cases: studies and samples for each rule of linkage, each reason to wait for a person, and each discordance.

Their people are the cases' own, so that the rest of the sample stays what it is. Where a case is told by what it is not
(another system's number, a name of one patient in a file of another), that is all that is told.

Reads nothing; writes <sample>/{fhir,dicom,vcf}/defects and the truth about them. Make target: sample.
Example: write(Path("data"), Injected())
"""

from datetime import date
from pathlib import Path

from trilake.sample.defects.defect import Injected
from trilake.sample.defects.link_files import NOBODY, Book, Someone, link, wait
from trilake.sample.fhir_style import LOINC_SYSTEM, coded, term
from trilake.sample.keys import shared_id
from trilake.sample.record import Concept

SHARED_MRN = "LNKTWINS"
FOREIGN = "ELSE77"


def write(sample: Path, injected: Injected) -> None:
    """Write the cases."""
    book = Book(sample, injected)
    studies_that_link(book)
    studies_that_wait(book)
    samples_that_link(book)
    samples_that_wait(book)
    contradictions_of_studies(book)
    contradictions_of_samples(book)
    book.close(sample / "fhir/defects")


def studies_that_link(book: Book) -> None:
    """One study a rule."""
    for case, system, prefix in (
        ("uid_only", "urn:dicom:uid", "urn:oid:"),
        ("uid_older_system", "urn:ietf:rfc:3986", "urn:oid:"),
        ("uid_in_capitals", "urn:dicom:uid", "URN:OID:"),
        ("uid_without_id", "urn:dicom:uid", ""),
    ):
        who = book.someone(case)
        book.charted(who, book.uid_of(case), system=system, prefix=prefix)
        book.study(case, None if case == "uid_without_id" else f"SUBJ-{case}"[:16], link(who, "study_uid"))
    who = book.someone("padded")
    book.study("padded", f" {who.mrn.lower()} ", link(who, "mrn"))
    who = book.someone("leading_zeros", mrn="77001")
    book.study("leading_zeros", "0000077001", link(who, "mrn_zeros"))
    who = book.someone("uuid")
    book.study("uuid", who.patient_id.upper(), link(who, "uuid"))
    who = book.someone("name_uuid")
    book.study("name_uuid", who.file_stem, link(who, "name_uuid"))
    one, _ = twins(book)
    book.charted(one, book.uid_of("uid_settles_shared_mrn"))
    book.study("uid_settles_shared_mrn", SHARED_MRN, link(one, "study_uid"))


def twins(book: Book) -> tuple[Someone, Someone]:
    """The two patients who share a record number; the same in every case."""
    made = [one for one in book.resources if one.get("identifier", [{}])[0].get("value") == SHARED_MRN]
    if not made:
        return book.someone("twin", mrn=SHARED_MRN), book.someone("twin", mrn=SHARED_MRN)
    one, other = (Someone(resource["id"], SHARED_MRN) for resource in made)
    return one, other


def studies_that_wait(book: Book) -> None:
    """One study a reason."""
    one, other = twins(book)
    book.study("ambiguous_mrn", SHARED_MRN, wait("ambiguous", one, other))
    first, second = book.someone("ambiguous_uid"), book.someone("ambiguous_uid")
    for who in (first, second):
        book.charted(who, book.uid_of("ambiguous_uid"))
    book.study("ambiguous_uid", first.mrn, wait("ambiguous", first, second))
    charted, named = book.someone("conflict"), book.someone("conflict")
    book.charted(charted, book.uid_of("conflict"))
    book.study("conflict", named.mrn, wait("conflict", charted, named))
    who = book.someone("mrn_other_system", other_number=FOREIGN)
    book.study("mrn_other_system", FOREIGN, wait("weak", who))
    book.study("unknown", "LNKNOBODY", NOBODY)
    book.injected.discordances.append(orphan("orphan_study", book.uid_of("unknown")))


def orphan(code: str, what: str) -> dict[str, str]:
    return {"code": code, "object_id": what, "other_object_id": "", "patient_id": ""}


def samples_that_link(book: Book) -> None:
    """One sample a rule."""
    who = book.someone("sample_uuid")
    book.sequenced("sample_uuid", who.patient_id.upper(), link(who, "uuid"))
    who = book.someone("sample_mrn")
    book.sequenced("sample_mrn", who.mrn.lower(), link(who, "mrn"))
    who = book.someone("sample_name_uuid")
    book.sequenced("sample_name_uuid", who.file_stem, link(who, "name_uuid"))
    who = book.someone("sample_specimen")
    book.of(who, "Specimen", "tube", status="available", accessionIdentifier={"value": "TUBE-4711"})
    book.sequenced("sample_specimen", "tube-4711", link(who, "specimen"))
    who = book.someone("sample_file_name")
    book.sequenced("sample_file_name", "LNKLAB01", link(who, "file_name"), file=f"{who.file_stem}_dna.vcf")


def samples_that_wait(book: Book) -> None:
    """One sample a reason."""
    one, other = twins(book)
    book.sequenced("sample_ambiguous", SHARED_MRN, wait("ambiguous", one, other))
    named, filed = book.someone("sample_conflict"), book.someone("sample_conflict")
    book.sequenced("sample_conflict", named.mrn, wait("conflict", named, filed), file=f"{filed.file_stem}.vcf")
    who = book.someone("sample_other_system", other_number="ELSE78")
    book.sequenced("sample_other_system", "ELSE78", wait("weak", who))
    stranger = shared_id("link/nobody")
    book.sequenced("sample_unknown", f"No_One_{stranger}", NOBODY)
    book.injected.discordances.append(orphan("orphan_sample", f"No_One_{stranger}"))


def contradictions_of_studies(book: Book) -> None:
    """Studies that link, and say something else than the chart."""
    who = book.someone("wrong_sex")
    book.expect("sex_chart_image", book.study("wrong_sex", who.mrn, link(who, "mrn"), PatientSex="F"), who)
    who = book.someone("wrong_birth_date")
    study = book.study("wrong_birth_date", who.mrn, link(who, "mrn"), PatientBirthDate="19620304")
    book.expect("birth_date_chart_image", study, who)
    who = book.someone("wrong_age")
    book.expect("age_chart_image", book.study("wrong_age", who.mrn, link(who, "mrn"), PatientAge="041Y"), who)
    who = book.someone("before_birth", birth_date=date(2018, 1, 1))
    book.expect("scan_before_birth", book.study("before_birth", who.mrn, link(who, "mrn")), who)
    who = book.someone("after_death", extra={"deceasedDateTime": "2017-04-30"})
    book.expect("scan_after_death", book.study("after_death", who.mrn, link(who, "mrn")), who)
    one, other = book.someone("swapped_scan"), book.someone("swapped_scan", birth_date=date(1961, 7, 8))
    pair = {}
    for place, (who, told) in enumerate(((one, other), (other, one))):
        case = f"swapped_scan_{place}"
        study = book.study(case, who.mrn, link(who, "mrn"), PatientBirthDate=told.birth_date.strftime("%Y%m%d"))
        book.expect("birth_date_chart_image", study, who)
        pair[study] = who
    expect_swap(book, pair)


def expect_swap(book: Book, pair: dict[str, Someone]) -> None:
    first, second = sorted(pair)
    book.expect("swap_suspect", first, pair[first], second)


def contradictions_of_samples(book: Book) -> None:
    """Samples that link, and say something else than the chart."""
    man, woman = book.someone("swapped_sample"), book.someone("swapped_sample", is_male=False)
    pair = {}
    for place, who in enumerate((man, woman)):
        name = book.sequenced(f"swapped_sample_{place}", who.mrn, link(who, "mrn"), is_male=not who.is_male)
        book.expect("sex_chart_genotype", name, who)
        pair[name] = who
    expect_swap(book, pair)
    who = book.someone("specimen_after_death", extra={"deceasedDateTime": "2017-04-30"})
    tube = book.of(who, "Specimen", "tube", status="available", collection={"collectedDateTime": "2017-06-01"})
    book.expect("specimen_after_death", tube, who)
    who = book.someone("said_absent")
    name = book.sequenced("said_absent", who.mrn, link(who, "mrn"), leiden=True)
    gene = {
        "code": coded(LOINC_SYSTEM, Concept("48018-6", "Gene studied [ID]"), text=False),
        "valueCodeableConcept": {"text": "F5"},
    }
    absent = {"coding": [{"system": LOINC_SYSTEM, "code": "LA9634-2", "display": "Absent"}]}
    test = book.of(
        who,
        "Observation",
        "leiden",
        status="final",
        category=[term("observation-category", "laboratory", "Laboratory")],
        code=coded(LOINC_SYSTEM, Concept("69548-6", "Genetic variant assessment"), text=False),
        effectiveDateTime="2018-02-03",
        valueCodeableConcept=absent,
        component=[gene],
    )
    book.expect("chart_absent_sequencing_present", name, who, test)
