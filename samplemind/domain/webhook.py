"""Who is told of what happens, and of what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class WebhookEvent(StrEnum):
    BATCH_JOB_FINISHED = "BATCH_JOB_FINISHED"
    ANALYSIS_FINISHED = "ANALYSIS_FINISHED"
    AUDIO_FILE_DELETED = "AUDIO_FILE_DELETED"
    TEST = "TEST"


@dataclass(frozen=True, slots=True)
class Webhook:
    """A URL that is told. `secret` signs what is sent to it; `disabled_reason` is for people, and
    None where it is enabled or was switched off by its owner.

    `failures` counts the deliveries that were given up since one last succeeded.
    """

    id: str
    owner_id: str
    url: str
    events: tuple[WebhookEvent, ...]
    secret: str
    created_at: datetime
    enabled: bool = True
    disabled_reason: str | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Happening:
    """What has happened to somebody's things. Whoever tells of it a second time gives it the same
    id, by which it is known to be the same."""

    id: str
    owner_id: str
    event: WebhookEvent
    at: datetime
    data: Mapping[str, Any]
