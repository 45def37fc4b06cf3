"""What sounds alike, as clients see it."""

from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from resolvers.audio_files import audio_file
from samplemind.domain.paging import Page
from samplemind.vectors import Neighbour
from schema.context import Info
from schema.paging import PageInfo, encode_cursor

if TYPE_CHECKING:
    from schema.audio_file import AudioFile

ORDER = "similar"


@strawberry.type(description="A sound that is alike.")
class SimilarAudioFileEdge:
    neighbour: strawberry.Private[Neighbour]
    cursor: str = strawberry.field(description="Pass it as `after`.")
    score: float = strawberry.field(description="1 is the same sound, 0 is unrelated.")

    @strawberry.field(description="The sound.")
    async def node(
        self, info: Info
    ) -> Annotated["AudioFile", strawberry.lazy("schema.audio_file")]:
        from schema.audio_file import AudioFile

        return AudioFile.of(await audio_file(info.context, self.neighbour.audio_file_id))


@strawberry.type(description="A page of sounds that are alike, the likest first.")
class SimilarAudioFileConnection:
    edges: list[SimilarAudioFileEdge] = strawberry.field(description="The page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def of(cls, page: Page[Neighbour]) -> Self:
        return cls(
            edges=[
                SimilarAudioFileEdge(
                    neighbour=row.value,
                    cursor=encode_cursor(ORDER, row.key),
                    score=row.value.score,
                )
                for row in page.rows
            ],
            page_info=PageInfo.of(page, ORDER),
        )
