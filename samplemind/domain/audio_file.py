"""A stored sound."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """What the container says of a sound, before any analysis.

    `metadata` holds the embedded tags as read; a file that was cut short has
    `truncated: True` in it, and `duration_seconds` is what really decodes.
    """

    format: str
    duration_seconds: float
    sample_rate: int
    channels: int
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AudioFile:
    """`analysis_id` names the newest analysis that succeeded."""

    id: str
    owner_id: str
    filename: str
    size_bytes: int
    sha256: str
    facts: AudioFacts
    tags: tuple[str, ...]
    uploaded_at: datetime
    analysis_id: str | None = None
