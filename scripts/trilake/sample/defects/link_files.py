"""What a link case is made of: minimal charts, three-slice MR studies and six-record VCFs of people made up for it.

Reads nothing; `Book` writes <sample>/dicom/defects and <sample>/vcf/defects/links. Make target: sample.
Example: Book(Path("data"), Injected()).someone("padded").mrn
"""

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from pydicom import dcmread

from trilake.sample.defects.defect import Injected
from trilake.sample.dicom import write_study
from trilake.sample.fhir_style import MRN_SYSTEM, NDJSON, Resource, term
from trilake.sample.governed import rows_of
from trilake.sample.identity import at
from trilake.sample.keys import resource_id, shared_id, uid
from trilake.sample.record import Scan
from trilake.sample.scanners import SCANNERS

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
