"""Random streams and identifiers: every draw and every id follows from the seed and a place, never from a clock.

Example: stream(7, "life", 42).random()
"""

import uuid

import numpy as np

SHARD_SIZE = 50
"""People drawn together. A sample of N people is the first N of a longer one with the same seed."""

# Each purpose draws from a stream of its own: one more draw for one of them changes no other's numbers.
_STREAMS = {
    "latent": 1,
    "life": 2,
    "presence": 3,
    "genome": 4,
    "calls": 5,
    "pixels": 6,
    "consent": 7,
    "background": 8,
    "profile": 9,
}
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://trilake.example/sample")
_MRN_STEP = 7919  # Prime to the space below, so that no two people of a seed share a number.
_MRN_SPACE = 10**8


def stream_key(seed: int, purpose: str, place: int) -> tuple[int, ...]:
    """What a random generator is made from: same key, same numbers."""
    return (seed, _STREAMS[purpose], place)


def stream(seed: int, purpose: str, place: int) -> np.random.Generator:
    """The random generator of one purpose at one place (a shard or a person)."""
    return np.random.default_rng(stream_key(seed, purpose, place))


def patient_id(seed: int, index: int) -> str:
    """The person's uuid."""
    return str(uuid.uuid5(_NAMESPACE, f"{seed}/patient/{index}"))


def resource_id(owner: str, key: str) -> str:
    """The uuid of something that belongs to `owner`, itself a uuid."""
    return str(uuid.uuid5(uuid.UUID(owner), key))


def shared_id(key: str) -> str:
    """The uuid of something that all samples share (an organisation, a practitioner)."""
    return str(uuid.uuid5(_NAMESPACE, key))


def uid(owner: str, key: str) -> str:
    """A DICOM UID below 2.25, made from a uuid (PS3.5 B.2)."""
    return f"2.25.{uuid.UUID(resource_id(owner, key)).int}"


def mrn(seed: int, index: int) -> str:
    """The medical record number: unique within a seed, in no order."""
    return f"MRN{(index * _MRN_STEP + seed * 104729 + 12345) % _MRN_SPACE:08d}"
