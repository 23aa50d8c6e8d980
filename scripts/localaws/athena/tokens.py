"""Words of a statement, for what is neither query nor DML: Athena's DDL and utility statements.

Reads and writes nothing. Behind `make local-aws`.
Example: `Words("DROP TABLE IF EXISTS `db`.t").accept("DROP", "TABLE")`
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from localaws.athena.errors import QueryError

_TOKEN = re.compile(
    r"""(?P<skip>\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)
    |(?P<text>'(?:[^']|'')*')
    |(?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`)
    |(?P<word>[^\W\d][\w$]*)
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """One word: its kind (text, name, word, number, sign), its value, and where it stands."""

    kind: str
    value: str
    start: int
    end: int

    @property
    def upper(self) -> str:
        return self.value.upper() if self.kind == "word" else self.value


def tokens_of(sql: str) -> list[Token]:
    """The statement's words without comments and a closing semicolon."""
    found = []
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup or "sign"
        if kind == "skip":
            continue
        value = match[0]
        if kind in ("text", "name"):
            value = value[1:-1].replace(value[0] * 2, value[0])
        found.append(Token(kind, value, match.start(), match.end()))
    while found and found[-1].kind == "sign" and found[-1].value == ";":
        found.pop()
    return found


class Words:
    """A statement read word by word."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tokens = tokens_of(sql)
        self.place = 0

    @property
    def current(self) -> Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    @property
    def at_end(self) -> bool:
        return self.current is None

    def peek(self, *words: str) -> bool:
        """Whether these keywords or signs come next."""
        ahead = self.tokens[self.place : self.place + len(words)]
        kinds = ("word", "sign")
        return len(ahead) == len(words) and all(
            token.kind in kinds and token.upper == word for token, word in zip(ahead, words, strict=True)
        )

    def accept(self, *words: str) -> bool:
        """Step over these keywords if they come next."""
        if self.peek(*words):
            self.place += len(words)
            return True
        return False

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.accept(word):
                raise self.refusal(f"Expecting: '{word}'")

    def refusal(self, wish: str = "") -> QueryError:
        """SYNTAX_ERROR at the current word, in the words of Trino's parser."""
        token = self.current
        where = token.start if token else len(self.sql)
        before = self.sql[:where]
        line, column = before.count("\n") + 1, where - (before.rfind("\n") + 1) + 1
        shown = token.value if token else "<EOF>"
        return QueryError("SYNTAX_ERROR", f"line {line}:{column}: mismatched input '{shown}'. {wish}".rstrip(". ") + "")

    def take(self, *kinds: str) -> str:
        token = self.current
        if token is None or token.kind not in kinds:
            raise self.refusal(f"Expecting: <{kinds[0]}>")
        self.place += 1
        return token.value

    def identifier(self) -> str:
        """A name, quoted or not, in lower case: the catalog knows no other."""
        return self.take("word", "name").lower()

    def qualified(self) -> list[str]:
        """`catalog.db.table` in its parts."""
        parts = [self.identifier()]
        while self.accept("."):
            parts.append(self.identifier())
        return parts

    def string(self) -> str:
        return self.take("text")

    def finish(self) -> None:
        if not self.at_end:
            raise self.refusal("Expecting: <EOF>")

    def rest(self) -> str:
        """What is left, with blanks before it so that lines and columns stay true."""
        token = self.current
        if token is None:
            raise self.refusal("Expecting: <query>")
        end = self.tokens[-1].end
        self.place = len(self.tokens)
        return padded(self.sql, token.start, end)

    def parenthesised(self) -> str:
        """The text between this `(` and its `)`, padded like `rest`."""
        self.expect("(")
        start, depth = self.place, 1
        while depth:
            token = self.current
            if token is None:
                raise self.refusal("Expecting: ')'")
            depth += {"(": 1, ")": -1}.get(token.value, 0) if token.kind == "sign" else 0
            self.place += 1
        inner = self.tokens[start : self.place - 1]
        if not inner:
            raise self.refusal("Expecting: <query>")
        return padded(self.sql, inner[0].start, inner[-1].end)

    def properties(self) -> dict[str, str]:
        """`('a' = 'b', …)` of TBLPROPERTIES and `(a = 'b', c = ARRAY['d'])` of WITH; lists joined by a new line."""
        found: dict[str, str] = {}
        self.expect("(")
        while True:
            name = self.take("text", "word", "name")
            self.expect("=")
            found[name] = self._value()
            if not self.accept(","):
                break
        self.expect(")")
        return found

    def _value(self) -> str:
        if self.accept("ARRAY"):
            items = []
            self.expect("[")
            while not self.accept("]"):
                items.append(self.take("text"))
                self.accept(",")
            return "\n".join(items)
        return self.take("text", "word", "number")


def padded(sql: str, start: int, end: int) -> str:
    """A part of the text at its own lines and columns."""
    return re.sub(r"[^\n]", " ", sql[:start]) + sql[start:end]
