"""Who has a VCF and who an MR, by profile. Whatever the profile, it looks at no outcome.

`tiny` leaves it to chance; in `imaging` everyone has an MR. `coherent` and `dirty` deal it as the prepared Coherent
data set has it: of 1,278 people 889 have a VCF, 298 an MR and 151 both. Places are dealt per 1,278 people in an order
of the seed's own, so that a shard is still a pure function of (seed, shard) and a smaller sample has about those
shares.

Reads and writes nothing. Make target: sample. Example: presence_of("coherent", 7, 42).has_mr
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from trilake.sample.keys import stream

N_COHERENT, N_VCF, N_MR, N_BOTH = 1278, 889, 298, 151
PROFILES = {"tiny": 100, "coherent": N_COHERENT, "dirty": N_COHERENT, "imaging": 60}
"""Profile -> patients when --patients does not say."""


@dataclass(frozen=True)
class Presence:
    """Which files a person has; None leaves it to chance."""

    has_vcf: bool | None = None
    has_mr: bool | None = None


def presence_of(profile: str, seed: int, index: int) -> Presence:
    """The person's files."""
    if profile in ("tiny", "imaging"):
        return Presence(has_mr=True if profile == "imaging" else None)
    place = int(order_of(seed, index // N_COHERENT)[index % N_COHERENT])
    return Presence(has_vcf=place < N_VCF, has_mr=place < N_BOTH or N_VCF <= place < N_VCF + N_MR - N_BOTH)


@cache
def order_of(seed: int, block: int) -> np.ndarray:
    return stream(seed, "profile", block).permutation(N_COHERENT)
