"""A prompt out of which each reader takes what it understands."""

import re
import unicodedata
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

TAKEN = "|"
"""Stands where something was taken, so that what stood around it does not meet."""

_SIGNS = str.maketrans({"♯": "#", "♭": "b", "’": "'", "‘": "'", "_": " ", "@": " at ", TAKEN: ","})
_DASHES = re.compile(r"[‐‑‒–—−]")
_NEGATED = re.compile(r"\b(?:not|no|without|except|excluding)\s+(?:(?:in|at|the|a)\s+)*$", re.I)


class Text:
    """`left` is what nobody has taken yet; `refused` what was understood and said with a "not",
    where a filter has no way to say so."""

    def __init__(self, prompt: str) -> None:
        text = unicodedata.normalize("NFKC", prompt).translate(_SIGNS)
        text = _DASHES.sub("-", text)
        text = re.sub(r"n't\b", " not", text, flags=re.I)
        self.left = re.sub(r"\b(\w+)[\s-]free\b", r"without \1", text, flags=re.I)
        self.refused: list[str] = []

    def take(self, pattern: re.Pattern[str], read: Callable[[re.Match[str]], T | None]) -> list[T]:
        """What `read` makes of each match; where it makes nothing, the match stays."""
        found: list[T] = []

        def taken(match: re.Match[str]) -> str:
            value = read(match)
            if value is None:
                return match[0]
            if _NEGATED.search(match.string[: match.start()]):
                self.refused.append(f"not {match[0].strip()}")
            else:
                found.append(value)
            return f" {TAKEN} "

        self.left = pattern.sub(taken, self.left)
        return found

    def has(self, pattern: re.Pattern[str]) -> bool:
        """Whether it is there; then it is taken."""
        return bool(self.take(pattern, lambda match: match[0]))
