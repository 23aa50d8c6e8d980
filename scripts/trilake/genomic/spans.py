"""The lines of a VCF that belong to a part of it, so that several machines read one file and no line twice or never.

A part begins after the place (CHROM, POS) of its second line and ends with that place of the next part, so that records
of one place are read together. Pure: pieces of text in, pieces of text out.

Example: text = lines_of_span(unpacked_span(source, span), is_first=False)
"""

from __future__ import annotations

from collections.abc import Iterator

from trilake.genomic.source import Source, Span, can_be_cut
from trilake.genomic.stream import place_of

SPAN_BYTES = 64 << 20


def spans_of(source: Source, span_bytes: int = SPAN_BYTES) -> list[Span]:
    """The parts in which a file is read; one for a small file, or one that cannot be cut."""
    n_spans = max(1, round(source.size / span_bytes)) if can_be_cut(source) else 1
    edges = [source.size * number // n_spans for number in range(n_spans + 1)]
    return [Span(start, end) for start, end in zip(edges, edges[1:], strict=False)]


def lines_of_span(pieces: Iterator[bytes | None], *, is_first: bool) -> Iterator[bytes]:
    """The part's own lines. `pieces` go on beyond its end, which a None marks; the last part has no end."""
    held = Held(pieces)
    start = 0 if is_first else held.end_of_second_place(0)
    if held.edge is None:
        while held.edge is None and not held.is_ended:
            yield held.take(start)
            start = 0
            held.more()
        if held.edge is None or held.is_ended_at_edge:
            yield held.take(start)
            return
    end = held.end_of_second_place(held.edge)
    yield held.text[start:end]


class Held:
    """Text that has come and not been given, and where in it the part ends."""

    def __init__(self, pieces: Iterator[bytes | None]) -> None:
        self._pieces = pieces
        self.text = b""
        self.edge: int | None = None
        self.is_ended = False

    @property
    def is_ended_at_edge(self) -> bool:
        return self.is_ended and self.edge == len(self.text)

    def more(self) -> bool:
        """Take in a piece; whether there was one."""
        try:
            piece = next(self._pieces)
        except StopIteration:
            self.is_ended = True
            return False
        if piece is None:
            self.edge = len(self.text)
        else:
            self.text += piece
        return True

    def take(self, start: int) -> bytes:
        """All that is held from `start` on, but for what lies beyond the part's end."""
        end = len(self.text) if self.edge is None else self.edge
        given, self.text = self.text[start:end], self.text[end:]
        self.edge = None if self.edge is None else 0
        return given

    def end_of_second_place(self, start: int) -> int:
        """Where the lines end that share the place of the first to begin after a line end at or after `start`."""
        at = self._line_end(start)
        first, end = None, at
        while True:
            following = self._line_end(end)
            if following == end:
                return end
            place = place_of(self.text, end, following)
            if first is not None and place != first:
                return end
            first, end = place, following

    def _line_end(self, start: int) -> int:
        """Where the line that goes on at `start` ends; the end of all text for the last."""
        looked = start
        while (at := self.text.find(b"\n", looked)) < 0:
            looked = len(self.text)
            if not self.more():
                return len(self.text)
        return at + 1
