"""The operations of a guide in Markdown, what they are asked with, and what the guide answers."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BLOCK = re.compile(r"^```(\w+) ?(\w*)\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Operation:
    """A block of GraphQL. After it may come `json variables`, then `json answer`: what a
    subscription answers are several, one a line."""

    line: int
    query: str
    variables: dict[str, Any]
    answers: list[Any]

    @property
    def is_subscription(self) -> bool:
        return self.query.lstrip().startswith("subscription")


def operations(path: Path) -> list[Operation]:
    text = path.read_text()
    found: list[Operation] = []
    for block in _BLOCK.finditer(text):
        language, role, content = block.groups()
        if language == "graphql":
            line = text.count("\n", 0, block.start()) + 1
            found.append(Operation(line, content, {}, []))
        elif role == "variables":
            found[-1].variables.update(json.loads(content))
        elif role == "answer":
            found[-1].answers.extend(_each(content))
    return found


def commands(path: Path) -> list[str]:
    """The blocks of shell that ask the server."""
    blocks = (match.groups() for match in _BLOCK.finditer(path.read_text()))
    return [
        content
        for language, _, content in blocks
        if language == "sh" and content.startswith("curl ")
    ]


def codes(path: Path) -> set[str]:
    """The codes in the table of the guide's section on errors."""
    section = path.read_text().split("\n## Errors\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([A-Z_]+)` \|", section, re.M))


def _each(content: str) -> list[Any]:
    decoder, answers, rest = json.JSONDecoder(), [], content.strip()
    while rest:
        answer, end = decoder.raw_decode(rest)
        answers.append(answer)
        rest = rest[end:].lstrip()
    return answers


class Story:
    """Operations that follow one another: what the guide calls by an id, a cursor or a link that
    an earlier answer gave, is called here by what the real answer gave in that place."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def told(self, value: Any) -> Any:
        """Variables, with the real names in place of the guide's."""
        if isinstance(value, dict):
            return {key: self.told(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.told(item) for item in value]
        return self._names.get(value, value) if isinstance(value, str) else value

    def check(self, documented: Any, real: Any, at: str = "answer") -> None:
        """Both have the same fields of the same types; codes and messages to the letter.

        A null stands for whatever the field may hold, since the sounds differ. The guide leaves out
        `extensions` where it does not speak of them.
        """
        if documented is None or real is None:
            return
        if isinstance(documented, dict):
            assert isinstance(real, dict), at
            said = [key for key in real if key in documented or key != "extensions"]
            assert list(documented) == said, at
            for key, item in documented.items():
                self.check(item, real[key], f"{at}.{key}")
        elif isinstance(documented, list):
            assert isinstance(real, list), at
            assert bool(documented) == bool(real), at
            for index, (item, its) in enumerate(zip(documented, real, strict=False)):
                self.check(item, its, f"{at}.{index}")
        elif isinstance(documented, str):
            assert isinstance(real, str), at
            if at.rpartition(".")[2] in ("code", "message"):
                assert self.told(documented) == real, at
            self._names[documented] = real
        else:
            number = (int, float) if type(documented) in (int, float) else type(documented)
            assert isinstance(real, number), at
