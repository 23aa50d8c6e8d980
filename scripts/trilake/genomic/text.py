"""Lines of a VCF as text: what is no UTF-8 is kept apart, so that a refused line keeps its bytes.

Pure. Example: has_wrong_bytes(decode(b"M\\xfcller"))  ->  True
"""

import re

BOM = "\ufeff"
WRONG_BYTE = re.compile("[\udc80-\udcff\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]")


def decode(raw: bytes) -> str:
    """A line without its line end; bytes that are no UTF-8 stay in it as lone surrogates."""
    return raw.decode("utf-8", "surrogateescape").rstrip("\r\n")


def has_wrong_bytes(text: str) -> bool:
    """Whether a decoded line held bytes that are no UTF-8, or control characters, which no version allows."""
    return WRONG_BYTE.search(text) is not None


def readable(text: str) -> str:
    """The text with a replacement character for each wrong byte."""
    return WRONG_BYTE.sub("\ufffd", text)


def encode(text: str) -> bytes:
    """The bytes that a decoded line came from."""
    return text.encode("utf-8", "surrogateescape")
