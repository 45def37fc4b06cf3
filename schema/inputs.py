"""What clients send."""

from datetime import UTC, datetime

import strawberry
from strawberry.file_uploads import Upload

from resolvers.similarity import MAX_SEEDS
from samplemind.domain import library as domain
from samplemind.domain.ai import AiProviderName
from samplemind.domain.analysis import (
    TONICS,
    AnalysisLevel,
    AnalysisOptions,
    Mode,
    SampleKind,
)
from samplemind.domain.errors import BadUserInput
from samplemind.jobs.unsaved import LONGEST_SECONDS
from schema.enums import OrderDirection

_FLATS = {"DB": "C#", "EB": "D#", "GB": "F#", "AB": "G#", "BB": "A#", "CB": "B", "FB": "E"}
_FIELD = ("filter", "keys")


@strawberry.input(description="A range of numbers; both ends belong to it.")
class FloatRange:
    min: float | None = strawberry.field(default=None, description="The least; null is open.")
    max: float | None = strawberry.field(default=None, description="The most; null is open.")

    def to_domain(self) -> domain.Range:
        return domain.Range(self.min, self.max)


@strawberry.input(description="A range of times; both ends belong to it.")
class DateTimeRange:
    from_: datetime | None = strawberry.field(
        name="from", default=None, description="The earliest; null is open."
    )
    to: datetime | None = strawberry.field(default=None, description="The latest; null is open.")

    def to_domain(self) -> domain.TimeRange:
        return domain.TimeRange(_utc(self.from_, "from"), _utc(self.to, "to"))


def _utc(moment: datetime | None, name: str) -> datetime | None:
    """A time without a zone is UTC."""
    if moment is None or moment.tzinfo is None:
        return moment and moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        message = f"`{name}` is {moment.isoformat()}, which no calendar of ours has in UTC."
        raise BadUserInput(message, field=("filter", "uploadedAt", name)) from None


@strawberry.input(description="A key by name.")
class KeyInput:
    tonic: str = strawberry.field(description="C, C#, D … B; flats are understood: Db, Bb.")
    mode: Mode = strawberry.field(description="Major or minor.")

    def to_domain(self) -> domain.KeyName:
        name = self.tonic.strip().upper().replace("♯", "#").replace("♭", "B")
        tonic = _FLATS.get(name, name)
        if tonic not in TONICS:
            message = f"{self.tonic[:20]!r} is not a tonic: use one of {', '.join(TONICS)}."
            raise BadUserInput(message, field=_FIELD)
        return domain.KeyName(tonic, self.mode)


@strawberry.input(description="Which files: all given conditions hold at once.")
class AudioFileFilter:
    search: str | None = strawberry.field(
        default=None,
        description="Each word begins a word of the filename or of a tag, in any case.",
    )
    tags: list[str] | None = strawberry.field(default=None, description="All of these tags.")
    kinds: list[SampleKind] | None = strawberry.field(
        default=None, description="Any of these kinds."
    )
    labels: list[str] | None = strawberry.field(default=None, description="Any of these labels.")
    without_labels: list[str] | None = strawberry.field(
        default=None, description="None of these labels."
    )
    keys: list[KeyInput] | None = strawberry.field(default=None, description="Any of these keys.")
    tempo: FloatRange | None = strawberry.field(default=None, description="A range of BPM.")
    duration_seconds: FloatRange | None = strawberry.field(
        default=None, description="A range of seconds."
    )
    loudness: FloatRange | None = strawberry.field(
        default=None,
        description="A range of LUFS, of the integrated loudness. Files analysed before "
        "this filter was there have none until they are analysed again.",
    )
    uploaded_at: DateTimeRange | None = strawberry.field(
        default=None, description="A range of upload times."
    )
    analyzed: bool | None = strawberry.field(
        default=None, description="Only files that are analysed, or only those that are not."
    )

    def to_domain(self) -> domain.AudioFileFilter:
        return domain.AudioFileFilter(
            search=self.search,
            tags=None if self.tags is None else tuple(self.tags),
            kinds=None if self.kinds is None else tuple(self.kinds),
            labels=None if self.labels is None else tuple(self.labels),
            without_labels=None if self.without_labels is None else tuple(self.without_labels),
            keys=None if self.keys is None else tuple(key.to_domain() for key in self.keys),
            tempo=self.tempo and self.tempo.to_domain(),
            duration_seconds=self.duration_seconds and self.duration_seconds.to_domain(),
            loudness=self.loudness and self.loudness.to_domain(),
            uploaded_at=self.uploaded_at and self.uploaded_at.to_domain(),
            analyzed=self.analyzed,
        )


@strawberry.input(description="How files are ordered.")
class AudioFileOrder:
    field: domain.AudioFileOrderField = strawberry.field(description="By what.")
    direction: OrderDirection = strawberry.field(description="Which way round.")

    def to_domain(self) -> domain.AudioFileOrder:
        return domain.AudioFileOrder(self.field, self.direction is OrderDirection.DESC)


@strawberry.input(description="Sounds to be like all at once, and sounds to stay away from.")
class BlendInput:
    like: list[strawberry.ID] = strawberry.field(
        description=f"1 to {MAX_SEEDS} sounds of your library: what they have in common is sought."
    )
    unlike: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description=f"Up to {MAX_SEEDS} sounds of your library: what they have in common is "
        "avoided, with half the weight of what is sought.",
    )


@strawberry.input(one_of=True, description="What to find the likes of.")
class SimilarityTarget:
    audio_file_id: strawberry.Maybe[strawberry.ID] = strawberry.field(
        description="A sound of your library."
    )
    blend: strawberry.Maybe[BlendInput] = strawberry.field(
        description="Several sounds of your library, some of them to stay away from."
    )
    upload: strawberry.Maybe[Upload] = strawberry.field(
        description="A sound that is not stored: it is analysed for this search and forgotten. "
        f"{LONGEST_SECONDS // 60} minutes and 256 MiB at most; by the GraphQL multipart request."
    )


@strawberry.input(description="How an upload is analysed.")
class AnalyzeOptions:
    level: AnalysisLevel | None = strawberry.field(
        default=AnalysisLevel.STANDARD, description="How much is asked of the sound."
    )
    include_ai: bool | None = strawberry.field(
        default=False,
        description="Whether an AI is asked too, when the rest has succeeded. PROFESSIONAL asks it "
        "anyway.",
    )
    provider: AiProviderName | None = strawberry.field(
        default=None, description="Which AI to ask first; the other is asked where it fails."
    )

    def to_domain(self) -> AnalysisOptions:
        return AnalysisOptions(
            self.level or AnalysisLevel.STANDARD, bool(self.include_ai), self.provider
        )


@strawberry.input(description="A sound to store.")
class UploadAudioInput:
    file: Upload = strawberry.field(description="The file, by the GraphQL multipart request.")
    tags: list[str] | None = strawberry.field(default=None, description="Words to find it by.")
    analyze: AnalyzeOptions | None = strawberry.field(
        default=None, description="How to analyse it; null stores it only."
    )


@strawberry.input(description="An upload to announce.")
class RequestUploadInput:
    filename: str = strawberry.field(description="Its name; a path before it is left out.")
    size_bytes: float = strawberry.field(description="Its size, a whole number of bytes.")


@strawberry.input(description="An upload whose bytes have been sent.")
class CompleteUploadInput:
    upload_id: strawberry.ID = strawberry.field(description="As `requestUpload` answered it.")
    tags: list[str] | None = strawberry.field(default=None, description="Words to find it by.")
    analyze: AnalyzeOptions | None = strawberry.field(
        default=None, description="How to analyse it; null stores it only."
    )


@strawberry.input(description="A change of a file; what is null stays.")
class UpdateAudioFileInput:
    id: strawberry.ID = strawberry.field(description="The file.")
    filename: str | None = strawberry.field(default=None, description="Its new name.")
    tags: list[str] | None = strawberry.field(
        default=None, description="Its new tags, in place of the old ones."
    )


@strawberry.input(description="Suggested tags to take.")
class AcceptTagsInput:
    audio_file_id: strawberry.ID = strawberry.field(description="The file.")
    tags: list[str] = strawberry.field(
        description="Which: suggested ones, or others. Those that it has already change nothing."
    )


@strawberry.input(description="Suggested tags to see no more.")
class RefuseTagsInput:
    audio_file_id: strawberry.ID = strawberry.field(description="The file.")
    tags: list[str] = strawberry.field(description="Which. They may still be given to it.")


@strawberry.input(description="A file to delete.")
class DeleteAudioFileInput:
    id: strawberry.ID = strawberry.field(description="The file.")


@strawberry.input(description="An analysis to ask for.")
class AnalyzeAudioInput:
    audio_file_id: strawberry.ID = strawberry.field(description="The file.")
    level: AnalysisLevel | None = strawberry.field(
        default=AnalysisLevel.STANDARD, description="How much is asked of the sound."
    )
    include_ai: bool | None = strawberry.field(
        default=False,
        description="Whether an AI is asked too, when the rest has succeeded. PROFESSIONAL asks it "
        "anyway.",
    )
    provider: AiProviderName | None = strawberry.field(
        default=None, description="Which AI to ask first; the other is asked where it fails."
    )
    force: bool | None = strawberry.field(
        default=False,
        description="Analyse again, and ask the AI again, even where there are answers already.",
    )

    def to_domain(self) -> AnalysisOptions:
        return AnalysisOptions(
            self.level or AnalysisLevel.STANDARD, bool(self.include_ai), self.provider
        )


@strawberry.input(description="Files to analyse: named, or chosen by a filter.")
class CreateBatchJobInput:
    audio_file_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="These files."
    )
    filter: AudioFileFilter | None = strawberry.field(
        default=None, description="All files that match; {} is every file."
    )
    level: AnalysisLevel | None = strawberry.field(
        default=AnalysisLevel.STANDARD, description="How much is asked of each sound."
    )
    include_ai: bool | None = strawberry.field(
        default=False,
        description="Whether an AI is asked too, when the rest has succeeded. PROFESSIONAL asks it "
        "anyway.",
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="The same key answers the same batch job again."
    )

    def options(self) -> AnalysisOptions:
        return AnalysisOptions(self.level or AnalysisLevel.STANDARD, bool(self.include_ai))


@strawberry.input(description="A batch job to cancel.")
class CancelBatchJobInput:
    id: strawberry.ID = strawberry.field(description="The batch job.")


@strawberry.input(description="A batch job to retry: its failed items only.")
class RetryBatchJobInput:
    id: strawberry.ID = strawberry.field(description="The batch job.")
