"""A library that is asked in words."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from samplemind.domain.failure import Failure
from samplemind.domain.library import AudioFileFilter

LONGEST_PROMPT = 500
"""Characters."""


@dataclass(frozen=True, slots=True)
class Understanding:
    """A prompt as it was understood.

    What was said plainly is the filter. `like` and `unlike` are how the sound should be and should
    not be, in labels of the analysis and in words that names may hold: they rank what the filter
    leaves. `ignored` is what says nothing.
    """

    filter: AudioFileFilter
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


class UnderstoodBy(StrEnum):
    PARSER = "PARSER"
    OPENAI = "OPENAI"
    GEMINI = "GEMINI"


class Condition(StrEnum):
    """What a prompt can ask of a file, by the names of the filter's fields.

    In the order in which it is given up where nothing meets all of it.
    """

    SEARCH = "SEARCH"
    LOUDNESS = "LOUDNESS"
    DURATION_SECONDS = "DURATION_SECONDS"
    KEYS = "KEYS"
    TEMPO = "TEMPO"
    KINDS = "KINDS"
    WITHOUT_LABELS = "WITHOUT_LABELS"
    LABELS = "LABELS"

    @property
    def field(self) -> str:
        return self.value.lower()


@dataclass(frozen=True, slots=True)
class Understood:
    """An understanding in use: by whom it is, what of its filter was given up to find anything,
    and why no AI has understood it, where one should have."""

    understanding: Understanding
    by: UnderstoodBy = UnderstoodBy.PARSER
    relaxed: tuple[Condition, ...] = ()
    fallback: Failure | None = None

    @property
    def filter(self) -> AudioFileFilter:
        """What is left of it."""
        return without(self.understanding.filter, self.relaxed)


def without(filter_: AudioFileFilter, conditions: Iterable[Condition]) -> AudioFileFilter:
    return replace(filter_, **dict.fromkeys((each.field for each in conditions), None))


def conditions_of(filter_: AudioFileFilter) -> list[Condition]:
    """Those that it sets, in the order in which they are given up."""
    return [each for each in Condition if getattr(filter_, each.field) is not None]
