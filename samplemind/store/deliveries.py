"""Deliveries, and when each is to be looked after."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from samplemind.domain.delivery import Delivery, DeliveryStatus
from samplemind.domain.paging import Page, Window
from samplemind.store.database import END, Database, Document, scoped, within
from samplemind.store.pages import read_page, read_pages

_delivery = TypeAdapter(Delivery)
_PENDING = DeliveryStatus.PENDING


def _load(document: Document) -> Delivery:
    return _delivery.validate_python({**document, "id": document["_id"]})


def _moment(moment: datetime) -> str:
    """Sorts as the time does."""
    return f"{moment.timestamp():014.3f}"


def _due(id_: str, moment: datetime) -> Document:
    """`due` is the schedule, and what a conditional write takes: who has changed it is the one."""
    return {"due": f"{_moment(moment)}:{id_}", "due_at": moment}


def _status(owner_id: str, target: str, id_: str, status: DeliveryStatus) -> Document:
    return {"status": status.value, "by_status": scoped(owner_id, target, status.value, id_)}


class Deliveries:
    """Reads for a caller take the owner."""

    def __init__(self, database: Database) -> None:
        self._deliveries = database["deliveries"]

    async def prepare(self) -> None:
        """Makes the indexes; safe to call at every start."""
        await self._deliveries.create_index("key", unique=True)
        await self._deliveries.create_index("once", unique=True)
        await self._deliveries.create_index("by_target", unique=True)
        await self._deliveries.create_index("by_status", unique=True)
        await self._deliveries.create_index("due", sparse=True)
        await self._deliveries.create_index("created_at")

    async def add(self, delivery: Delivery, happening_id: str, due_at: datetime) -> bool:
        """Stores it, to be sent at once and looked after at `due_at`. False where the target is
        told of this happening already."""
        document = _delivery.dump_python(delivery)
        id_, owner_id, target = document.pop("id"), delivery.owner_id, delivery.target
        document |= {
            "_id": id_,
            "key": scoped(owner_id, id_),
            "once": scoped(owner_id, target, happening_id),
            "by_target": scoped(owner_id, target, id_),
            "not_before": delivery.created_at,
            **_status(owner_id, target, id_, delivery.status),
            **_due(id_, due_at),
        }
        try:
            await self._deliveries.insert_one(document)
        except DuplicateKeyError:
            return False
        return True

    async def by_id(self, owner_id: str, id_: str) -> Delivery | None:
        document = await self._deliveries.find_one({"key": scoped(owner_id, id_)})
        return _load(document) if document else None

    async def pages(
        self, owner_id: str, targets: Sequence[str], window: Window, status: DeliveryStatus | None
    ) -> list[Page[Delivery]]:
        """The same page of many targets, by two commands at most. Newest first."""
        field = "by_status" if status else "by_target"
        rest = (status.value, "") if status else ("",)
        prefixes = [scoped(owner_id, target, *rest) for target in targets]
        shared: Any = {"field": field, "window": window, "load": _load, "descending": True}
        if len(prefixes) == 1:
            return [await read_page(self._deliveries, prefix=prefixes[0], **shared)]
        keys: dict[str, list[str]] = {prefix: [] for prefix in prefixes}
        own = {field: within(scoped(owner_id, ""))}
        async for row in self._deliveries.find(own, {field: 1}).sort(field):
            prefix, _, key = row[field].rpartition(":")
            if (found := keys.get(f"{prefix}:")) is not None:
                found.append(key)
        return await read_pages(self._deliveries, keys=list(keys.items()), **shared)

    async def count_since(self, owner_id: str, target: str, id_: str) -> int:
        """How many of a target's are newer than this id."""
        low = scoped(owner_id, target, id_)
        bounds = {"$gt": low, "$lt": scoped(owner_id, target, END)}
        return await self._deliveries.count_documents({"by_target": bounds})

    async def start(self, id_: str, now: datetime, until: datetime) -> Delivery | None:
        """Makes the caller the only one who sends it, until then; None where it has ended, is not
        yet to be sent, or somebody else is at it. Counts the attempt."""
        found = await self._deliveries.find_one({"_id": id_})
        if found is None or found["status"] != _PENDING.value or found["not_before"] > now:
            return None
        # Of several who have found it due, one alone still finds it as it was.
        change = {**_due(id_, until), "not_before": until, "last_attempt_at": now}
        document = await self._deliveries.find_one_and_update(
            {"due": found["due"]},
            {"$set": change, "$inc": {"attempts": 1}},
            return_document=ReturnDocument.AFTER,
        )
        return _load(document) if document else None

    async def end(self, delivery: Delivery, status: DeliveryStatus, **said: Any) -> bool:
        """After an attempt of the caller's, which is the last. False where it was another's."""
        state = _status(delivery.owner_id, delivery.target, delivery.id, status)
        change = {"$set": {**state, **said, "due_at": None}, "$unset": {"due": ""}}
        return await self._move(delivery, change)

    async def wait(self, delivery: Delivery, until: datetime, **said: Any) -> bool:
        """After an attempt of the caller's: there is another one then."""
        change = {**_due(delivery.id, until), "not_before": until, **said}
        return await self._move(delivery, {"$set": change})

    async def again(self, owner_id: str, id_: str, now: datetime, due_at: datetime) -> None:
        """Begins anew, whatever has become of it."""
        if delivery := await self.by_id(owner_id, id_):
            state = _status(owner_id, delivery.target, id_, _PENDING)
            anew = {**state, **_due(id_, due_at), "not_before": now, "attempts": 0, "error": None}
            await self._deliveries.update_one({"key": scoped(owner_id, id_)}, {"$set": anew})

    async def take_due(self, now: datetime, until: datetime, most: int) -> list[str]:
        """Everybody's that are due, the longest first: they are the caller's to queue, and due
        again by `until`."""
        cursor = self._deliveries.find({"due": {"$lt": _moment(now)}}, {"due": 1}).sort("due")
        taken = []
        for row in await cursor.limit(most).to_list(most):
            later = {"$set": _due(row["_id"], until)}
            result = await self._deliveries.update_one({"due": row["due"]}, later)
            if result.modified_count:
                taken.append(row["_id"])
        return taken

    async def forget_before(self, moment: datetime) -> None:
        """Removes everybody's that were made before."""
        await self._deliveries.delete_many({"created_at": {"$lt": moment}})

    async def forget_target(self, owner_id: str, target: str) -> None:
        await self._deliveries.delete_many({"by_target": within(scoped(owner_id, target, ""))})

    async def forget_owner(self, owner_id: str) -> None:
        """Removes all of an owner's."""
        await self._deliveries.delete_many({"key": within(scoped(owner_id, ""))})

    async def _move(self, delivery: Delivery, change: Document) -> bool:
        if delivery.due_at is None:
            return False
        due = _due(delivery.id, delivery.due_at)["due"]
        return (await self._deliveries.update_one({"due": due}, change)).modified_count > 0
