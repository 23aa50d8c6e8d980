"""What a file is, told by its content and never by its name: FHIR JSON, VCF, BCF, DNA csv, DICOM or none.

Reads the head of a file, through gzip and BGZF; a JSON file whose `resourceType` stands late is read on.

Example: recognise(Path("a_file")).kind  ->  Kind.FHIR
"""

import gzip
import re
import struct
import zlib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import BinaryIO, cast

HEAD = 1 << 16
BOM = b"\xef\xbb\xbf"
DICOMDIR_CLASS = b"1.2.840.10008.1.3.10"
RESOURCE_TYPE = re.compile(rb'"resourceType"\s*:')
DNA_COLUMNS = (
    "INDEX", "INDEX_PREFIX", "CHROMOSOME", "LOCATION", "STRAND", "ANCESTRAL_ALLELE", "VARIANT_ALLELE_LIST", "GENE",
    "CLINICAL_SIGNIFICANCE", "ALLELE", "VARIANT",
)  # fmt: skip
"""Column line of the Coherent data set's DNA csv."""
MOST_OF_DNA_COLUMNS = 8
EXPLICIT_VR = re.compile(rb"A[EST]|C[S]|D[AST]|F[LD]|I[S]|L[OT]|O[BDFLVW]|P[N]|S[HLQSTV]|T[M]|U[CILNRSTV]")
OTHER_FORMATS = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"PK\x03\x04", "zip archive"),
    (b"PAR1", "Parquet"),
    (b"BAM\x01", "BAM"),
    (b"CRAM", "CRAM"),
    (b"\xff\xfe", "UTF-16 text"),
    (b"\xfe\xff", "UTF-16 text"),
)


class Kind(Enum):
    """What a file holds; `modality` is the room that loads it, or none."""

    FHIR = "fhir"
    VCF = "vcf"
    BCF = "bcf"
    DNA_CSV = "dna_csv"
    DICOM = "dicom"
    DICOMDIR = "dicomdir"
    UNRECOGNISED = "unrecognised"

    @property
    def modality(self) -> str:
        return MODALITY.get(self, "none")


MODALITY = {
    Kind.FHIR: "clinical",
    Kind.VCF: "genomic",
    Kind.BCF: "genomic",
    Kind.DNA_CSV: "genomic",
    Kind.DICOM: "imaging",
    Kind.DICOMDIR: "imaging",
}


@dataclass(frozen=True)
class Recognised:
    """A file's kind and, where it is none of ours, what it looks like instead."""

    kind: Kind
    found: str = ""


def recognise(path: Path) -> Recognised:
    """The kind of a file on disk. A gzip that cannot be read further than its head is judged by that head."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    is_gzip = head.startswith(b"\x1f\x8b")
    content, is_damaged = inflate(head) if is_gzip else (head, False)
    answer = recognise_head(content)
    is_json = answer.kind is Kind.UNRECOGNISED and text_start(content)[:1] in (b"{", b"[")
    if is_json and names_resource_type(path, is_gzip):
        return Recognised(Kind.FHIR)
    if not is_gzip or not answer.found:
        return answer
    if not is_damaged:
        return Recognised(answer.kind, f"gzip of {answer.found}")
    return Recognised(answer.kind, f"damaged gzip of {answer.found}" if content else "damaged gzip")


def recognise_head(head: bytes) -> Recognised:
    """The kind of uncompressed content, by its first bytes."""
    if not head:
        return Recognised(Kind.UNRECOGNISED, "nothing")
    if (encoding := utf16_of(head)) and is_fhir(head.decode(encoding, "ignore").encode().removeprefix(BOM)):
        return Recognised(Kind.FHIR)
    if head.startswith(b"BCF\x02"):
        return Recognised(Kind.BCF)
    if is_dicom(head):
        return Recognised(Kind.DICOMDIR if DICOMDIR_CLASS in head[:1024] else Kind.DICOM)
    text = text_start(head)
    for kind, is_so in ((Kind.VCF, is_vcf), (Kind.FHIR, is_fhir), (Kind.DNA_CSV, is_dna_csv)):
        if is_so(text):
            return Recognised(kind)
    return Recognised(Kind.UNRECOGNISED, describe(head))


def inflate(head: bytes) -> tuple[bytes, bool]:
    """The start of what a gzip or BGZF head unpacks to, up to where it is damaged or cut short, and whether it is."""
    content, rest, is_whole = b"", head, True
    while rest.startswith(b"\x1f\x8b") and len(content) < HEAD:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            content += unpacker.decompress(rest, HEAD)
        except zlib.error:
            return content + salvaged(rest), True
        is_whole = unpacker.eof or len(head) == HEAD or bool(unpacker.unconsumed_tail)
        rest = unpacker.unused_data
    return content, not is_whole


def salvaged(packed: bytes) -> bytes:
    """What comes out of a gzip before the byte that shows its damage, which may be the last of its checksum."""
    unpacker, content = zlib.decompressobj(wbits=31), b""
    try:
        for place in range(len(packed)):
            content += unpacker.decompress(packed[place : place + 1])
            if len(content) >= HEAD:
                break
    except zlib.error:
        pass
    return content


def utf16_of(head: bytes) -> str:
    """The name of the encoding of JSON in UTF-16, with or without a byte order mark; else an empty text."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    return {b"{\x00": "utf-16-le", b"[\x00": "utf-16-le", b"\x00{": "utf-16-be", b"\x00[": "utf-16-be"}.get(
        head[:2], ""
    )


def text_start(head: bytes) -> bytes:
    return head.removeprefix(BOM).lstrip()


def is_vcf(text: bytes) -> bool:
    """VCF, or meant as VCF: a faulty first line is for the genomic preflight to name."""
    if text[:16].lower() == b"##fileformat=vcf" or text.startswith(b"#CHROM\tPOS\tID"):
        return True
    return text.startswith(b"#") and b"\n#CHROM" in text and b"POS" in text


def is_dna_csv(text: bytes) -> bool:
    """A DNA csv, or meant as one: most of its columns are there, in any order."""
    first = text.split(b"\n", 1)[0].upper().replace(b'"', b"").decode(errors="replace")
    return len({name.strip() for name in first.split(",")} & set(DNA_COLUMNS)) >= MOST_OF_DNA_COLUMNS


def is_fhir(text: bytes) -> bool:
    """JSON that names a resourceType; NDJSON also when its first lines are broken but most look like objects."""
    if not RESOURCE_TYPE.search(text):
        return False
    if text[:1] in (b"{", b"["):
        return True
    lines = [line for line in text.splitlines() if line.strip()]
    return sum(line.lstrip().startswith(b"{") for line in lines) * 2 > len(lines)


def names_resource_type(path: Path, is_gzip: bool) -> bool:
    """Whether `"resourceType":` stands anywhere in a JSON file."""
    overlap = b""
    try:
        with cast(BinaryIO, gzip.open(path, "rb")) if is_gzip else path.open("rb") as file:
            while block := file.read(1 << 20):
                if RESOURCE_TYPE.search(overlap + block):
                    return True
                overlap = block[-64:]
    except (OSError, EOFError, zlib.error):
        return False
    return False


def is_dicom(head: bytes) -> bool:
    """DICOM part 10 (`DICM` after 128 bytes), or a data set that starts at once with group 0002 or 0008."""
    if head[128:132] == b"DICM":
        return True
    if len(head) < 12:
        return False
    group, element = struct.unpack("<HH", head[:4])
    if head[:2] in (b"\x00\x02", b"\x00\x08") and EXPLICIT_VR.fullmatch(head[4:6]):
        return True
    if group not in (0x0002, 0x0008) or element > 0x2000:
        return False
    if EXPLICIT_VR.fullmatch(head[4:6]):
        return True
    length = int(struct.unpack("<I", head[4:8])[0])
    return length % 2 == 0 and 0 < length <= 128


def describe(head: bytes) -> str:
    """What unrecognised content looks like, in two words."""
    for magic, name in OTHER_FORMATS:
        if head.startswith(magic):
            return name
    if b"\x00" in head[:4096]:
        return "binary data"
    text = text_start(head)
    if text.startswith(b"<"):
        return "FHIR XML" if b"http://hl7.org/fhir" in head else "XML or HTML"
    return "JSON without resourceType" if text[:1] in (b"{", b"[") else "text"
