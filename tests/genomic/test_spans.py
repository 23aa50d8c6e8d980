"""Parts of a file, read apart, give together what the whole gives."""

from pathlib import Path

import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.genomic.conftest import a_vcf
from trilake.genomic.reader import open_source
from trilake.genomic.source import LocalSource, Span
from trilake.genomic.split import Origin
from trilake.genomic.stream import lines_of_span, spans_of

ORIGIN = Origin("a.vcf", "load", "job", "GRCh38")
N_RECORDS = 3_000


@given(st.lists(st.tuples(st.integers(1, 4), st.text("ab", max_size=5)), max_size=30), st.data())
def test_every_line_lies_in_one_part_and_no_place_in_two(places, data):
    text = "".join(f"1\t{pos}\t{rest}\n" for pos, rest in sorted(places)).encode()
    edges = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    spans = [Span(start, end) for start, end in zip([0, *edges], [*edges, len(text)], strict=True) if start < end]
    piece = data.draw(st.integers(1, 9))
    found = [b"".join(lines_of_span(pieces(text, span, piece), is_first=span.start == 0)) for span in spans]
    assert b"".join(found) == text
    ends = [part.splitlines() for part in found if part]
    assert all(a[-1].split(b"\t")[:2] != b[0].split(b"\t")[:2] for a, b in zip(ends, ends[1:], strict=False))


def pieces(text: bytes, span: Span, size: int):
    """The text from a part's start to the end of all, the part's end marked where it is not the end of all."""
    for start in range(span.start, span.end, size):
        yield text[start : min(start + size, span.end)]
    yield None
    for start in range(span.end, len(text), size):
        yield text[start : start + size]


def packed(path: Path, how: str) -> Path:
    records = [
        f"1 {100 + number // 2} . A {'GT'[number % 2]} 50 PASS DP={number} GT 0/1" for number in range(N_RECORDS)
    ]
    text = a_vcf(*records).encode()
    if how == "plain":
        path.write_bytes(text)
        return path
    with pysam.BGZFile(str(path), "wb") as file:
        for start in range(0, len(text), 5_000):
            file.write(text[start : start + 5_000])
            file.flush()
    return path


@pytest.fixture(scope="module", params=["plain", "bgzf"])
def whole(request, tmp_path_factory) -> tuple[LocalSource, int, list]:
    """(a file, its lines, what its rows hold)."""
    source = LocalSource(packed(tmp_path_factory.mktemp("spans") / "a", request.param))
    reading = open_source(source, ORIGIN)
    attributes = [row["attributes"] for batch in reading.batches() for row in batch.to_pylist()]
    return source, reading.n_lines, attributes


@settings(max_examples=8, deadline=None)
@given(n_spans=st.integers(2, 9))
def test_parts_give_the_rows_of_the_whole(whole, n_spans):
    source, n_lines, expected = whole
    spans = spans_of(source, max(1, source.size // n_spans))
    assert len(spans) >= 2
    readings = [open_source(source, ORIGIN, span=span) for span in spans]
    attributes = [row["attributes"] for part in readings for batch in part.batches() for row in batch.to_pylist()]
    assert attributes == expected
    assert sum(part.n_lines for part in readings) == n_lines
    assert sum(part.counts.loaded for part in readings) == N_RECORDS


def test_a_packing_that_cannot_be_cut_is_one_part(tmp_path):
    import gzip

    path = tmp_path / "a"
    path.write_bytes(gzip.compress(b"##fileformat=VCFv4.2\n" * 1_000))
    assert spans_of(LocalSource(path), 10) == [Span(0, path.stat().st_size)]
