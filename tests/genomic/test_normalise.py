"""Alleles are trimmed and moved as `bcftools norm -m- -f` does it."""

from pathlib import Path

import pysam
import pysam.bcftools
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.genomic.conftest import a_vcf, examples
from trilake.genomic.reader import open_source
from trilake.genomic.reference import Reference, make_index, read_index
from trilake.genomic.source import LocalSource
from trilake.genomic.split import Origin

ORIGIN = Origin("a.vcf", "load", "job", "GRCh38")


def a_reference(folder: Path, sequence: str, width: int = 7) -> Reference:
    lines = [sequence[at : at + width] for at in range(0, len(sequence), width)]
    path = folder / "a.fa"
    path.write_text(">chr1 human\n" + "\n".join(lines) + "\n")
    with path.open("rb") as file:
        index = make_index(file)
    Path(f"{path}.fai").write_text(index)
    return Reference(LocalSource(path), read_index(index))


@st.composite
def alleles(draw: st.DrawFn, sequence: str) -> tuple[int, str, list[str]]:
    start = draw(st.integers(0, len(sequence) - 1))
    ref = sequence[start : start + draw(st.integers(1, 6))]
    kinds = st.one_of(
        st.text("AC", min_size=1, max_size=6),
        st.integers(1, len(ref)).map(lambda n: ref[:n]),
        st.integers(1, 4).map(lambda n: ref + ref[-n:]),
    ).filter(lambda alt: alt != ref)
    return start, ref, draw(st.lists(kinds, min_size=1, max_size=3, unique=True))


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.text("AC", min_size=8, max_size=300), data=st.data())
def test_alleles_are_those_of_bcftools_norm(tmp_path: Path, sequence: str, data: st.DataObject) -> None:
    reference = a_reference(tmp_path, sequence)
    drawn = sorted(data.draw(st.lists(alleles(sequence), min_size=1, max_size=6)), key=lambda one: one[0])
    by_start = {start: (ref, alts) for start, ref, alts in drawn}
    records = [f"chr1 {start + 1} . {ref} {','.join(alts)} . . . GT 0/1" for start, (ref, alts) in by_start.items()]
    meta = (f"##contig=<ID=chr1,length={len(sequence)}>", '##FORMAT=<ID=GT,Number=1,Type=String,Description="x">')
    path = tmp_path / "a.vcf"
    path.write_text(a_vcf(*records, meta=meta))
    theirs = pysam.bcftools.norm("-m-", "-f", str(tmp_path / "a.fa"), str(path), split_lines=True)
    expected = sorted(tuple(line.split("\t")[n] for n in (1, 3, 4)) for line in theirs if line[0] != "#")
    reading = open_source(LocalSource(path), ORIGIN, reference=reference)
    rows = [row for batch in reading.batches() for row in batch.to_pylist()]
    found = [(str(row["start"] + 1), row["referenceallele"], row["alternatealleles"][0]) for row in rows]
    assert (sorted(found), reading.refused) == (expected, [])
    assert all(row["end"] == row["start"] + len(row["referenceallele"]) for row in rows)


@pytest.mark.parametrize("n_before", [0, 40])
def test_a_record_whose_ref_is_not_the_reference_is_refused(tmp_path: Path, n_before: int) -> None:
    reference = a_reference(tmp_path, "ACGTACGTAN" * 10)
    sound = [f"1 {at * 4 + 1} . {'ACGTACGTAN'[at * 4 % 10]} * . . . GT 0/1" for at in range(n_before // 2)]
    records = [*sound, "1 91 . A T . . . GT 0/1", "1 92 . A T . . . GT 0/1", "1 93 . GTA G . . . GT 0/1"]
    records += ["1 94 . TT T . . . GT 0/1", "1 100 . G T . . . GT 0/1", "2 94 . TT T . . . GT 0/1"]
    path = tmp_path / "a.vcf"
    path.write_text(a_vcf(*records))
    reading = open_source(LocalSource(path), ORIGIN, reference=reference)
    rows = [row for batch in reading.batches() for row in batch.to_pylist()]
    assert len(rows) == len(sound) + 4
    assert [entry.text.split("\t")[1] for entry in reading.refused] == ["92", "94"]
    assert {reason.code for entry in reading.refused for reason in entry.reasons} == {"VCF_REF_MISMATCH"}


def test_an_index_is_that_of_samtools(tmp_path: Path) -> None:
    a_reference(tmp_path, "ACGTN" * 50, width=60)
    ours = Path(tmp_path, "a.fa.fai").read_text()
    Path(tmp_path, "a.fa.fai").unlink()
    pysam.faidx(str(tmp_path / "a.fa"))
    assert ours == Path(tmp_path, "a.fa.fai").read_text()
