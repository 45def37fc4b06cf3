"""What can be read."""

import asyncio
from typing import Annotated

import strawberry

import resolvers.audio_files
import resolvers.batch_jobs
import resolvers.nodes
import resolvers.rate_limit
import resolvers.similarity
from samplemind.domain.library import AudioFileOrder as DomainOrder
from schema.analysis import Analysis
from schema.audio_file import AudioFile, AudioFileConnection
from schema.batch_job import ORDER as BATCH_JOBS
from schema.batch_job import BatchJob, BatchJobConnection
from schema.context import Info
from schema.directives import Cost, list_size
from schema.ids import decode_id, decode_id_of
from schema.inputs import AudioFileFilter, AudioFileOrder, SimilarityTarget
from schema.library import LibraryStats
from schema.node import Node
from schema.paging import DEFAULT_SIZE, PAGED, PAGED_FORWARD, After, Before, First, Last, window
from schema.rate_limit import RateLimit
from schema.similarity import COST as SIMILAR_COST
from schema.similarity import ORDER as SIMILAR
from schema.similarity import SimilarAudioFileConnection
from schema.user import User
from schema.values import shown_as

Filter = Annotated[
    AudioFileFilter | None, strawberry.argument(description="Only files that match.")
]

_NODE_TYPES = {"AudioFile": AudioFile, "Analysis": Analysis, "BatchJob": BatchJob, "User": User}


async def _node(info: Info, id_: str, field: str) -> Node | None:
    type_name, model_id = decode_id(id_, (field,))
    model = await resolvers.nodes.node(info.context, type_name, model_id)
    return _NODE_TYPES[type_name].of(model) if model else None  # pyright: ignore


@strawberry.type(description="What can be read. Everything here is the caller's own.")
class Query:
    @strawberry.field(description="Anything by its id; null where there is no such thing.")
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Its id.")],
    ) -> Node | None:
        return await _node(info, id, "id")

    @strawberry.field(
        description="Many things by their ids, in that order; null where missing.",
        directives=[list_size(DEFAULT_SIZE, "ids")],
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Their ids.")],
    ) -> list[Node | None]:
        pending = [asyncio.ensure_future(_node(info, id_, "ids")) for id_ in ids]
        return list(await asyncio.gather(*pending))

    @strawberry.field(description="Who is asking; null for an anonymous caller.")
    async def viewer(self, info: Info) -> User | None:
        return User.of(info.context.viewer)

    @strawberry.field(description="The library, a page at a time.", directives=[PAGED])
    async def audio_files(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Filter = None,
        order_by: Annotated[
            AudioFileOrder | None,
            strawberry.argument(description="The newest upload first by default."),
        ] = None,
    ) -> AudioFileConnection:
        order = order_by.to_domain() if order_by else DomainOrder()
        wanted = filter.to_domain() if filter else None
        name = f"audio-files {order.field.value} {'DESC' if order.descending else 'ASC'}"
        asked = window(name, first, after, last, before)
        page = await resolvers.audio_files.audio_files(info.context, asked, order, wanted)
        return AudioFileConnection.of(page, name, wanted)

    @strawberry.field(description="The batch jobs, the newest first.", directives=[PAGED])
    async def batch_jobs(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> BatchJobConnection:
        asked = window(BATCH_JOBS, first, after, last, before)
        return BatchJobConnection.of(await resolvers.batch_jobs.batch_jobs(info.context, asked))

    @strawberry.field(
        description="What sounds like the target, the likest first, without it.",
        directives=[SIMILAR_COST, PAGED_FORWARD],
    )
    async def similar_to(
        self,
        info: Info,
        target: Annotated[
            SimilarityTarget, strawberry.argument(description="What to find the likes of.")
        ],
        first: First = None,
        after: After = None,
        filter: Filter = None,
    ) -> SimilarAudioFileConnection:
        field = ("target", "audioFileId")
        seed_id = decode_id_of("AudioFile", str(target.audio_file_id.value), field)  # pyright: ignore
        asked = window(SIMILAR, first, after)
        wanted = filter.to_domain() if filter else None
        seed = await resolvers.audio_files.audio_file(info.context, seed_id)
        page = await resolvers.similarity.similar_to(info.context, seed, asked, wanted)
        return SimilarAudioFileConnection.of(page)

    @strawberry.field(description="The library in numbers.", directives=[Cost(weight="50")])
    async def library_stats(
        self,
        info: Info,
        filter: Filter = None,
    ) -> LibraryStats:
        wanted = filter.to_domain() if filter else None
        stats = await resolvers.audio_files.library_stats(info.context, wanted)
        return shown_as(LibraryStats, stats)

    @strawberry.field(description="What you may spend on operations, and what this one costs.")
    async def rate_limit(self, info: Info) -> RateLimit:
        allowance = await resolvers.rate_limit.allowance(info.context)
        return RateLimit.of(allowance, info.context.cost)
