"""One frame out of the vault, encoded as the store gives it out.

Reads the stored DICOM file. Behind `make ingest` (radiomics).
Example: `read(vault, version, frame_id, "HTJ2K")` is a codestream and its content type.
"""

from __future__ import annotations

from io import BytesIO

from localaws.healthimaging.instance import open_dataset
from localaws.healthimaging.pixels import Pixels, encode
from localaws.healthimaging.state import Version
from localaws.healthimaging.vault import Vault
from localaws.service import ServiceError


def read(vault: Vault, version: Version, frame_id: str, storage_format: str) -> tuple[bytes, str]:
    """The frame's bytes and content type; encoded when asked for, from the file as it was imported."""
    found = vault.places(version).get(frame_id)
    if found is None:
        raise ServiceError("ResourceNotFoundException", f"The image frame {frame_id} was not found.")
    place, index = found
    pixels = Pixels(open_dataset(BytesIO(vault.file(place))))
    if pixels.is_kept:
        return pixels.stream(index)
    return encode(pixels.frame(index), storage_format)
