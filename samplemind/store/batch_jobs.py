"""Batch jobs and the log of their changes.

A batch counts its items by their steps, and a worker may die between a step and its count: then
the items are counted anew. The batch's `epoch` numbers such counts. Who takes a step reads it
before, and counts the step only while it is still the same: otherwise the new count may hold the
step already. The field `counting` holds the id and the epoch in one indexed string.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import TypeAdapter
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from samplemind.domain.batch_job import BatchItem, BatchJob, BatchProgress
from samplemind.domain.paging import Page, Window
from samplemind.store.database import END, Database, Document, scoped, within
from samplemind.store.pages import read_page

_batch_job = TypeAdapter(BatchJob)
_progress = TypeAdapter(BatchProgress)


def _counting(id_: str, epoch: int) -> str:
    return f"{id_}:{epoch}"


def _load(document: Document) -> BatchJob:
    return _batch_job.validate_python({**document, "id": document["_id"]})


class BatchJobs:
    """The batches. Reads for a caller take the owner."""

    def __init__(self, database: Database) -> None:
        self._batches = database["batch_jobs"]
        self._changes = database["batch_changes"]

    async def prepare(self) -> None:
        """Makes the indexes; safe to call at every start."""
        await self._batches.create_index("key", unique=True)
        await self._batches.create_index("request", unique=True, sparse=True)
        await self._batches.create_index("counting", unique=True, sparse=True)
        await self._changes.create_index("key", unique=True)

    async def add(self, batch: BatchJob) -> BatchJob:
        """Stores the batch, or answers the one made with the same idempotency key."""
        document = _batch_job.dump_python(batch)
        document |= {"_id": document.pop("id"), "key": scoped(batch.owner_id, batch.id)}
        document |= {"epoch": 0, "counting": _counting(batch.id, 0)}
        request = batch.idempotency_key
        if request is not None:
            document["request"] = scoped(batch.owner_id, request)
        try:
            await self._batches.insert_one(document)
        except DuplicateKeyError:
            existing = request and await self.by_idempotency_key(batch.owner_id, request)
            if not existing:
                raise
            return existing
        return batch

    async def by_idempotency_key(self, owner_id: str, key: str) -> BatchJob | None:
        document = await self._batches.find_one({"request": scoped(owner_id, key)})
        return _load(document) if document else None

    async def by_ids(self, owner_id: str, ids: Sequence[str]) -> list[BatchJob | None]:
        """In the order of `ids`, None where the owner has no such batch."""
        keys = [scoped(owner_id, id_) for id_ in ids]
        documents = await self._batches.find({"key": {"$in": keys}}).to_list(None)
        found = {document["_id"]: _load(document) for document in documents}
        return [found.get(id_) for id_ in ids]

    async def page(self, owner_id: str, window: Window) -> Page[BatchJob]:
        """Newest first."""
        return await read_page(
            self._batches,
            field="key",
            prefix=scoped(owner_id, ""),
            window=window,
            load=_load,
            descending=True,
        )

    async def count(self, owner_id: str) -> int:
        prefix = scoped(owner_id, "")
        return await self._batches.count_documents({"key": {"$gt": prefix, "$lt": prefix + END}})

    async def forget_owner(self, owner_id: str) -> None:
        """Removes all of an owner's, with their changes."""
        own = {"key": within(scoped(owner_id, ""))}
        async for row in self._batches.find(own, {"_id": 1}):
            await self._changes.delete_many({"key": within(f"{row['_id']}:")})
        await self._batches.delete_many(own)

    async def epoch(self, batch_id: str) -> int | None:
        """To be read before a step of an item is stored; None where there is no such batch."""
        document = await self._batches.find_one({"_id": batch_id}, {"epoch": 1})
        return document.get("epoch", 0) if document else None

    async def advance(
        self, batch_id: str, epoch: int, counts: dict[str, int], item: BatchItem | None
    ) -> BatchProgress | None:
        """Adds `counts` (by state, e.g. queued -1, running +1) and logs the change; None where
        all items have been counted since `epoch`.

        One atomic write changes the counts and gives the change its number, so the numbers
        and the counts that go with them agree whoever else advances the batch.
        """
        change = {"$inc": {**counts, "sequence": 1}, "$set": {"updated_at": datetime.now(UTC)}}
        document = await self._change(batch_id, epoch, change)
        return await self._logged(document, item) if document else None

    async def recounted(
        self, batch: BatchJob, epoch: int, counts: dict[str, int]
    ) -> BatchProgress | None:
        """Sets the counts, and begins another epoch; None where the batch was advanced since
        `batch` was read."""
        fields = {
            **counts,
            "sequence": batch.sequence + 1,
            "epoch": epoch + 1,
            "counting": _counting(batch.id, epoch + 1),
            "updated_at": datetime.now(UTC),
        }
        # One atomic write, found by one indexed field alone.
        unmoved = {"$eq": ["$sequence", batch.sequence]}
        change = {
            name: {"$cond": [unmoved, {"$literal": value}, f"${name}"]}
            for name, value in fields.items()
        }
        document = await self._change(batch.id, epoch, [{"$set": change}])
        if document is None or document["epoch"] == epoch:
            return None
        return await self._logged(document, None)

    async def _change(
        self, batch_id: str, epoch: int, change: Document | Sequence[Document]
    ) -> Document | None:
        return await self._batches.find_one_and_update(
            {"counting": _counting(batch_id, epoch)},
            change,
            return_document=ReturnDocument.AFTER,
        )

    async def _logged(self, document: Document, item: BatchItem | None) -> BatchProgress:
        batch = _load(document)
        progress = BatchProgress(batch.sequence, batch, item)
        await self.log(progress)
        return progress

    async def ids(self, owner_id: str) -> list[str]:
        """All of an owner's batches, the oldest first."""
        rows = self._batches.find({"key": within(scoped(owner_id, ""))}, {"_id": 1}).sort("key")
        return [row["_id"] async for row in rows]

    async def to_count(self, batch_id: str) -> tuple[BatchJob, int] | None:
        """Anybody's batch, and its epoch: for workers."""
        document = await self._batches.find_one({"_id": batch_id})
        return (_load(document), document.get("epoch", 0)) if document else None

    async def log(self, progress: BatchProgress) -> None:
        key = f"{progress.batch_job.id}:{progress.sequence:08d}"
        await self._changes.insert_one({"key": key, **_progress.dump_python(progress)})

    async def changes(self, batch_id: str, after: int) -> list[BatchProgress]:
        """The logged changes whose number is above `after`, in order."""
        bounds = {"$gt": f"{batch_id}:{after:08d}", "$lt": f"{batch_id}:{END}"}
        documents = await self._changes.find({"key": bounds}).sort("key").to_list(None)
        return [_progress.validate_python(document) for document in documents]
