"""Domain values for tests: plausible, and each argument overrides one field."""

from datetime import UTC, datetime, timedelta
from typing import Any

from samplemind.audio import EMBEDDING_DIMENSIONS, ENGINE_VERSION
from samplemind.domain.analysis import (
    Absence,
    AbsenceCode,
    Analysis,
    AnalysisLevel,
    AnalysisStatus,
    Findings,
    Label,
    LoopPoints,
    Loudness,
    Mode,
    MusicalKey,
    Pitch,
    SampleKind,
    SpectralFeatures,
    Tempo,
    TimeSignature,
)
from samplemind.domain.audio_file import AudioFacts, AudioFile
from samplemind.domain.batch_job import BatchJob
from samplemind.domain.ids import new_id
from samplemind.domain.user import Role, User

# A whole number of milliseconds, as MongoDB keeps times.
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def audio_file(owner_id: str, *, seconds: float = 2.5, **fields: Any) -> AudioFile:
    id_ = new_id()
    values: dict[str, Any] = {
        "id": id_,
        "owner_id": owner_id,
        "filename": "kick.wav",
        "size_bytes": 1_000,
        "sha256": id_ * 2 + "0" * 16,
        "facts": AudioFacts("wav", seconds, 44_100, 2, {"artist": "Ada"}),
        "tags": (),
        "uploaded_at": NOON,
    }
    return AudioFile(**(values | fields))


def analysis(owner_id: str, audio_file_id: str, **fields: Any) -> Analysis:
    values: dict[str, Any] = {
        "id": new_id(),
        "owner_id": owner_id,
        "audio_file_id": audio_file_id,
        "level": AnalysisLevel.STANDARD,
        "status": AnalysisStatus.QUEUED,
        "engine_version": ENGINE_VERSION,
        "queued_at": NOON,
    }
    return Analysis(**(values | fields))


def batch_job(owner_id: str, total: int, **fields: Any) -> BatchJob:
    values: dict[str, Any] = {
        "id": new_id(),
        "owner_id": owner_id,
        "level": AnalysisLevel.STANDARD,
        "total": total,
        "queued": total,
        "running": 0,
        "completed": 0,
        "failed": 0,
        "cancelled": 0,
        "sequence": 1,
        "created_at": NOON,
        "updated_at": NOON,
    }
    return BatchJob(**(values | fields))


def user(owner_id: str) -> User:
    return User(owner_id, f"user-{owner_id}", f"{owner_id}@example.org", Role.USER, NOON)


def embedding(*leading: float) -> tuple[float, ...]:
    """A vector that begins with `leading`; all else is 0."""
    return (*leading, *[0.0] * (EMBEDDING_DIMENSIONS - len(leading)))


def findings(**fields: Any) -> Findings:
    """A loop at 120 BPM in A minor, with every answer there is."""
    values: dict[str, Any] = {
        "kind": SampleKind.LOOP,
        "tempo": Tempo(120.0, 0.9, (60.0, 240.0)),
        "key": MusicalKey("A", Mode.MINOR, 0.8),
        "time_signature": TimeSignature(4, 4, 0.7),
        "pitch": Pitch(440.0, 69.0, "A4", 0.9),
        "loudness": Loudness(-14.0, -1.0, None),
        "spectral": SpectralFeatures(
            1_000.0, 500.0, 3_000.0, 0.1, 0.05, (1.0,) * 7, (0.5,) * 20, (1.0,) * 12
        ),
        "beats": (0.0, 0.5),
        "downbeats": (0.0,),
        "onsets": (0.0, 0.25, 0.5),
        "loop": LoopPoints(0.0, 2.0, 4, 1, 0.01),
        "labels": (Label("bass", 0.9), Label("dark", 0.4)),
        "embedding": embedding(1.0),
        "absences": (Absence("pitch", AbsenceCode.MANY_NOTES),),
    }
    return Findings(**(values | fields))


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
