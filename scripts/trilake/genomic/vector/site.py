"""What all samples share at a site, for many VCF lines at once; and which lines have to be read one by one.

A line passes only when it is of the common form and `record` would find nothing to say about it: distinct texts
(contigs, filters, INFO keys) are judged by the functions of `record` themselves, numbers and INFO values by the
patterns of `values.plain`. Whatever else there is goes to `record`, which is exact and slow.

Example: site = read_site(columns, header); site.ok
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trilake.genomic.header import VcfHeader
from trilake.genomic.record import Faults, check_chrom, is_info_key, read_filters
from trilake.genomic.reserved import Field
from trilake.genomic.structural import WATCHED_INFO
from trilake.genomic.values import plain, rule_of_info
from trilake.genomic.vector.tokens import Entries, Pieces, are_digits, bytes_of, coded, entries_of, matches, split

Columns = dict[str, pa.StringArray]
Judged = TypeVar("Judged")
# Nine digits fit 32 bits whatever they are; the longest chromosome has 248,956,422 bases.
POSITION = r"\d{1,9}"
QUALITY = r"\.|\d{1,15}(?:\.\d{0,30})?(?:[eE][-+]?\d{1,2})?"
COMMON_ALT = frozenset({"*", "<*>", "<NON_REF>"})
MOST_ALTS = 16  # Patterns are made for each number of alleles; records with more are rare, and read one by one.
NO_END = -1


@dataclass
class Site:
    """The site columns of lines; `ok` says which of them are certainly right, the others hold no meaning.

    `alts` are pieces of the ALT column, none where it is a point: `n_alts` counts them. `ends` is INFO END where it
    counts, else `NO_END`; `undeclared` are the lines of INFO keys that the header lacks.
    """

    columns: Columns
    ok: np.ndarray
    positions: np.ndarray
    n_alts: np.ndarray
    alts: Pieces
    entries: Entries
    ends: np.ndarray
    undeclared: dict[str, np.ndarray] = field(default_factory=dict)

    def filter(self) -> Site:
        """The lines that are right."""
        if self.ok.all():
            return self
        is_ok = pa.array(self.ok)
        columns = {name: column.filter(is_ok) for name, column in self.columns.items()}
        numbers = np.cumsum(self.ok) - 1
        entries = self.entries.filter(self.ok[self.entries.owners], numbers)
        alts = split(columns["alt"], b",")
        return Site(
            columns, self.ok[self.ok], self.positions[self.ok], self.n_alts[self.ok], alts, entries, self.ends[self.ok]
        )


def read_site(columns: Columns, header: VcfHeader) -> Site:
    """The site columns of lines that have the right number of columns and are of printable ASCII alone."""
    alts = split(columns["alt"], b",")
    n_alts = np.where(equals(columns["alt"], "."), 0, alts.counts)
    ok = (n_alts <= MOST_ALTS) & sound_positions(columns["pos"]) & matches(columns["qual"], QUALITY)
    ok &= sound_ids(columns["id"]) & judge(columns["chrom"], lambda text: sound_chrom(text, header))
    ok &= judge(columns["filter"], lambda text: sound_filters(text, header)) & sound_alleles(columns, alts, n_alts)
    entries = entries_of(columns["info"])
    ok &= sound_info(entries, n_alts, header, columns["info"])
    lacking = {key: entries.owners[entries.of(key)] for key in keys_undeclared(entries, header)}
    positions = numbers(columns["pos"], ok)
    limits, ends = limits_of(columns["chrom"], header), ends_of(entries, len(ok), ok)
    ok &= (positions <= limits) & (ends <= limits) & ((ends == NO_END) | (ends >= positions))
    return Site(columns, ok, positions, n_alts, alts, entries, ends, lacking)


def limits_of(texts: pa.StringArray, header: VcfHeader) -> np.ndarray:
    """The last position that each line may have."""
    codes, distinct = coded(texts)
    limits = [header.limit(text) for text in distinct]
    return np.array([1 << 40 if limit is None else limit + 1 for limit in limits], np.int64)[codes]


def sound_positions(texts: pa.StringArray) -> np.ndarray:
    return np.ones(len(texts), bool) if are_digits(texts, 9) else matches(texts, POSITION)


def sound_ids(texts: pa.StringArray) -> np.ndarray:
    """Which texts are one identifier."""
    offsets, data = bytes_of(texts)
    if b";" in data.tobytes():
        return matches(texts, "[^;]+")
    return np.diff(offsets) > 0


def equals(texts: pa.StringArray, text: str) -> np.ndarray:
    return np.asarray(pc.equal(texts, text).to_numpy(zero_copy_only=False))


def judge(texts: pa.StringArray, is_sound: Callable[[str], bool]) -> np.ndarray:
    """Which texts are sound, asked once for each distinct one."""
    numbers, distinct = coded(texts)
    return np.array([is_sound(text) for text in distinct], bool)[numbers] if distinct else np.zeros(0, bool)


def numbers(texts: pa.StringArray, ok: np.ndarray) -> np.ndarray:
    """The whole numbers of the texts that are ok, 0 for the others."""
    if not ok.all():
        texts = pc.if_else(pa.array(ok), texts, "0")
    return np.asarray(texts.cast(pa.int64()).to_numpy(zero_copy_only=False))


def sound_chrom(text: str, header: VcfHeader) -> bool:
    faults = Faults(0)
    check_chrom(text, header, faults)
    return not faults.reasons


def sound_filters(text: str, header: VcfHeader) -> bool:
    faults = Faults(0)
    read_filters(text, header, faults)
    return not faults.reasons


def sound_alleles(columns: Columns, alts: Pieces, n_alts: np.ndarray) -> np.ndarray:
    """Bases in REF; in ALT bases, `*` and the alleles of reference blocks; none twice, none equal to REF."""
    ok = matches(columns["ref"], "[ACGTNacgtn]+")
    is_usual = matches(alts.pieces, r"[ACGTNacgtn]+|\*|<\*>|<NON_REF>|\.")
    if not is_usual.all():
        ok[np.repeat(np.arange(len(ok)), alts.counts)[~is_usual]] = False
    if (alts.counts == 1).all():
        return ok & ~np.asarray(pc.equal(upper(columns["ref"]), upper(columns["alt"])).to_numpy(zero_copy_only=False))
    pairs = pc.binary_join_element_wise(columns["ref"], columns["alt"], ",")
    return ok & (judge(pairs, are_different) | (n_alts == 0))


@lru_cache(maxsize=100_000)
def are_different(pair: str) -> bool:
    alleles = pair.upper().split(",")
    return len(set(alleles)) == len(alleles) and (len(alleles) == 2 or "." not in alleles)


def upper(texts: pa.StringArray) -> pa.StringArray:
    return pc.ascii_upper(texts)


def sound_info(entries: Entries, n_alts: np.ndarray, header: VcfHeader, texts: pa.StringArray) -> np.ndarray:
    """Which lines have INFO entries that are all right, each key once; a point alone is right too."""
    ok = np.ones(len(n_alts), bool)
    if header.version >= "4.3" and b"%" in bytes_of(texts)[1].tobytes():
        ok &= matches(texts, "[^%]*")
    codes, keys = entries.coded
    for code, key in enumerate(keys):
        has_key = codes == code
        owners, values = entries.owners[has_key], entries.values.filter(pa.array(has_key))
        if key == ".":
            good = equals(texts, ".")[owners]
        else:
            good = sound_values(key, values, entries.is_flag[has_key], n_alts[owners], header)
            good[1:] &= (
                owners[1:] != owners[:-1]
            )  # Entries stand in order of lines: equal neighbours are a key given twice.
        ok[owners[~good]] = False
    return ok


def sound_values(
    key: str, values: pa.StringArray, is_flag: np.ndarray, n_alts: np.ndarray, header: VcfHeader
) -> np.ndarray:
    """Which values of one INFO key are right, given how many alternate alleles their lines have."""
    # Since 4.4 the place where an allele ends depends on several keys at once, which `structural` knows.
    if not is_info_key(key) or (key in WATCHED_INFO and header.version >= "4.4"):
        return np.zeros(len(is_flag), bool)
    rule = rule_of_info(key, header)
    if rule is None:
        return np.ones(len(is_flag), bool)
    if rule.type == "Flag":
        return is_flag
    by_allele = rule.number in ("A", "R", "G") and bool((n_alts != n_alts[0]).any())
    if not by_allele and not is_flag.any() and is_one_integer(rule, int(n_alts[0])) and are_digits(values, 9):
        return ~is_flag
    good = np.zeros(len(is_flag), bool)
    for count in np.flatnonzero(np.bincount(n_alts)).tolist() if by_allele else n_alts[:1].tolist():
        chosen = n_alts == count if by_allele else np.ones(len(n_alts), bool)
        texts = values.filter(pa.array(chosen)) if by_allele else values
        good[chosen] = matches(texts, plain(key, rule, count, None).pattern)
    filled = np.asarray(pc.greater(pc.binary_length(values), 0).to_numpy(zero_copy_only=False))
    return good & ~is_flag & filled


def keys_undeclared(entries: Entries, header: VcfHeader) -> list[str]:
    return [key for key in entries.coded[1] if key != "." and key not in header.info]


def is_one_integer(rule: Field, n_alts: int) -> bool:
    return rule.type == "Integer" and (rule.number == "1" or (rule.number == "A" and n_alts == 1))


def ends_of(entries: Entries, n_lines: int, ok: np.ndarray) -> np.ndarray:
    """INFO END of each line, `NO_END` without; a line whose END is no plain number is not ok."""
    ends = np.full(n_lines, NO_END, np.int64)
    is_end = entries.of("END") & ok[entries.owners]
    if is_end.any():
        owners, texts = entries.owners[is_end], entries.values.filter(pa.array(is_end))
        is_number = matches(texts, POSITION)
        ok[owners[~is_number]] = False
        ends[owners] = numbers(texts, is_number)
    return ends
