"""Left normalisation against bcftools, over references and alleles that Hypothesis makes.

Make target: `test`. Example: `pytest tests/localaws/omics/test_normalise.py`.
"""

from __future__ import annotations

from pathlib import Path

import pysam
import pysam.bcftools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localaws.omics.fasta import Fasta, index_of
from localaws.omics.rows import WrongReference, normalised

UNITS = st.lists(st.sampled_from(["A", "C", "CA", "CAG", "T", "GATA"]), min_size=3, max_size=12)


@st.composite
def a_change(draw: st.DrawFn) -> tuple[str, list[tuple[int, str, str]]]:
    """A reference made of repeats, and insertions, deletions and replacements in it."""
    bases = "".join(unit * draw(st.integers(1, 4)) for unit in draw(UNITS))
    changes = []
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(bases) - 1))
        ref = bases[start : start + draw(st.integers(1, 6))]
        alt = draw(st.one_of(st.just(ref[0]), st.just(ref + ref), st.text("ACGT", min_size=1, max_size=5)))
        if alt != ref:
            changes.append((start, ref, alt))
    return bases, changes


@settings(max_examples=60)
@given(case=a_change())
def test_alleles_stand_where_bcftools_puts_them(case: tuple[str, list[tuple[int, str, str]]], tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    bases, changes = case
    folder = tmp_path_factory.mktemp("norm")
    fasta = folder / "r.fa"
    fasta.write_text(">1\n" + "\n".join(bases[at : at + 7] for at in range(0, len(bases), 7)) + "\n")
    pysam.faidx(str(fasta))
    header = (
        f"##fileformat=VCFv4.3\n##contig=<ID=1,length={len(bases)}>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
    )
    records = "".join(f"1\t{start + 1}\t{n}\t{ref}\t{alt}\t.\t.\t.\n" for n, (start, ref, alt) in enumerate(changes))
    (folder / "a.vcf").write_text(header + records)
    told = pysam.bcftools.norm("-f", str(fasta), str(folder / "a.vcf"))
    expected = {line.split("\t")[2]: line.split("\t") for line in told.splitlines() if not line.startswith("#")}
    for number, (start, ref, alt) in enumerate(changes):
        found = normalised(Fasta(fasta), "1", start, ref, alt)
        _, pos, _, wanted_ref, wanted_alt, *_ = expected[str(number)]
        assert (found.start + 1, found.ref, found.alt) == (int(pos), wanted_ref, wanted_alt)


def test_pieces_of_a_reference_over_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "r.fa"
    path.write_bytes(b">chrM\r\nacgt\r\nACG\r\n>2\nTTTTT\n")
    fasta = Fasta(path)
    assert [fasta.bases("chrM", *place) for place in ((0, 7), (3, 5), (6, 99), (7, 9))] == ["ACGTACG", "TA", "G", ""]
    assert fasta.bases("2", 1, 3) == "TT" and fasta.find("MT") == "chrM" and fasta.find("chr2") == "2"
    assert index_of(path)["chrM"].length == 7
    with pytest.raises(WrongReference, match="not in the reference"):
        normalised(fasta, "3", 0, "A", "T")
    with pytest.raises(WrongReference, match="differs"):
        normalised(fasta, "2", 0, "A", "T")
