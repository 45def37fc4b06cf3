"""What is known about a sound, and the state of finding it out."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from samplemind.domain.ai import AiPart, AiProviderName
from samplemind.domain.failure import Failure


class AnalysisLevel(StrEnum):
    """How much is asked of a sound. Each level holds everything of the one before."""

    BASIC = "BASIC"
    STANDARD = "STANDARD"
    DETAILED = "DETAILED"
    PROFESSIONAL = "PROFESSIONAL"

    def includes(self, other: "AnalysisLevel") -> bool:
        """True where a result of this level answers everything that `other` asks."""
        return self.depth >= other.depth

    @property
    def depth(self) -> int:
        return list(AnalysisLevel).index(self)


@dataclass(frozen=True, slots=True)
class AnalysisOptions:
    """What is asked of a sound. `provider` is the AI provider to ask first."""

    level: AnalysisLevel = AnalysisLevel.STANDARD
    include_ai: bool = False
    provider: AiProviderName | None = None

    @property
    def asks_ai(self) -> bool:
        return self.include_ai or self.level is AnalysisLevel.PROFESSIONAL


class AnalysisStatus(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        return self not in (AnalysisStatus.QUEUED, AnalysisStatus.RUNNING)


class Lane(StrEnum):
    """Who waits for an analysis: somebody at this moment, or a batch."""

    INTERACTIVE = "interactive"
    BATCH = "batch"


class SampleKind(StrEnum):
    ONE_SHOT = "ONE_SHOT"
    LOOP = "LOOP"
    TRACK = "TRACK"


class Mode(StrEnum):
    MAJOR = "MAJOR"
    MINOR = "MINOR"


@dataclass(frozen=True, slots=True)
class Tempo:
    """`bpm` in quarter notes a minute; `alternatives` are other plausible tempos, best first."""

    bpm: float
    confidence: float
    alternatives: tuple[float, ...]


TONICS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


@dataclass(frozen=True, slots=True)
class MusicalKey:
    """`tonic` is one of TONICS (sharps)."""

    tonic: str
    mode: Mode
    confidence: float

    @property
    def open_key(self) -> str:
        """Open Key notation: 1d is C major, each fifth up adds one; m is the relative minor."""
        pitch_class = TONICS.index(self.tonic)
        major = pitch_class if self.mode is Mode.MAJOR else (pitch_class + 3) % 12
        return f"{major * 7 % 12 + 1}{'d' if self.mode is Mode.MAJOR else 'm'}"

    @property
    def camelot(self) -> str:
        """Camelot wheel: 8B is C major, each fifth up adds one; A is the relative minor."""
        number = (int(self.open_key[:-1]) + 6) % 12 + 1
        return f"{number}{'B' if self.mode is Mode.MAJOR else 'A'}"


@dataclass(frozen=True, slots=True)
class TimeSignature:
    numerator: int
    denominator: int
    confidence: float

    @property
    def beats(self) -> int:
        """Beats of a bar, as the tempo counts them: 6/8 has two."""
        is_compound = self.denominator == 8 and self.numerator % 3 == 0
        return self.numerator // 3 if is_compound else self.numerator


@dataclass(frozen=True, slots=True)
class Pitch:
    """The fundamental. `midi` is a fractional note number (69.0 is 440 Hz); `note` like F#2."""

    hertz: float
    midi: float
    note: str
    confidence: float

    @property
    def cents(self) -> float:
        """Hundredths of a semitone above the note, -50..50."""
        return 100 * (self.midi - round(self.midi))


@dataclass(frozen=True, slots=True)
class Loudness:
    """ITU-R BS.1770 integrated loudness and true peak; EBU Tech 3342 range."""

    integrated_lufs: float
    true_peak_dbtp: float
    range_lu: float | None


@dataclass(frozen=True, slots=True)
class SpectralFeatures:
    """Averages over the sound's frames.

    `contrast_db` has 7 bands, `mfcc` 20 coefficients, `chroma` 12 pitch classes from C
    (each 0..1, the strongest 1).
    """

    centroid_hz: float
    bandwidth_hz: float
    rolloff_hz: float
    flatness: float
    zero_crossing_rate: float
    contrast_db: tuple[float, ...]
    mfcc: tuple[float, ...]
    chroma: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Label:
    name: str
    score: float


@dataclass(frozen=True, slots=True)
class LoopPoints:
    """Where a sound repeats itself: from `end_seconds` back to `start_seconds`.

    `beats` and `bars` are how many lie between, None where that is not known. Where the waveform
    does not go on smoothly, the last `crossfade_seconds` before the end have to fade out, and the
    first after the start to fade in.
    """

    start_seconds: float
    end_seconds: float
    beats: int | None
    bars: int | None
    crossfade_seconds: float | None


class AbsenceCode(StrEnum):
    """Why there is no answer."""

    BEYOND_LEVEL = "BEYOND_LEVEL"
    SILENT = "SILENT"
    ONE_SHOT = "ONE_SHOT"
    MANY_NOTES = "MANY_NOTES"
    TRACK_WITHOUT_LOOP = "TRACK_WITHOUT_LOOP"
    NO_PULSE = "NO_PULSE"
    NO_TONALITY = "NO_TONALITY"
    NO_PITCH = "NO_PITCH"
    TOO_SHORT = "TOO_SHORT"

    @property
    def message(self) -> str:
        return _MESSAGES[self]


_MESSAGES = {
    AbsenceCode.BEYOND_LEVEL: "The analysis was not asked for it: ask for a higher level.",
    AbsenceCode.SILENT: "The sound is silent.",
    AbsenceCode.ONE_SHOT: "It is a one-shot, which happens once.",
    AbsenceCode.MANY_NOTES: "It is told of one-shots only: other sounds have many notes.",
    AbsenceCode.TRACK_WITHOUT_LOOP: "It is a track, and its file has no loop points.",
    AbsenceCode.NO_PULSE: "Nothing in the sound repeats itself as beats do.",
    AbsenceCode.NO_TONALITY: "The sound has no clear notes, as drums and noise have none.",
    AbsenceCode.NO_PITCH: "The sound has no steady fundamental.",
    AbsenceCode.TOO_SHORT: "Too few beats to tell: bars need eight, or a loop of four.",
}


@dataclass(frozen=True, slots=True)
class Absence:
    """Why a field of the analysis is null; `field` is named as in the API: timeSignature."""

    field: str
    code: AbsenceCode

    @property
    def message(self) -> str:
        return self.code.message


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why two sounds are alike: shares of their similarity, which sum to 1."""

    timbre: float
    envelope: float
    pitch: float
    rhythm: float


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything an analysis found. None (or empty) where the level does not ask, or the
    sound has no answer: a one-shot has no tempo, a drum no key, silence neither.

    `beats`, `downbeats` and `onsets` are seconds from the start; `embedding` is the vector of
    similarity, `fingerprint` what duplicates are told by. `absences` has a reason for each field
    that a client sees as null.
    """

    kind: SampleKind | None = None
    tempo: Tempo | None = None
    key: MusicalKey | None = None
    time_signature: TimeSignature | None = None
    pitch: Pitch | None = None
    loudness: Loudness | None = None
    spectral: SpectralFeatures | None = None
    beats: tuple[float, ...] | None = None
    downbeats: tuple[float, ...] | None = None
    onsets: tuple[float, ...] | None = None
    loop: LoopPoints | None = None
    labels: tuple[Label, ...] = ()
    embedding: tuple[float, ...] | None = None
    fingerprint: bytes | None = None
    absences: tuple[Absence, ...] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """One run of the analysis over one file, from queued to its final state.

    `batch_id` and `position` are set for an item of a batch job; `attempts` counts the times a
    worker has begun it and did not hand it back. `ai` is set where an AI is asked too, which begins
    when the rest has succeeded, and changes nothing of it.
    """

    id: str
    owner_id: str
    audio_file_id: str
    level: AnalysisLevel
    status: AnalysisStatus
    engine_version: str
    queued_at: datetime
    lane: Lane = Lane.INTERACTIVE
    batch_id: str | None = None
    position: int | None = None
    attempts: int = 0
    findings: Findings = Findings()
    failure: Failure | None = None
    processing_seconds: float | None = None
    finished_at: datetime | None = None
    ai: AiPart | None = None
