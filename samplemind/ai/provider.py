"""What every AI provider can be asked, whichever it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from samplemind.domain.ai import AiProviderName


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of a sound: a WAV file of one channel."""

    wav: bytes
    seconds: float


@dataclass(frozen=True, slots=True)
class Turn:
    """What somebody said: the user, or the model before."""

    by_model: bool
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """`turns` end with one of the user's. `schema` is what `wire_schema` makes; `sound` is heard
    with the first turn."""

    system: str
    turns: tuple[Turn, ...]
    schema: Mapping[str, Any]
    schema_name: str
    seconds: float
    most_tokens: int
    sound: Excerpt | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said, and what that took. `refusal` is set where it does not want to answer.

    `audio_tokens` are those of the input tokens that were sound.
    """

    text: str
    input_tokens: int
    output_tokens: int
    audio_tokens: int = 0
    refusal: str | None = None


class Provider(Protocol):
    """One file of this package each. A provider neither retries nor counts: `Ai` does."""

    name: AiProviderName
    model: str

    @property
    def hears(self) -> bool: ...

    async def open(self) -> None:
        """Imports what the first question needs, which takes seconds: off the event loop."""
        ...

    async def complete(self, question: Question) -> Reply:
        """Asks once. Raises AiUnavailable, AiTimeout, AiRateLimited, AiMisconfigured and
        AiQuestionRejected."""
        ...

    async def close(self) -> None: ...
