"""Texts that a model allows: of its pattern, of its lengths, one of its enum; and texts that it does not allow.

Pure over a seeded `random.Random`. Example: `a_text(shape, random.Random(7))` -> "abc-12".
"""

import re
from collections.abc import Callable, Iterator
from random import Random
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from botocore.model import Shape

from localaws.wire_values import compiled, problems

# The parser of `re` is private, and has no public counterpart: the models' patterns are read by it.
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
ODD = ["ä", "☃", "𝄞", "'", '"', "\\", "%", ";", "\n", " ", "<", "{", "$"]
WRONG = ["", " ", "\x00", "☃ 'no' \"such\" ; text\n", "-", "/../", "a b", "🎲" * 3, "9" * 40, "arn:aws:none", "s3:"]
CATEGORIES = {
    code.CATEGORY_DIGIT: "0123456789",
    code.CATEGORY_WORD: LETTERS + "_",
    code.CATEGORY_SPACE: " ",
    code.CATEGORY_NOT_SPACE: LETTERS,
    code.CATEGORY_NOT_DIGIT: "abcdef",
    code.CATEGORY_NOT_WORD: " -",
}
MOST_REPEATS = 6
TRIES = 40


def a_text(shape: Shape, random: Random, *, odd: bool = False) -> str:
    """A text that `shape` allows; with `odd`, of characters that trip careless code, where the model lets them by."""
    enum = getattr(shape, "enum", None)
    if enum:
        return str(random.choice(enum))
    makers = [lambda: _plain(shape, random, ODD)] if odd else []
    makers += [lambda: _plain(shape, random, LETTERS), lambda: _of_pattern(shape, random)]
    for make in makers:
        for _ in range(TRIES):
            found = make()
            if is_allowed(shape, found):
                return found
    raise ValueError(f"no text of {shape.name} found: {shape.metadata}")


def is_allowed(shape: Shape, text: str) -> bool:
    return len(text) >= shape.metadata.get("min", 0) and not any(problems(shape, text))


def forbidden(shape: Shape) -> Iterator[tuple[str, str]]:
    """Kind and text, for each way in which a text may break the model."""
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max")
    if getattr(shape, "enum", None):
        yield "an unknown enum", "NOT_OF_THE_MODEL"
        return
    if most is not None and most < 1_000_000:
        yield "too long", "x" * (most + 1)
    if least:
        yield "too short", "x" * (least - 1)
    pattern = shape.metadata.get("pattern")
    broken = (text for text in WRONG if pattern and not compiled(pattern).fullmatch(text))
    yield from (("against the pattern", text) for text in broken)


def _plain(shape: Shape, random: Random, alphabet: Any) -> str:
    least = shape.metadata.get("min", 0)
    most = min(shape.metadata.get("max", least + 12), least + 12)
    return "".join(random.choice(alphabet) for _ in range(random.randint(least, max(least, most))))


def _of_pattern(shape: Shape, random: Random) -> str:
    pattern = shape.metadata.get("pattern")
    if not pattern:
        return _plain(shape, random, LETTERS)
    text = "".join(_pieces(parser.parse(compiled(pattern).pattern, re.DOTALL), random))
    least = shape.metadata.get("min", 0)
    return text if len(text) >= least else text + text[-1:] * (least - len(text))


def _pieces(parsed: Any, random: Random) -> Iterator[str]:
    for operator, argument in parsed:
        maker = _MAKERS.get(operator)
        if maker is not None:
            yield from maker(argument, random)


def _branch(argument: Any, random: Random) -> Iterator[str]:
    return _pieces(random.choice(argument[1]), random)


def _repeated(argument: Any, random: Random) -> Iterator[str]:
    least, most, what = argument
    for _ in range(random.randint(least, min(int(most), max(least, MOST_REPEATS)))):
        yield from _pieces(what, random)


def _one_of(argument: Any, random: Random) -> Iterator[str]:
    """A character of a set; of a negated one, a letter or digit that it does not hold."""
    if argument[0][0] is code.NEGATE:
        held = {character for item in argument[1:] for character in _members(*item)}
        yield random.choice([character for character in LETTERS if character not in held])
    else:
        yield random.choice(list(_members(*random.choice(argument))))


def _members(operator: Any, argument: Any) -> str:
    if operator is code.LITERAL:
        return chr(argument)
    if operator is code.RANGE:
        first, last = argument
        return "".join(map(chr, range(first, min(last, first + 95) + 1)))
    return CATEGORIES[argument]


_MAKERS: dict[Any, Callable[[Any, Random], Iterator[str]]] = {
    code.LITERAL: lambda argument, random: iter([chr(argument)]),
    code.NOT_LITERAL: lambda argument, random: iter(["a" if argument != ord("a") else "b"]),
    code.ANY: lambda argument, random: iter([random.choice(LETTERS)]),
    code.IN: _one_of,
    code.BRANCH: _branch,
    code.SUBPATTERN: lambda argument, random: _pieces(argument[-1], random),
    code.MAX_REPEAT: _repeated,
    code.MIN_REPEAT: _repeated,
}
