"""What sounds alike, as clients see it."""

from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from resolvers.similarity import SimilarAudioFile
from samplemind.domain.paging import Page
from schema.paging import PageInfo, encode_cursor

if TYPE_CHECKING:
    from schema.audio_file import AudioFile

ORDER = "similar"


@strawberry.type(description="A sound that is alike.")
class SimilarAudioFileEdge:
    cursor: str = strawberry.field(description="Pass it as `after`.")
    node: Annotated["AudioFile", strawberry.lazy("schema.audio_file")] = strawberry.field(
        description="The sound."
    )
    score: float = strawberry.field(description="1 is the same sound, 0 is unrelated.")


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
                    cursor=encode_cursor(ORDER, row.key),
                    node=AudioFile.of(row.value.audio_file),
                    score=row.value.score,
                )
                for row in page.rows
            ],
            page_info=PageInfo.of(page, ORDER),
        )
