"""What can be read."""

import asyncio
from typing import Annotated, Any

import strawberry

import resolvers.ai
import resolvers.audio_files
import resolvers.audit
import resolvers.batch_jobs
import resolvers.nodes
import resolvers.rate_limit
import resolvers.similarity
import resolvers.users
from resolvers.scope import Scope
from resolvers.similarity import SimilarAudioFile
from samplemind.domain.errors import BadUserInput
from samplemind.domain.library import AudioFileFilter as DomainFilter
from samplemind.domain.library import AudioFileOrder as DomainOrder
from samplemind.domain.paging import Page, Window
from schema.ai import AiProvider
from schema.analysis import Analysis
from schema.audio_file import AudioFile, AudioFileConnection
from schema.audit_event import ORDER as AUDIT_EVENTS
from schema.audit_event import AuditEventConnection
from schema.batch_job import ORDER as BATCH_JOBS
from schema.batch_job import BatchJob, BatchJobConnection
from schema.context import Info
from schema.directives import Cost, list_size
from schema.ids import decode_id, decode_id_of
from schema.inputs import AudioFileFilter, AudioFileOrder, SimilarityTarget
from schema.library import LibraryStats
from schema.node import Node
from schema.paging import (
    DEFAULT_SIZE,
    MAX_SIZE,
    PAGED,
    PAGED_FORWARD,
    After,
    Before,
    First,
    Last,
    audio_file_order,
    window,
)
from schema.rate_limit import RateLimit
from schema.search import SearchQuery
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


async def _similar(
    scope: Scope, target: SimilarityTarget, asked: Window, wanted: DomainFilter | None
) -> Page[SimilarAudioFile]:
    if target.audio_file_id:
        field = ("target", "audioFileId")
        seed_id = decode_id_of("AudioFile", str(target.audio_file_id.value), field)
        seed = await resolvers.audio_files.audio_file(scope, seed_id)
        return await resolvers.similarity.similar_to(scope, seed, asked, wanted)
    if target.blend:
        blend = target.blend.value
        like, unlike = (
            [decode_id_of("AudioFile", id_, ("target", "blend", name)) for id_ in ids or ()]
            for name, ids in (("like", blend.like), ("unlike", blend.unlike))
        )
        return await resolvers.similarity.similar_to_blend(scope, like, unlike, asked, wanted)
    upload: Any = target.upload and target.upload.value
    if not hasattr(upload, "file"):
        message = "Send the file by a GraphQL multipart request, with null as its variable."
        raise BadUserInput(message, field=("target", "upload"))
    return await resolvers.similarity.similar_to_upload(
        scope, upload.file, upload.filename or "", asked, wanted
    )


@strawberry.type(description="What can be read. Everything here is the caller's own.")
class Query(SearchQuery):
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
        ids: Annotated[
            list[strawberry.ID],
            strawberry.argument(description=f"Their ids: {MAX_SIZE} at most."),
        ],
    ) -> list[Node | None]:
        if len(ids) > MAX_SIZE:
            message = f"`ids` names {len(ids)} things: {MAX_SIZE} is the most."
            raise BadUserInput(message, field=("ids",))
        pending = [asyncio.ensure_future(_node(info, id_, "ids")) for id_ in ids]
        return list(await asyncio.gather(*pending))

    @strawberry.field(description="Who is asking; null for an anonymous caller.")
    async def viewer(self, info: Info) -> User | None:
        viewer = resolvers.users.viewer(info.context)
        return viewer and User.of(viewer)

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
        name = audio_file_order(order)
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
        asked = window(SIMILAR, first, after)
        wanted = filter.to_domain() if filter else None
        page = await _similar(info.context, target, asked, wanted)
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

    @strawberry.field(
        description="Who can be asked about sounds, and whether they would answer. None is asked.",
        directives=[Cost(weight="1"), list_size(2)],
    )
    async def ai_providers(self, info: Info) -> list[AiProvider]:
        return shown_as(list[AiProvider], await resolvers.ai.ai_providers(info.context))

    @strawberry.field(
        description="What happened to everybody's accounts, the newest first: for admins.",
        directives=[PAGED],
    )
    async def audit_events(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> AuditEventConnection:
        asked = window(AUDIT_EVENTS, first, after, last, before)
        return AuditEventConnection.of(await resolvers.audit.audit_events(info.context, asked))

    @strawberry.field(description="What you may spend on operations, and what this one costs.")
    async def rate_limit(self, info: Info) -> RateLimit:
        allowance = await resolvers.rate_limit.allowance(info.context)
        return RateLimit.of(allowance, info.context.cost)
