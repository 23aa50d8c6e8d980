"""Files are recognised by their content, whatever they are called."""

import gzip
from pathlib import Path

import pysam
import pytest

from trilake.core.recognise import Kind, recognise

PATIENT = b'{"resourceType": "Patient", "id": "a"}'
VCF = b"##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
EXPLICIT_ELEMENT = b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100"
IMPLICIT_ELEMENT = b"\x08\x00\x05\x00\x0a\x00\x00\x00ISO_IR 100"
CASES = {
    "one resource": (PATIENT, Kind.FHIR),
    "ndjson": (PATIENT + b"\n" + PATIENT + b"\n", Kind.FHIR),
    "byte order mark and blank lines": (b"\xef\xbb\xbf\n\n" + PATIENT, Kind.FHIR),
    "ndjson with a broken first line": (b"oops\n" + PATIENT + b"\n" + PATIENT, Kind.FHIR),
    "truncated resource": (PATIENT[:30], Kind.FHIR),
    "resourceType after a megabyte": (b'{"text": "' + b"x" * 1_100_000 + b'", "resourceType": "Patient"}', Kind.FHIR),
    "gzip of ndjson": (gzip.compress(PATIENT), Kind.FHIR),
    "truncated gzip of ndjson": (gzip.compress(PATIENT * 1000)[:60], Kind.FHIR),
    "gzip of ndjson with a bad checksum": (gzip.compress(PATIENT)[:-6] + b"\0" * 6, Kind.FHIR),
    "vcf": (VCF, Kind.VCF),
    "gzip of vcf": (gzip.compress(VCF), Kind.VCF),
    "vcf without its first line": (VCF.split(b"\n", 1)[1], Kind.VCF),
    "vcf with a misspelt first line": (b"##fileFormat=VCFv4.1\n#CHROM\tPOS\tID\n", Kind.VCF),
    "dicom": (b"\x00" * 128 + b"DICM" + EXPLICIT_ELEMENT, Kind.DICOM),
    "dicom without preamble, explicit": (EXPLICIT_ELEMENT, Kind.DICOM),
    "dicom without preamble, implicit": (IMPLICIT_ELEMENT, Kind.DICOM),
    "dicom without preamble, big endian": (b"\x00\x08\x00\x05CS\x00\x0aISO_IR 100", Kind.DICOM),
    "dicomdir": (b"\x00" * 128 + b"DICM" + b"\x02\x00\x02\x00UI\x14\x001.2.840.10008.1.3.10\x00", Kind.DICOMDIR),
    "nothing": (b"", Kind.UNRECOGNISED),
    "prose that mentions resourceType": (b'Notes\non "resourceType": a key\n', Kind.UNRECOGNISED),
    "other json": (b'{"a": 1}', Kind.UNRECOGNISED),
    "png": (b"\x89PNG\r\n\x1a\n" + b"\x00" * 200, Kind.UNRECOGNISED),
    "xml": (b'<Patient xmlns="http://hl7.org/fhir"/>', Kind.UNRECOGNISED),
}


@pytest.mark.parametrize("name", CASES)
def test_content_decides(name: str, tmp_path: Path) -> None:
    content, kind = CASES[name]
    path = tmp_path / "misleading.vcf.dcm.json"
    path.write_bytes(content)
    assert recognise(path).kind is kind


def test_bgzf_and_bcf_written_by_htslib(tmp_path: Path) -> None:
    bgzf, bcf = tmp_path / "a", tmp_path / "b"
    with pysam.BGZFile(str(bgzf), "wb") as file:
        file.write(VCF)
    header = pysam.VariantHeader()
    header.add_line("##contig=<ID=1,length=1000>")
    with pysam.VariantFile(str(bcf), "wb", header=header):
        pass
    assert recognise(bgzf).kind is Kind.VCF
    assert recognise(bcf).kind is Kind.BCF


def test_what_is_not_ours_is_described(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(gzip.compress(b"PAR1" + b"\x00" * 100))
    assert recognise(path).found == "gzip of Parquet"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (gzip.compress(b"", mtime=0), "gzip of nothing"),
        (gzip.compress(b"prose", mtime=0)[:-6] + b"\0" * 6, "damaged gzip of text"),
        (gzip.compress(b"prose", mtime=0)[:10] + b"\xff" * 9, "damaged gzip"),
        (gzip.compress(b"prose", mtime=0)[:11], "damaged gzip"),
        (gzip.compress(b"prose" * 100_000, mtime=0), "gzip of text"),
    ],
)
def test_a_gzip_that_cannot_be_read_is_called_damaged(content: bytes, found: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    assert recognise(path).found == found
