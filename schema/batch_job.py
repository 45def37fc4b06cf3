"""Many analyses at once, as clients see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

import strawberry

from resolvers.batch_jobs import (
    analyses_of_items,
    batch_items,
    count_batch_jobs,
    files_of_items,
)
from resolvers.scope import Scope
from resolvers.users import users
from samplemind.domain import batch_job as domain
from samplemind.domain.analysis import AnalysisLevel, AnalysisStatus
from samplemind.domain.paging import Page
from schema.analysis import Analysis
from schema.audio_file import AudioFile
from schema.context import Info
from schema.directives import Cost
from schema.failure import Failure
from schema.ids import encode_id
from schema.node import Node
from schema.paging import (
    PAGED,
    After,
    Before,
    First,
    Last,
    PageInfo,
    encode_cursor,
    window,
)
from schema.relation import relation
from schema.user import User
from schema.values import shown_as

_ITEMS = "batch-items"
ORDER = "batch-jobs"


@strawberry.type(description="One file of a batch job.")
class BatchItem:
    model: strawberry.Private[domain.BatchItem]
    status: AnalysisStatus = strawberry.field(description="How far its analysis is.")
    failure: Failure | None = strawberry.field(description="Why it failed, where it did.")

    @relation(description="The file; null where it was deleted.")
    @staticmethod
    async def audio_file(items: Sequence["BatchItem"], scope: Scope) -> list[AudioFile | None]:
        found = await files_of_items(scope, [item.model for item in items])
        return [file and AudioFile.of(file) for file in found]

    @relation(description="Its analysis; null where the file was deleted.")
    @staticmethod
    async def analysis(items: Sequence["BatchItem"], scope: Scope) -> list[Analysis | None]:
        found = await analyses_of_items(scope, [item.model for item in items])
        return [analysis and Analysis.of(analysis) for analysis in found]

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

    @relation(description="Whose it is.")
    @staticmethod
    async def owner(batches: Sequence["BatchJob"], scope: Scope) -> list[User | None]:
        owners = users(scope, [batch.model.owner_id for batch in batches])
        return [owner and User.of(owner) for owner in owners]

    @strawberry.field(
        description="Its files and how far each is, in the order of the batch.",
        directives=[PAGED],
    )
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

    @strawberry.field(
        description="How many there are in all, whatever the page.",
        directives=[Cost(weight="1")],
    )
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
