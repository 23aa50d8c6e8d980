"""In which form a study is written: slices or one enhanced object, in which encoding, with a segmentation or without.

The profile `imaging` deals all forms evenly, by the study's UID; every other one writes plain slices. What a picture
shows does not depend on its form.

Reads and writes nothing. Make target: sample. Example: form_of("imaging", scan).encoding
"""

from dataclasses import dataclass
from itertools import product

from trilake.sample.record import Scan

PROFILE = "imaging"
ENCODINGS = ("native", "rle", "j2k")


@dataclass(frozen=True)
class Form:
    """`encoding` is one of ENCODINGS: explicit VR little endian, RLE Lossless, JPEG 2000 lossless."""

    is_enhanced: bool = False
    encoding: str = "native"
    has_segmentation: bool = False

    @property
    def name(self) -> str:
        return f"{'enhanced' if self.is_enhanced else 'slices'}-{self.encoding}"


PLAIN = Form()
FORMS = tuple(Form(*one) for one in product((False, True), ENCODINGS, (False, True)))


def form_of(profile: str, scan: Scan) -> Form:
    """The study's form. An orphan has one too."""
    if profile != PROFILE:
        return PLAIN
    return FORMS[int(scan.study_uid.removeprefix("2.25.")) % len(FORMS)]
