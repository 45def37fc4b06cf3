"""What AI providers say of a sound, and what asking them takes."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from samplemind.domain.failure import Failure


class AiProviderName(StrEnum):
    OPENAI = "OPENAI"
    GEMINI = "GEMINI"


class AiStatus(StrEnum):
    """How far the AI's part of an analysis is."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        return self in (AiStatus.SUCCEEDED, AiStatus.FAILED)


@dataclass(frozen=True, slots=True)
class AiInsight:
    """What a model says of a sound. `detailed` holds instruments, mood, genre, mixNotes and
    arrangementIdeas, all of them lists of texts."""

    provider: AiProviderName
    model: str
    summary: str
    detailed: dict[str, list[str]]
    production_tips: tuple[str, ...]
    creative_ideas: tuple[str, ...]
    fl_studio_recommendations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AiPart:
    """The AI's part of an analysis: what was asked and what came of it.

    `preferred` is the provider that was asked for, None where it does not matter; `afresh` says
    that no kept answer will do; `attempts` counts the times a worker has begun it.
    """

    status: AiStatus = AiStatus.QUEUED
    preferred: AiProviderName | None = None
    afresh: bool = False
    attempts: int = 0
    insight: AiInsight | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class AiProvider:
    """`healthy` says whether it would be asked now: it is configured, and neither are its last
    answers failures nor does it ask to be left alone."""

    name: AiProviderName
    model: str
    configured: bool
    healthy: bool


@dataclass(frozen=True, slots=True)
class AiUsage:
    """What one user's questions took on one day (UTC).

    `cost_usd` is of the tokens whose price is known; `unpriced_tokens` counts the others.
    """

    day: date
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    unpriced_tokens: int = 0
    cost_usd: float = 0.0

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.output_tokens
