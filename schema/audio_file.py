"""A stored sound, as clients see it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self, cast

import strawberry
from strawberry.scalars import JSON

from resolvers.analyses import analyses, known_analyses
from resolvers.audio_files import count_audio_files
from resolvers.media import DEFAULT_POINTS, MOST_POINTS, media_urls, waveform
from resolvers.scope import Scope
from resolvers.similarity import duplicates, similar_to
from resolvers.suggested_tags import suggested_tags
from resolvers.users import users
from samplemind.domain import audio_file as domain
from samplemind.domain.errors import NotAnalyzed
from samplemind.domain.library import AudioFileFilter as DomainFilter
from samplemind.domain.paging import Page
from samplemind.domain.suggested_tag import MOST_SUGGESTED
from schema.analysis import Analysis, AnalysisConnection
from schema.context import Info
from schema.directives import Cost, list_size
from schema.ids import encode_id
from schema.inputs import AudioFileFilter
from schema.node import Node
from schema.paging import (
    PAGED,
    PAGED_FORWARD,
    After,
    Before,
    First,
    Last,
    PageInfo,
    encode_cursor,
    window,
)
from schema.relation import relation
from schema.similarity import COST as SIMILAR_COST
from schema.similarity import ORDER as SIMILAR
from schema.similarity import SimilarAudioFileConnection
from schema.suggested_tag import SuggestedTag
from schema.user import User
from schema.values import shown_as

_ANALYSES = "analyses"


@strawberry.type(description="A stored sound.")
class AudioFile(Node):
    model: strawberry.Private[domain.AudioFile]
    filename: str = strawberry.field(description="Its name, without a path.")
    format: str = strawberry.field(description="The container: wav, aiff, flac, mp3, ogg, m4a …")
    size_bytes: float = strawberry.field(description="Its size in bytes; may pass 2^31.")
    sha256: str = strawberry.field(description="The SHA-256 of its bytes, in hex.")
    duration_seconds: float = strawberry.field(description="How long it sounds.")
    sample_rate: int = strawberry.field(description="Samples a second.")
    channels: int = strawberry.field(description="1 is mono, 2 is stereo.")
    tags: list[str] = strawberry.field(description="Words that its owner gave it.")
    metadata: JSON = strawberry.field(
        description="The embedded tags (ID3, RIFF, Vorbis …) as read; `acid`, `smpl`, `basc` and "
        "`inst` hold what such chunks of WAV and AIFF files say. `truncated` is true where the "
        "file was cut short; what decodes is kept."
    )
    uploaded_at: datetime = strawberry.field(description="When it was uploaded.")

    @relation(description="Whose it is.")
    @staticmethod
    async def owner(files: Sequence["AudioFile"], scope: Scope) -> list[User | None]:
        owners = users(scope, [file.model.owner_id for file in files])
        return [owner and User.of(owner) for owner in owners]

    @relation(
        description="Where its bytes are, for an hour: signed, needs no other authorisation, "
        "serves byte ranges. Ask again rather than keep it."
    )
    @staticmethod
    async def url(files: Sequence["AudioFile"], scope: Scope) -> list[str]:
        return await media_urls(scope, [file.model for file in files])

    @strawberry.field(
        description="To draw it: the peak of each of `points` equal stretches over all channels, "
        "0 to 1, where 1 is full scale.",
        directives=[Cost(weight="2")],
    )
    async def waveform(
        self,
        info: Info,
        points: Annotated[
            int | None, strawberry.argument(description=f"How many, 1 to {MOST_POINTS}.")
        ] = DEFAULT_POINTS,
    ) -> list[float]:
        points = DEFAULT_POINTS if points is None else points
        return await waveform(info.context, self.model, points)

    @relation(
        description="The newest analysis that succeeded, of those that asked most: one of a lower "
        "level takes nothing away that is known."
    )
    @staticmethod
    async def analysis(files: Sequence["AudioFile"], scope: Scope) -> list[Analysis | None]:
        found = await known_analyses(scope, [file.model for file in files])
        return [analysis and Analysis.of(analysis) for analysis in found]

    @relation(
        description="Words that could be its tags, the surest first: what the analysis (and an AI, "
        "where one was asked) says and what is neither a tag of it nor refused.",
        directives=[list_size(MOST_SUGGESTED)],
    )
    @staticmethod
    async def suggested_tags(
        files: Sequence["AudioFile"], scope: Scope
    ) -> list[list[SuggestedTag]]:
        found = await suggested_tags(scope, [file.model for file in files])
        return shown_as(list[list[SuggestedTag]], found)

    @strawberry.field(
        description="Every analysis of this file, the newest first.", directives=[PAGED]
    )
    async def analyses(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AnalysisConnection:
        asked = window(_ANALYSES, first, after, last, before)
        return AnalysisConnection.of(await analyses(info.context, self.model, asked), _ANALYSES)

    @strawberry.field(
        description="What sounds alike, the likest first, without this file. Empty until an "
        "analysis of level STANDARD or above has succeeded.",
        directives=[SIMILAR_COST, PAGED_FORWARD],
    )
    async def similar_to(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        filter: Annotated[
            AudioFileFilter | None, strawberry.argument(description="Only files that match.")
        ] = None,
    ) -> SimilarAudioFileConnection:
        asked = window(SIMILAR, first, after)
        wanted = filter.to_domain() if filter else None
        try:
            page = await similar_to(info.context, self.model, asked, wanted)
        except NotAnalyzed:
            page = Page(rows=[], has_next=False, has_previous=False)
        return SimilarAudioFileConnection.of(page)

    @strawberry.field(
        description="Files that hold the same sound at another format, bitrate, gain, trim or "
        "sample rate. Empty until an analysis of level STANDARD or above has succeeded.",
        directives=[Cost(weight="10"), list_size(5)],
    )
    async def duplicates(self, info: Info) -> list["AudioFile"]:
        return list(map(AudioFile.of, await duplicates(info.context, self.model)))

    @classmethod
    def of(cls, model: domain.AudioFile) -> Self:
        facts = model.facts
        return cls(
            id=encode_id("AudioFile", model.id),
            model=model,
            filename=model.filename,
            format=facts.format,
            size_bytes=model.size_bytes,
            sha256=model.sha256,
            duration_seconds=facts.duration_seconds,
            sample_rate=facts.sample_rate,
            channels=facts.channels,
            tags=list(model.tags),
            metadata=cast("JSON", facts.metadata),
            uploaded_at=model.uploaded_at,
        )


@strawberry.type(description="A file in a list.")
class AudioFileEdge:
    cursor: str = strawberry.field(description="Pass it as `after` or `before`.")
    node: AudioFile = strawberry.field(description="The file.")


@strawberry.type(description="A page of files.")
class AudioFileConnection:
    wanted: strawberry.Private[DomainFilter | None]
    edges: list[AudioFileEdge] = strawberry.field(description="The page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @strawberry.field(
        description="How many files match in all, whatever the page.",
        directives=[Cost(weight="1")],
    )
    async def total_count(self, info: Info) -> int:
        return await count_audio_files(info.context, self.wanted)

    @classmethod
    def of(
        cls, page: Page[domain.AudioFile], order: str, wanted: DomainFilter | None = None
    ) -> Self:
        return cls(
            wanted=wanted,
            edges=[
                AudioFileEdge(cursor=encode_cursor(order, row.key), node=AudioFile.of(row.value))
                for row in page.rows
            ],
            page_info=PageInfo.of(page, order),
        )
