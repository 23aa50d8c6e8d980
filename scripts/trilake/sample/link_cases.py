"""Link cases: studies and samples for each rule of linkage, each reason to wait for a person, and each discordance.

Their people are the cases' own, so that the rest of the sample stays what it is. Where a case is told by what it is not
(another system's number, a name of one patient in a file of another), that is all that is told. Charts are minimal, MR
studies have three slices, VCFs six records.

Example: write_link_cases(Path("data"), Injected())
"""

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from pydicom import dcmread

from trilake.sample.defects import Injected
from trilake.sample.dicom import write_study
from trilake.sample.fhir_style import LOINC_SYSTEM, MRN_SYSTEM, NDJSON, Resource, coded, term
from trilake.sample.governed import rows_of
from trilake.sample.keys import resource_id, shared_id, uid
from trilake.sample.record import Concept, Scan, at
from trilake.sample.scans import SCANNERS

OTHER_SYSTEM = "https://elsewhere.example/mrn"
SCANNED = date(2017, 5, 2)
SLICES = 3
X_SITES = (31200100, 31200200, 31200300, 31200400, 31200500)
"""Places on X outside of the pseudoautosomal regions, as the genotypes' sex wants them."""
LEIDEN = "1\t169549811\trs6025\tC\tT\t60\tPASS\t.\tGT"
"""The one annotated allele of these VCFs: F5, pathogenic."""
HEAD = (
    "##fileformat=VCFv4.3\n##reference=GRCh38\n##contig=<ID=1,length=248956422>\n##contig=<ID=X,length=156040895>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
)


@dataclass(frozen=True)
class Someone:
    """A person of one case."""

    patient_id: str
    mrn: str
    is_male: bool = True
    birth_date: date = date(1950, 3, 4)
    given: str = "Case"
    family: str = "Example"

    @property
    def file_stem(self) -> str:
        return f"{self.given}_{self.family}_{self.patient_id}"


@dataclass(frozen=True)
class Expected:
    """What must become of an object: whose it is by which rule, or why a person has to say, or that it is nobody's."""

    verdict: str
    reason: str
    method: str = "none"
    patient: Someone | None = None
    candidates: tuple[Someone, ...] = ()


def link(patient: Someone, method: str) -> Expected:
    return Expected("link", "agreed", method, patient, (patient,))


def wait(reason: str, *candidates: Someone) -> Expected:
    return Expected("review", reason, candidates=candidates)


NOBODY = Expected("refuse", "unknown")


@dataclass
class Book:
    """Writes the cases' files and keeps the truth about them."""

    sample: Path
    injected: Injected
    n_people: int = 0
    resources: list[Resource] = field(default_factory=list)

    def someone(self, case: str, **about: Any) -> Someone:
        """A new person, with a chart. `mrn`: another number than one of their own; `extra`: further elements."""
        self.n_people += 1
        extra = about.pop("extra", {})
        other_number = about.pop("other_number", None)
        who = Someone(shared_id(f"link/{case}/{self.n_people}"), about.pop("mrn", f"LNK{self.n_people:05d}"), **about)
        kind = term("v2-0203", "MR", "Medical record number")
        numbers = [{"use": "official", "type": kind, "system": MRN_SYSTEM, "value": who.mrn}]
        if other_number:
            numbers.append({"use": "secondary", "type": kind, "system": OTHER_SYSTEM, "value": other_number})
        self.resources.append(
            {
                "resourceType": "Patient",
                "id": who.patient_id,
                "meta": NDJSON.meta(),
                "identifier": numbers,
                "active": True,
                "name": [{"use": "official", "family": who.family, "given": [who.given]}],
                "gender": "male" if who.is_male else "female",
                "birthDate": who.birth_date.isoformat(),
                "managingOrganization": NDJSON.organization("north"),
                **extra,
            }
        )
        return who

    def of(self, who: Someone, kind: str, key: str, **elements: Any) -> str:
        """A resource of the person's chart; its id."""
        identifier = resource_id(who.patient_id, f"{kind}/{key}")
        subject = {"reference": f"Patient/{who.patient_id}"}
        about = {"resourceType": kind, "id": identifier, "meta": NDJSON.meta(), "subject": subject}
        self.resources.append({**about, **elements})
        return identifier

    def charted(self, who: Someone, study: str, *, system: str = "urn:dicom:uid", prefix: str = "urn:oid:") -> None:
        """The chart's ImagingStudy of a study."""
        named = [{"system": system, "value": f"{prefix}{study}"}]
        self.of(who, "ImagingStudy", study, identifier=named, status="available", started=SCANNED.isoformat())

    def uid_of(self, case: str) -> str:
        return uid(shared_id(f"link/{case}"), "study")

    def study(self, case: str, word: str | None, expected: Expected, **header: str) -> str:
        """A study whose PatientID is `word`, with these elements in its header; its UID."""
        study = self.uid_of(case)
        day = header.pop("StudyDate", SCANNED.strftime("%Y%m%d"))
        scanner = replace(SCANNERS["north"], n_slices=SLICES)
        scan = a_scan(study, case, word or "", date.fromisoformat(day), scanner)
        paths, _ = write_study(scan, None, self.sample / "dicom/defects")
        for path in paths:
            image = dcmread(path)
            image.PatientID = word or ""
            for keyword, value in header.items():
                setattr(image, keyword, value)
            image.save_as(path, enforce_file_format=True)
        self.injected.files += paths
        self.injected.rows.update({"imaging.study": 1, "imaging.series": 1, "imaging.instance": len(paths)})
        self.keep(case, "study", study, word or "", expected)
        return study

    def sequenced(
        self, case: str, name: str, expected: Expected, *, is_male: bool = True, leiden: bool = False, file: str = ""
    ) -> str:
        """A VCF with one sample of this name; the name."""
        path = self.sample / "vcf/defects/links" / (file or f"{case}.vcf")
        path.parent.mkdir(parents=True, exist_ok=True)
        columns = f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{name}\n"
        calls = ["0", "1", "0", "1", "0"] if is_male else ["0/1", "0/0", "0/1", "1/1", "0/0"]
        rows = [f"X\t{place}\t.\tA\tG\t60\tPASS\t.\tGT\t{call}" for place, call in zip(X_SITES, calls, strict=True)]
        path.write_text(HEAD + columns + "\n".join([f"{LEIDEN}\t{'0/1' if leiden else '0/0'}", *rows]) + "\n")
        self.injected.files.append(path)
        self.injected.rows.update({"genomic.sample": 1, "genomic.variant": 1 + len(rows), "genomic.dosage": 1})
        self.keep(case, "sample", path.relative_to(self.sample).as_posix(), name, expected)
        return name

    def keep(self, case: str, kind: str, what: str, name: str, expected: Expected) -> None:
        """The row of the truth's links."""
        row = {
            "object": what,
            "kind": kind,
            "name_in_file": name,
            "patient_id": expected.patient.patient_id if expected.patient else None,
            "method": expected.method,
            "verdict": expected.verdict,
            "case": case,
            "reason": expected.reason,
            "candidates": sorted(one.patient_id for one in expected.candidates),
        }
        self.injected.links.append(row)

    def expect(self, code: str, what: str, who: Someone, other: str = "") -> None:
        """A row that cohort.discordance must have."""
        row = {"code": code, "object_id": what, "other_object_id": other, "patient_id": who.patient_id}
        self.injected.discordances.append(row)

    def close(self, folder: Path) -> None:
        """Write the charts."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "links.ndjson"
        path.write_bytes(b"".join(orjson.dumps(resource) + b"\n" for resource in self.resources))
        self.injected.files.append(path)
        for resource in self.resources:
            self.injected.rows.update(rows_of(resource))
            self.injected.resources[resource["resourceType"]] += 1


def a_scan(study: str, case: str, word: str, day: date, scanner: Any) -> Scan:
    """A small scan of nobody in particular."""
    owner = shared_id(f"link/{case}")
    place = int(np.frombuffer(bytes.fromhex(owner.replace("-", ""))[:4], dtype=np.uint32)[0])
    return Scan(
        patient_id=None,
        study_uid=study,
        series_uid=uid(owner, "series"),
        frame_uid=uid(owner, "frame"),
        at=at(day, 9),
        modality="MR",
        scanner=scanner,
        ventricle_ml=30.0,
        brain_ml=1100.0,
        dicom_patient_id=word,
        accession=f"LINK{place % 100000:05d}",
        link_method="none",
        has_file=True,
        in_chart=False,
        is_follow_up=False,
        noise_key=(place,),
    )


SHARED_MRN = "LNKTWINS"
FOREIGN = "ELSE77"


def write_link_cases(sample: Path, injected: Injected) -> None:
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
