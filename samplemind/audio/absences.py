"""Why a question has no answer."""

from collections.abc import Iterator

from samplemind.audio.features import Features
from samplemind.audio.metre import has_few_beats
from samplemind.domain.analysis import (
    Absence,
    AbsenceCode,
    AnalysisLevel,
    Findings,
    SampleKind,
)

_LEVELS = {
    "tempo": AnalysisLevel.BASIC,
    "key": AnalysisLevel.BASIC,
    "loudness": AnalysisLevel.STANDARD,
    "spectral": AnalysisLevel.STANDARD,
    "time_signature": AnalysisLevel.DETAILED,
    "pitch": AnalysisLevel.DETAILED,
    "beats": AnalysisLevel.DETAILED,
    "downbeats": AnalysisLevel.DETAILED,
    "onsets": AnalysisLevel.DETAILED,
    "loop": AnalysisLevel.DETAILED,
}
"""The fields that may be null, and from which level on they are asked for."""

_NAMES = {"time_signature": "timeSignature"}
"""What the API calls a field, where it is another name."""


def absences(found: Findings, level: AnalysisLevel, features: Features) -> Iterator[Absence]:
    """One for each of the fields above that was not found."""
    for field, needed in _LEVELS.items():
        if getattr(found, field) is not None:
            continue
        if not level.includes(needed):
            code = AbsenceCode.BEYOND_LEVEL
        elif features.is_silent:
            code = AbsenceCode.SILENT
        else:
            code = _why(field, found, features.seconds)
        yield Absence(_NAMES.get(field, field), code)


def _why(field: str, found: Findings, seconds: float) -> AbsenceCode:
    """Of a field that was looked for in what is not silent."""
    is_one_shot = found.kind is SampleKind.ONE_SHOT
    match field:
        case "key":
            return AbsenceCode.NO_TONALITY
        case "pitch":
            return AbsenceCode.NO_PITCH if is_one_shot else AbsenceCode.MANY_NOTES
        case _ if is_one_shot:
            return AbsenceCode.ONE_SHOT
        case "loop" if found.kind is SampleKind.TRACK:
            return AbsenceCode.TRACK_WITHOUT_LOOP
        case _ if found.tempo and has_few_beats(seconds, found.tempo.bpm):
            return AbsenceCode.TOO_SHORT
        case _:
            return AbsenceCode.NO_PULSE
