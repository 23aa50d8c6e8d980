"""The lines of a VCF: one by one up to the column line, then in blocks that can be read apart from each other.

A block ends where CHROM or POS changes, so that all records of a place lie in one block. Memory is one block.

Example: stream = Stream(unpacked(source)); header, _ = read_header(stream.lines()); blocks = stream.blocks(1 << 23)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trilake.genomic.header import decode
from trilake.genomic.source import Source, Span, Unreadable, can_be_cut

# A line is held whole: 64 MB are 2,504 samples with 26 kB each, and a file of one endless line must not fill memory.
LONGEST_LINE = 64 << 20
MOST_IN_ONE_PLACE = 64 << 20
# Long enough to be worth a Spark task (some 2 s of one processor), short enough that 1 GB feeds 16 of them.
SPAN_BYTES = 64 << 20


@dataclass(frozen=True)
class Block:
    """Whole lines; `first_line` is the number of the first of them. Only the file's last may lack its line end."""

    first_line: int
    data: bytes

    @property
    def n_lines(self) -> int:
        return self.data.count(b"\n") + (not self.data.endswith(b"\n"))


class Stream:
    """Text that comes in pieces of any size. `n_lines` counts the lines given so far."""

    def __init__(self, pieces: Iterator[bytes], n_lines: int = 0) -> None:
        self._pieces = pieces
        self._rest = b""
        self._is_ended = False
        self.n_lines = n_lines

    def lines(self) -> Iterator[tuple[int, str]]:
        """(line number from 1, line without its line end). Unreadable when the stream breaks."""
        while True:
            while b"\n" not in self._rest and not self._is_ended:
                self._take_more()
            line, newline, self._rest = self._rest.partition(b"\n")
            if not line and not newline:
                return
            self.n_lines += 1
            yield self.n_lines, decode(line)

    def blocks(self, size: int) -> Iterator[Block]:
        """The lines that are left, in blocks of about `size` bytes. Unreadable when the stream breaks."""
        wanted = size
        while not self._is_ended:
            try:
                self._fill(wanted)
            except Unreadable:
                yield from self._give(self._rest.rfind(b"\n") + 1)
                raise
            at = len(self._rest) if self._is_ended else cut(self._rest)
            wanted = size if at else 2 * len(self._rest)
            if not at and len(self._rest) > MOST_IN_ONE_PLACE:
                at = self._rest.rfind(b"\n") + 1
            yield from self._give(at)
        yield from self._give(len(self._rest))

    def _fill(self, size: int) -> None:
        pieces, length = [self._rest], len(self._rest)
        try:
            while length < size or (len(pieces) == 1 and b"\n" not in self._rest):
                piece = next(self._pieces, None)
                if piece is None:
                    self._is_ended = True
                    break
                pieces.append(piece)
                length += len(piece)
        except Unreadable as error:
            self._rest = b"".join(pieces)
            raise self._broken() from error
        self._rest = b"".join(pieces)
        if len(self._rest) > LONGEST_LINE:
            self._leave_out()

    def _leave_out(self) -> None:
        """Pass over the rest of a last line that is too long for memory."""
        start = self._rest.rfind(b"\n") + 1
        if len(self._rest) - start <= LONGEST_LINE:
            return
        self._rest, rest = self._rest[: start + LONGEST_LINE], b""
        while not rest and (piece := next(self._pieces, None)) is not None:
            _, newline, rest = piece.partition(b"\n")
            rest = newline + rest
        self._is_ended = not rest
        self._rest += rest

    def _take_more(self) -> None:
        self._fill(len(self._rest) + 1)

    def _broken(self) -> Unreadable:
        line = self.n_lines + self._rest.count(b"\n")
        return Unreadable(f"the compressed data ends or breaks after line {line}")

    def _give(self, at: int) -> Iterator[Block]:
        if at:
            data, self._rest = self._rest[:at], self._rest[at:]
            block = Block(self.n_lines + 1, shortened(data) if at > LONGEST_LINE else data)
            self.n_lines += block.n_lines
            yield block


def cut(data: bytes) -> int:
    """Where to cut whole lines so that no place is on both sides: before the last place. 0 when there is but one."""
    end = data.rfind(b"\n") + 1
    last = None
    while end > 0:
        start = data.rfind(b"\n", 0, end - 1) + 1
        place = place_of(data, start, end)
        if last is not None and place != last:
            return end
        last, end = place, start
    return 0


def place_of(data: bytes, start: int, end: int) -> list[bytes]:
    """CHROM and POS of the line."""
    return data[start : min(end, start + 400)].split(b"\t", 2)[:2]


def shortened(data: bytes) -> bytes:
    """The lines, of those that are too long their first column alone, which no rule takes for a record."""
    lines = data.split(b"\n")
    return b"\n".join(line if len(line) < LONGEST_LINE else line[:1000].split(b"\t", 1)[0] for line in lines)


# Parts of a file, which several machines read at once. A part begins
# after the first place that starts behind its cut, and ends with that place of the next, so that all records of a place
# are in one part.


def spans_of(source: Source, span_bytes: int = SPAN_BYTES) -> list[Span]:
    """The parts in which a file is read; one for a small file, or one that cannot be cut."""
    n_spans = max(1, round(source.size / span_bytes)) if can_be_cut(source) else 1
    edges = [source.size * number // n_spans for number in range(n_spans + 1)]
    return [Span(start, end) for start, end in zip(edges, edges[1:], strict=False)]


def lines_of_span(pieces: Iterator[bytes | None], *, is_first: bool) -> Iterator[bytes]:
    """The part's own lines. `pieces` go on beyond its end, which a None marks; the last part has no end."""
    ahead = SpanText(pieces)
    start = 0 if is_first else ahead.end_of_second_place(0)
    if ahead.edge is None:
        while ahead.edge is None and not ahead.is_ended:
            yield ahead.take(start)
            start = 0
            ahead.more()
        if ahead.edge is None or ahead.is_ended_at_edge:
            yield ahead.take(start)
            return
    end = ahead.end_of_second_place(ahead.edge)
    yield ahead.text[start:end]


class SpanText:
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
        """All that has come from `start` on, but for what lies beyond the part's end."""
        end = len(self.text) if self.edge is None else self.edge
        own, self.text = self.text[start:end], self.text[end:]
        self.edge = None if self.edge is None else 0
        return own

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
        searched = start
        while (at := self.text.find(b"\n", searched)) < 0:
            searched = len(self.text)
            if not self.more():
                return len(self.text)
        return at + 1
