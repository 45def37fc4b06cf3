"""A stored sound."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_MEDIA_TYPES = {
    "wav": "audio/wav",
    "w64": "audio/x-w64",
    "aiff": "audio/aiff",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "m4a": "audio/mp4",
    "aac": "audio/aac",
    "caf": "audio/x-caf",
    "au": "audio/basic",
    "matroska": "audio/webm",
    "wma": "audio/x-ms-wma",
    "ac3": "audio/ac3",
    "eac3": "audio/eac3",
    "amr": "audio/amr",
    "ape": "audio/x-ape",
    "wavpack": "audio/x-wavpack",
    "tta": "audio/x-tta",
    "avi": "video/x-msvideo",
    "mpegts": "video/mp2t",
}


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

    @property
    def media_type(self) -> str:
        """As browsers know it."""
        return _MEDIA_TYPES.get(self.format, "application/octet-stream")


@dataclass(frozen=True, slots=True)
class AudioFile:
    """`analysis_id` names the newest of the deepest analyses that succeeded: what is known stays
    known when less is asked later. `refused_tags`, case folded, are suggested no more."""

    id: str
    owner_id: str
    filename: str
    size_bytes: int
    sha256: str
    facts: AudioFacts
    tags: tuple[str, ...]
    uploaded_at: datetime
    analysis_id: str | None = None
    refused_tags: tuple[str, ...] = ()

    @property
    def blob_key(self) -> str:
        """By owner and content, so that writing the same bytes twice is harmless."""
        return blob_key(self.owner_id, self.sha256)


def blob_key(owner_id: str, sha256: str) -> str:
    """Where the bytes of that hash lie."""
    return f"{owner_id}/{sha256[:2]}/{sha256}"
