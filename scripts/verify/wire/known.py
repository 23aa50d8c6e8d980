"""Names and ids of what is there, learnt from answers, so that generated requests reach further than "not found".

Keeps texts by the lower-case name of the member they came in. Example: `known.learn(operation, params, answer)`.
"""

import re
from collections import defaultdict
from random import Random
from typing import Any

from botocore.model import OperationModel

KEPT = 6
_TELLING = re.compile(r"(id|ids|arn|name|names|version|token|workgroup)$", re.IGNORECASE)
_VERB = re.compile(
    r"^(Batch)?(Create|Get|Update|Delete|Start|Describe|List|Cancel|Complete|Put|Register|Stop)(?=[A-Z])"
)


class Known:
    """What a service was seen to have; `seeds` never leave."""

    def __init__(self, seeds: dict[str, list[str]]) -> None:
        self._seeds = {name.lower(): texts for name, texts in seeds.items()}
        self._learnt: dict[str, list[str]] = defaultdict(list)

    def texts(self, operation: OperationModel, member: str) -> list[str]:
        """Texts for a member of an operation's request, those of its own kind of thing first."""
        names = [member.lower(), f"{_noun(operation)}{member}".lower()]
        return [text for name in names for text in (*self._seeds.get(name, []), *self._learnt.get(name, []))]

    def pick(self, operation: OperationModel, member: str, random: Random) -> str | None:
        known_values = self.texts(operation, member)
        return random.choice(known_values) if known_values else None

    def learn(self, operation: OperationModel, *contents: Any) -> None:
        """Keep the telling texts of requests that went well and of their answers."""
        for content in contents:
            self._walk(_noun(operation), content)

    def _walk(self, noun: str, content: Any) -> None:
        if isinstance(content, dict):
            for name, value in content.items():
                values = value if isinstance(value, list) else [value]
                if _TELLING.search(name):
                    self._keep(noun, name, [text for text in values if isinstance(text, str) and text])
                self._walk(noun, value)
        elif isinstance(content, list):
            for item in content[:KEPT]:
                self._walk(noun, item)

    def _keep(self, noun: str, name: str, texts: list[str]) -> None:
        singular = name.lower().removesuffix("s") if name.lower().endswith(("ids", "names")) else name.lower()
        for key in {name.lower(), singular, f"{noun}{singular}".lower()}:
            for text in texts:
                if text not in self._learnt[key]:
                    self._learnt[key] = [*self._learnt[key], text][-KEPT:]


def _noun(operation: OperationModel) -> str:
    """What an operation is about: `Run` of GetRun, `Database` of GetDatabases."""
    return _VERB.sub("", operation.name).removesuffix("s")
