"""Text to words and to trees: queries and DML through sqlglot, Athena's DDL and utility statements word by word.

Example: `parse_query("SELECT 1")`; `Words("DROP TABLE t").expect("DROP", "TABLE")`
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlglot import TokenType, exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, SqlglotError, TokenError
from sqlglot.parsers.trino import TrinoParser

from localaws.athena.errors import QueryError

# What sqlglot reads as nodes of its own since it is no plain call; every other call keeps the user's name and
# arguments.
_SPECIAL_FORMS = ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION")


def _placed(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A special form's node with the place of its name; `CAST('1.5' AS decimal)` is told from `DECIMAL '1.5'`."""

    def parse_at(parser: Any) -> Any:
        # The name and its bracket have been read by now.
        token = parser._tokens[parser._index - 2]
        node = parse(parser)
        if isinstance(node, exp.Expr):
            node.meta.update(line=token.line, col=token.col, start=token.start, end=token.end)
            node.set("is_call", True)
        return node

    return parse_at


class AthenaSql(Trino):
    """Trino's grammar as Athena's queries use it; also writes trees back as text."""

    # sqlglot moves subscripts between dialects that count from 0 and from 1; here they stay as they are written.
    INDEX_OFFSET = 0

    class Parser(TrinoParser):
        """Calls by name, special forms of the SQL standard as nodes."""

        # No call becomes one of sqlglot's functions: those are normalised across dialects, and what Trino means by
        # the name would be lost.
        FUNCTIONS: ClassVar[dict[str, Any]] = {}  # type: ignore[assignment, misc, unused-ignore]
        FUNCTION_PARSERS = {
            **{name: _placed(TrinoParser.FUNCTION_PARSERS[name]) for name in _SPECIAL_FORMS},
            "SUBSTRING": lambda self: _substring(self),
        }
        # Only `.`: the base dialect also takes `::` and JSON arrows, which Trino does not have.
        COLUMN_OPERATORS = {TokenType.DOT: TrinoParser.COLUMN_OPERATORS[TokenType.DOT]}
        PLACEHOLDER_PARSERS = {
            **TrinoParser.PLACEHOLDER_PARSERS,
            TokenType.PLACEHOLDER: lambda self: _placeholder(self),
        }


def _placeholder(parser: Any) -> exp.Placeholder:
    """`?`, with its place in the text: parameters are counted from left to right."""
    node = exp.Placeholder()
    node.meta["start"] = parser._prev.start
    return node


def _substring(parser: Any) -> exp.Expr:
    """`substring(x FROM 2 FOR 3)` and `substring(x, 2, 3)` are one call."""
    args = parser._parse_csv(parser._parse_bitwise)
    while parser._match_texts(("FROM", "FOR")):
        args.append(parser._parse_bitwise())
    return exp.Anonymous(this="substring", expressions=args)


def parse_query(sql: str) -> exp.Query:
    """The one query in the text (SELECT, set operation, WITH, VALUES, TABLE); SYNTAX_ERROR otherwise."""
    tree = parse_statement(sql)
    # Brackets around a whole query mean nothing, unless a clause stands outside of them.
    while isinstance(tree, exp.Subquery) and not _outer_clauses(tree):
        tree = tree.this
    if isinstance(tree, exp.Values):
        tree = exp.Select(expressions=[exp.Star()], from_=exp.From(this=tree))
    if not isinstance(tree, exp.Query):
        raise QueryError("SYNTAX_ERROR", "mismatched input. Expecting: <query>", tree)
    return tree


def _outer_clauses(tree: exp.Subquery) -> bool:
    return any(tree.args.get(name) for name in ("order", "limit", "offset", "with_"))


def parse_statement(sql: str) -> exp.Expr:
    """The one statement in the text as a tree; several statements or broken text are refused."""
    try:
        trees = AthenaSql().parse(sql)
    except ParseError as error:
        raise syntax_error(error) from None
    except (TokenError, SqlglotError):
        raise QueryError("SYNTAX_ERROR", "line 1:1: the text cannot be read as SQL") from None
    # A text nested some hundred levels deep; Trino says the same of its own stack.
    except RecursionError:
        raise QueryError("SYNTAX_ERROR", "line 1:1: statement is too large (stack overflow while parsing)") from None
    statements = [tree for tree in trees if tree is not None and not isinstance(tree, exp.Semicolon)]
    if len(statements) != 1:
        raise QueryError("SYNTAX_ERROR", "Only one sql statement is allowed.")
    return statements[0]


def parse_expression(sql: str) -> exp.Expr:
    """One scalar expression, such as an execution parameter or a row rule."""
    query = parse_statement(f"SELECT {sql}")
    if not isinstance(query, exp.Select) or len(query.expressions) != 1 or len(_set_arguments(query)) != 1:
        raise QueryError("SYNTAX_ERROR", "mismatched input. Expecting: <expression>")
    expression: exp.Expr = query.expressions[0]
    return expression


def with_parameters(tree: exp.Expr, values: Sequence[str]) -> exp.Expr:
    """The tree with its `?` replaced by these constants, as Athena takes them (texts in quotes)."""
    places = sorted(tree.find_all(exp.Placeholder), key=lambda node: int(node.meta.get("start", 0)))
    if len(places) != len(values):
        message = f"Incorrect number of parameters: expected {len(places)} but found {len(values)}"
        raise QueryError("INVALID_PARAMETER_USAGE", message)
    for place, value in zip(places, values, strict=True):
        place.replace(_constant(value))
    return tree


def _constant(text: str) -> exp.Expr:
    constant = parse_expression(text)
    if any(isinstance(node, exp.Column | exp.Query | exp.Placeholder | exp.Lambda) for node in constant.walk()):
        raise QueryError("SYNTAX_ERROR", "An execution parameter must be a constant; texts stand in single quotes")
    # Its place is one in the parameter's own text, not in the query's.
    for node in constant.walk():
        node.meta.clear()
    # Brackets keep `2 * ?` with `1 + 1` what it says, also once the tree is written as text again.
    return exp.Paren(this=constant) if isinstance(constant, exp.Neg | exp.Binary) else constant


def _set_arguments(query: exp.Select) -> list[str]:
    return [name for name, value in query.args.items() if value]


def syntax_error(error: ParseError) -> QueryError:
    """sqlglot's complaint in the form of Trino's parser: place and offending input, nothing else."""
    first = error.errors[0] if error.errors else {}
    word = first.get("highlight") or "<EOF>"
    line = first.get("line") or 1
    column = max(1, (first.get("col") or 1) - len(word) + 1)
    return QueryError("SYNTAX_ERROR", f"line {line}:{column}: mismatched input '{word}'")


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
    tokens = []
    for match in _TOKEN.finditer(sql):
        kind = match.lastgroup or "sign"
        if kind == "skip":
            continue
        value = match[0]
        if kind in ("text", "name"):
            value = value[1:-1].replace(value[0] * 2, value[0])
        tokens.append(Token(kind, value, match.start(), match.end()))
    while tokens and tokens[-1].kind == "sign" and tokens[-1].value == ";":
        tokens.pop()
    return tokens


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
        properties: dict[str, str] = {}
        self.expect("(")
        while True:
            name = self.take("text", "word", "name")
            self.expect("=")
            properties[name] = self._value()
            if not self.accept(","):
                break
        self.expect(")")
        return properties

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
