"""What is known about a sound, as clients see it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from resolvers.audio_files import audio_files_by_ids
from resolvers.scope import Scope
from samplemind.domain import analysis as domain
from samplemind.domain.ai import AiStatus
from samplemind.domain.paging import Page
from schema.ai import AiInsight
from schema.directives import list_size
from schema.failure import Failure
from schema.ids import encode_id
from schema.node import Node
from schema.paging import PageInfo, encode_cursor
from schema.relation import relation
from schema.values import shown_as

if TYPE_CHECKING:
    from schema.audio_file import AudioFile


@strawberry.type(description="How fast the music goes.")
class Tempo:
    bpm: float = strawberry.field(description="Quarter notes a minute.")
    confidence: float = strawberry.field(description="0 to 1.")
    alternatives: list[float] = strawberry.field(
        description="Other tempos it could be felt in, in BPM, the likeliest first."
    )


@strawberry.type(description="The key the music is in.")
class MusicalKey:
    tonic: str = strawberry.field(description="C, C#, D, D#, E, F, F#, G, G#, A, A# or B.")
    mode: domain.Mode = strawberry.field(description="Major or minor.")
    camelot: str = strawberry.field(description="Camelot wheel notation: A minor is 8A.")
    open_key: str = strawberry.field(description="Open Key notation: A minor is 1m.")
    confidence: float = strawberry.field(description="0 to 1.")


@strawberry.type(description="How the beats are grouped into bars.")
class TimeSignature:
    numerator: int = strawberry.field(description="Beats in a bar.")
    denominator: int = strawberry.field(description="The note value of a beat.")
    confidence: float = strawberry.field(description="0 to 1.")


@strawberry.type(description="The fundamental of a one-shot.")
class Pitch:
    hertz: float = strawberry.field(description="Its frequency in Hz.")
    midi: float = strawberry.field(description="Its MIDI note number with cents: 69.0 is 440 Hz.")
    note: str = strawberry.field(description="The nearest note: F#2.")
    cents: float = strawberry.field(
        description="How far it is above the note, in hundredths of a semitone, -50 to 50."
    )
    confidence: float = strawberry.field(description="0 to 1.")


@strawberry.type(description="Loudness by ITU-R BS.1770 and EBU R 128.")
class Loudness:
    integrated_lufs: float = strawberry.field(
        description="Integrated loudness in LUFS; -70 is the gate, below which all is silence."
    )
    true_peak_dbtp: float = strawberry.field(description="True peak in dBTP.")
    range_lu: float | None = strawberry.field(
        description="Loudness range in LU; null where the sound is too short to have one."
    )


@strawberry.type(description="The spectrum, averaged over the sound.")
class SpectralFeatures:
    centroid_hz: float = strawberry.field(description="Its centre of gravity: brightness, in Hz.")
    bandwidth_hz: float = strawberry.field(description="Its spread about the centroid, in Hz.")
    rolloff_hz: float = strawberry.field(description="85 % of the energy lies below it, in Hz.")
    flatness: float = strawberry.field(description="0 is a pure tone, 1 is white noise.")
    zero_crossing_rate: float = strawberry.field(description="Sign changes a sample, 0 to 1.")
    contrast_db: list[float] = strawberry.field(
        description="Peaks against valleys in 7 bands from low to high, in dB."
    )
    mfcc: list[float] = strawberry.field(description="20 mel-frequency cepstral coefficients.")
    chroma: list[float] = strawberry.field(description="12 pitch classes from C, the strongest 1.")


@strawberry.type(description="A word for the sound.")
class Label:
    name: str = strawberry.field(description="kick, snare, bass, pad, bright …")
    score: float = strawberry.field(description="0 to 1.")


@strawberry.type(description="Where to repeat a sound: play to the end, go on at the start.")
class LoopPoints:
    start_seconds: float = strawberry.field(description="Where to go on, from the file's start.")
    end_seconds: float = strawberry.field(description="Where to leave, from the file's start.")
    beats: int | None = strawberry.field(
        description="Beats between the two; null for a held note, which has none."
    )
    bars: int | None = strawberry.field(
        description="Bars between the two; null where they are not whole, or the metre not known."
    )
    crossfade_seconds: float | None = strawberry.field(
        description="Null where the waveform goes on smoothly. Else fade the last so many seconds "
        "before the end out, and the first after the start in."
    )


@strawberry.type(description="Why a field of an analysis is null.")
class Absence:
    field: str = strawberry.field(description="The name of the field: timeSignature.")
    code: domain.AbsenceCode = strawberry.field(description="Stable, for programs.")
    message: str = strawberry.field(description="For people.")


@strawberry.type(description="One run of the analysis over one file.")
class Analysis(Node):
    model: strawberry.Private[domain.Analysis]
    level: domain.AnalysisLevel = strawberry.field(description="How much was asked.")
    status: domain.AnalysisStatus = strawberry.field(description="How far it is.")
    failure: Failure | None = strawberry.field(description="Why it failed, where it did.")
    kind: domain.SampleKind | None = strawberry.field(description="What the sound is for.")
    tempo: Tempo | None = strawberry.field(
        description="Null where there is no pulse: a one-shot, a pad."
    )
    key: MusicalKey | None = strawberry.field(
        description="Null where there is no tonality: a drum, noise."
    )
    time_signature: TimeSignature | None = strawberry.field(
        description="Null where there are no bars to hear. From level DETAILED."
    )
    pitch: Pitch | None = strawberry.field(
        description="Null where the sound has no one pitch. From level DETAILED."
    )
    loudness: Loudness | None = strawberry.field(description="From level STANDARD.")
    spectral: SpectralFeatures | None = strawberry.field(description="From level STANDARD.")
    beats: list[float] | None = strawberry.field(
        description="Seconds from the start. From level DETAILED."
    )
    downbeats: list[float] | None = strawberry.field(
        description="The beats with which bars begin, in seconds from the start. Null where there "
        "are no bars to hear. From level DETAILED."
    )
    onsets: list[float] | None = strawberry.field(
        description="Seconds from the start. From level DETAILED."
    )
    loop: LoopPoints | None = strawberry.field(
        description="Where to repeat it, for a loop in whole beats. Other sounds have it where "
        "their file has loop points. From level DETAILED."
    )
    labels: list[Label] = strawberry.field(
        description="Words for the sound, best first. From level STANDARD.",
        directives=[list_size(10)],
    )
    absences: list[Absence] = strawberry.field(
        description="The reason for each of tempo, key, timeSignature, pitch, loudness, spectral, "
        "beats, downbeats, onsets and loop that is null. Empty until it has succeeded.",
        directives=[list_size(10)],
    )
    ai: AiInsight | None = strawberry.field(
        description="What an AI says of it: with `includeAi`, and at level PROFESSIONAL."
    )
    ai_status: AiStatus | None = strawberry.field(
        description="How far the AI is, which is asked when the rest has succeeded; null where "
        "none is asked."
    )
    ai_failure: Failure | None = strawberry.field(
        description="Why no AI has answered. The analysis has succeeded all the same."
    )
    engine_version: str = strawberry.field(description="The version of the analysis itself.")
    processing_seconds: float | None = strawberry.field(description="How long it took.")
    queued_at: datetime = strawberry.field(description="When it was asked for.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")

    @relation(description="The file it is about.")
    @staticmethod
    async def audio_file(
        analyses: Sequence["Analysis"], scope: Scope
    ) -> list[Annotated["AudioFile", strawberry.lazy("schema.audio_file")]]:
        from schema.audio_file import AudioFile

        ids = [analysis.model.audio_file_id for analysis in analyses]
        return [AudioFile.of(file) for file in await audio_files_by_ids(scope, ids)]

    @classmethod
    def of(cls, model: domain.Analysis) -> Self:
        found, ai = model.findings, model.ai
        if model.status in (domain.AnalysisStatus.FAILED, domain.AnalysisStatus.CANCELLED):
            # Nobody will be asked.
            ai = None
        return cls(
            id=encode_id("Analysis", model.id),
            model=model,
            level=model.level,
            status=model.status,
            failure=shown_as(Failure, model.failure),
            kind=found.kind,
            tempo=shown_as(Tempo, found.tempo),
            key=shown_as(MusicalKey, found.key),
            time_signature=shown_as(TimeSignature, found.time_signature),
            pitch=shown_as(Pitch, found.pitch),
            loudness=shown_as(Loudness, found.loudness),
            spectral=shown_as(SpectralFeatures, found.spectral),
            beats=shown_as(list[float], found.beats),
            downbeats=shown_as(list[float], found.downbeats),
            onsets=shown_as(list[float], found.onsets),
            loop=shown_as(LoopPoints, found.loop),
            labels=shown_as(list[Label], found.labels),
            absences=shown_as(list[Absence], found.absences),
            ai=ai and shown_as(AiInsight, ai.insight),
            ai_status=ai and ai.status,
            ai_failure=ai and shown_as(Failure, ai.failure),
            engine_version=model.engine_version,
            processing_seconds=model.processing_seconds,
            queued_at=model.queued_at,
            finished_at=model.finished_at,
        )


@strawberry.type(description="An analysis in a list.")
class AnalysisEdge:
    cursor: str = strawberry.field(description="Pass it as `after` or `before`.")
    node: Analysis = strawberry.field(description="The analysis.")


@strawberry.type(description="A page of analyses.")
class AnalysisConnection:
    edges: list[AnalysisEdge] = strawberry.field(description="The page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def of(cls, page: Page[domain.Analysis], order: str) -> Self:
        return cls(
            edges=[
                AnalysisEdge(cursor=encode_cursor(order, row.key), node=Analysis.of(row.value))
                for row in page.rows
            ],
            page_info=PageInfo.of(page, order),
        )
