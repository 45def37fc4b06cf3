"""What sounds alike, as clients see it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from resolvers.scope import Scope
from resolvers.similarity import SimilarAudioFile, why
from samplemind.domain.paging import Page
from schema.directives import Cost
from schema.paging import PageInfo, encode_cursor
from schema.relation import relation
from schema.values import shown_as

if TYPE_CHECKING:
    from schema.audio_file import AudioFile

ORDER = "similar"
COST = Cost(weight="10")


@strawberry.type(description="What a similarity rests on. The shares sum to 1.")
class SimilarityReasons:
    timbre: float = strawberry.field(description="Share of the colour: spectrum and its sort.")
    envelope: float = strawberry.field(description="Share of attack, decay and movement.")
    pitch: float = strawberry.field(description="Share of the notes, or of having none.")
    rhythm: float = strawberry.field(description="Share of the pattern, or of being one blow.")


@strawberry.type(description="A sound that is alike.")
class SimilarAudioFileEdge:
    model: strawberry.Private[SimilarAudioFile]
    cursor: str = strawberry.field(description="Pass it as `after`.")
    node: Annotated["AudioFile", strawberry.lazy("schema.audio_file")] = strawberry.field(
        description="The sound."
    )
    score: float = strawberry.field(description="1 is the same sound, 0 is unrelated.")

    @relation(description="What the score rests on.")
    @staticmethod
    async def reasons(
        edges: Sequence["SimilarAudioFileEdge"], scope: Scope
    ) -> list[SimilarityReasons | None]:
        found = await why(scope, [edge.model for edge in edges])
        return shown_as(list[SimilarityReasons | None], found)


@strawberry.type(description="A page of sounds that are alike, the likest first.")
class SimilarAudioFileConnection:
    edges: list[SimilarAudioFileEdge] = strawberry.field(description="The page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def of(cls, page: Page[SimilarAudioFile]) -> Self:
        from schema.audio_file import AudioFile

        return cls(
            edges=[
                SimilarAudioFileEdge(
                    model=row.value,
                    cursor=encode_cursor(ORDER, row.key),
                    node=AudioFile.of(row.value.audio_file),
                    score=row.value.score,
                )
                for row in page.rows
            ],
            page_info=PageInfo.of(page, ORDER),
        )
