"""Many analyses at once, as clients see them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from resolvers.batch_jobs import batch_items, count_batch_jobs
from resolvers.users import user
from samplemind.domain import batch_job as domain
from samplemind.domain.analysis import AnalysisLevel, AnalysisStatus
from samplemind.domain.paging import Page
from schema.analysis import Analysis, Failure
from schema.audio_file import AudioFile
from schema.context import Info
from schema.ids import encode_id
from schema.node import Node
from schema.paging import After, Before, First, Last, PageInfo, encode_cursor, window
from schema.user import User
from schema.values import shown_as

_ITEMS = "batch-items"
ORDER = "batch-jobs"


@strawberry.type(description="One file of a batch job.")
class BatchItem:
    model: strawberry.Private[domain.BatchItem]
    status: AnalysisStatus = strawberry.field(description="How far its analysis is.")
    failure: Failure | None = strawberry.field(description="Why it failed, where it did.")

    @strawberry.field(description="The file; null where it was deleted.")
    async def audio_file(self, info: Info) -> AudioFile | None:
        found = await info.context.loaders.audio_files_by_id.load(self.model.audio_file_id)
        return AudioFile.of(found) if found else None

    @strawberry.field(description="Its analysis; null where the file was deleted.")
    async def analysis(self, info: Info) -> Analysis | None:
        loaders = info.context.loaders
        if await loaders.audio_files_by_id.load(self.model.audio_file_id) is None:
            return None
        found = await loaders.analyses_by_id.load(self.model.analysis_id)
        return Analysis.of(found) if found else None

    @classmethod
    def of(cls, model: domain.BatchItem) -> Self:
        failure = shown_as(Failure, model.failure)
        return cls(model=model, status=model.status, failure=failure)


@strawberry.type(description="An item in a list.")
class BatchItemEdge:
    cursor: str = strawberry.field(description="Pass it as `after` or `before`.")
    node: BatchItem = strawberry.field(description="The item.")


@strawberry.type(description="A page of items.")
class BatchItemConnection:
    edges: list[BatchItemEdge] = strawberry.field(description="The page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def of(cls, page: Page[domain.BatchItem], order: str) -> Self:
        return cls(
            edges=[
                BatchItemEdge(cursor=encode_cursor(order, row.key), node=BatchItem.of(row.value))
                for row in page.rows
            ],
            page_info=PageInfo.of(page, order),
        )


@strawberry.type(description="Many analyses asked for at once.")
class BatchJob(Node):
    model: strawberry.Private[domain.BatchJob]
    status: domain.BatchStatus = strawberry.field(description="How far it is.")
    level: AnalysisLevel = strawberry.field(description="How much is asked of each sound.")
    total: int = strawberry.field(description="How many items it has.")
    completed: int = strawberry.field(description="How many have succeeded.")
    failed: int = strawberry.field(description="How many have failed.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    updated_at: datetime = strawberry.field(description="When it last moved.")
    finished_at: datetime | None = strawberry.field(description="When it ended.")

    @strawberry.field(description="Whose it is.")
    async def owner(self, info: Info) -> User | None:
        owner = await user(info.context, self.model.owner_id)
        return User.of(owner) if owner else None

    @strawberry.field(description="Its files and how far each is, in the order of the batch.")
    async def items(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        status: Annotated[
            AnalysisStatus | None, strawberry.argument(description="Only items of this status.")
        ] = None,
    ) -> BatchItemConnection:
        asked = window(_ITEMS, first, after, last, before)
        page = await batch_items(info.context, self.model, asked, status)
        return BatchItemConnection.of(page, _ITEMS)

    @classmethod
    def of(cls, model: domain.BatchJob) -> Self:
        return cls(
            id=encode_id("BatchJob", model.id),
            model=model,
            status=model.status,
            level=model.level,
            total=model.total,
            completed=model.completed,
            failed=model.failed,
            created_at=model.created_at,
            updated_at=model.updated_at,
            finished_at=model.finished_at,
        )


@strawberry.type(description="A batch job in a list.")
class BatchJobEdge:
    cursor: str = strawberry.field(description="Pass it as `after` or `before`.")
    node: BatchJob = strawberry.field(description="The batch job.")


@strawberry.type(description="A page of batch jobs, the newest first.")
class BatchJobConnection:
    edges: list[BatchJobEdge] = strawberry.field(description="The page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @strawberry.field(description="How many there are in all, whatever the page.")
    async def total_count(self, info: Info) -> int:
        return await count_batch_jobs(info.context)

    @classmethod
    def of(cls, page: Page[domain.BatchJob]) -> Self:
        return cls(
            edges=[
                BatchJobEdge(cursor=encode_cursor(ORDER, row.key), node=BatchJob.of(row.value))
                for row in page.rows
            ],
            page_info=PageInfo.of(page, ORDER),
        )


@strawberry.type(description="A batch job right after one of its changes.")
class BatchProgress:
    sequence: int = strawberry.field(
        description="The number of the change, from 1 without a gap: pass the last one seen as "
        "`afterSequence` to go on after a lost connection."
    )
    batch_job: BatchJob = strawberry.field(description="The batch job right after the change.")
    item: BatchItem | None = strawberry.field(
        description="What has changed; null where many items moved at once."
    )

    @classmethod
    def of(cls, model: domain.BatchProgress) -> Self:
        return cls(
            sequence=model.sequence,
            batch_job=BatchJob.of(model.batch_job),
            item=BatchItem.of(model.item) if model.item else None,
        )
