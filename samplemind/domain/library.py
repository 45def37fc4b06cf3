"""How a library is searched, ordered and summed up."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from samplemind.domain.analysis import Mode, SampleKind


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends included; None leaves an end open."""

    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Both ends included; None leaves an end open."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeyName:
    tonic: str
    mode: Mode

    def __str__(self) -> str:
        return f"{self.tonic} {self.mode.value.lower()}"


@dataclass(frozen=True, slots=True)
class AudioFileFilter:
    """All given conditions hold at once. A list of kinds, labels or keys means any of them;
    a list of tags means all of them, `without_labels` none of them. Each word of `search` begins
    a word of the filename or of a tag. `loudness` is integrated, in LUFS.
    """

    search: str | None = None
    tags: tuple[str, ...] | None = None
    kinds: tuple[SampleKind, ...] | None = None
    labels: tuple[str, ...] | None = None
    without_labels: tuple[str, ...] | None = None
    keys: tuple[KeyName, ...] | None = None
    tempo: Range | None = None
    duration_seconds: Range | None = None
    loudness: Range | None = None
    uploaded_at: TimeRange | None = None
    analyzed: bool | None = None


class AudioFileOrderField(StrEnum):
    UPLOADED_AT = "UPLOADED_AT"
    FILENAME = "FILENAME"
    DURATION = "DURATION"
    TEMPO = "TEMPO"


@dataclass(frozen=True, slots=True)
class AudioFileOrder:
    field: AudioFileOrderField = AudioFileOrderField.UPLOADED_AT
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Bucket:
    name: str
    count: int


@dataclass(frozen=True, slots=True)
class LibraryStats:
    audio_files: int
    analyzed: int
    total_seconds: float
    total_bytes: int
    by_kind: tuple[Bucket, ...]
    by_key: tuple[Bucket, ...]
    by_label: tuple[Bucket, ...]
    by_tempo: tuple[Bucket, ...]


def words_of(*texts: str) -> tuple[str, ...]:
    """The distinct words of the texts, case folded, in order ("808_Kick.wav": 808, kick, wav)."""
    text = " ".join(texts)
    # Twice: what one folding makes of letter-like signs may be folded again.
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text.casefold())
    return tuple(dict.fromkeys(re.findall(r"[^\W_]+", text)))
