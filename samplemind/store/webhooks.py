"""Webhooks."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from pymongo import ReturnDocument

from samplemind.domain.webhook import Webhook
from samplemind.store.database import Database, Document, scoped, within

_webhook = TypeAdapter(Webhook)


def _load(document: Document) -> Webhook:
    return _webhook.validate_python({**document, "id": document["_id"]})


class Webhooks:
    """Every read takes the owner."""

    def __init__(self, database: Database) -> None:
        self._webhooks = database["webhooks"]

    async def prepare(self) -> None:
        """Makes the indexes; safe to call at every start."""
        await self._webhooks.create_index("key", unique=True)

    async def add(self, webhook: Webhook) -> None:
        document = _webhook.dump_python(webhook)
        key = scoped(webhook.owner_id, webhook.id)
        await self._webhooks.insert_one({"_id": document.pop("id"), **document, "key": key})

    async def by_ids(self, owner_id: str, ids: Sequence[str]) -> list[Webhook | None]:
        """In the order of `ids`, None where the owner has no such webhook."""
        keys = [scoped(owner_id, id_) for id_ in ids]
        documents = await self._webhooks.find({"key": {"$in": keys}}).to_list(None)
        found = {document["_id"]: _load(document) for document in documents}
        return [found.get(id_) for id_ in ids]

    async def of_owner(self, owner_id: str) -> list[Webhook]:
        """The oldest first."""
        cursor = self._webhooks.find({"key": within(scoped(owner_id, ""))}).sort("key")
        return [_load(document) async for document in cursor]

    async def count(self, owner_id: str) -> int:
        return await self._webhooks.count_documents({"key": within(scoped(owner_id, ""))})

    async def change(self, owner_id: str, id_: str, **fields: Any) -> Webhook | None:
        """Sets these fields; None where the owner has no such webhook."""
        return await self._change(owner_id, id_, {"$set": fields})

    async def fail(self, owner_id: str, id_: str) -> Webhook | None:
        """After a delivery was given up: counts it."""
        return await self._change(owner_id, id_, {"$inc": {"failures": 1}})

    async def remove(self, owner_id: str, id_: str) -> Webhook | None:
        """What is no more; None where the owner has no such webhook."""
        document = await self._webhooks.find_one_and_delete({"key": scoped(owner_id, id_)})
        return _load(document) if document else None

    async def forget_owner(self, owner_id: str) -> None:
        """Removes all of an owner's."""
        await self._webhooks.delete_many({"key": within(scoped(owner_id, ""))})

    async def _change(self, owner_id: str, id_: str, change: Document) -> Webhook | None:
        document = await self._webhooks.find_one_and_update(
            {"key": scoped(owner_id, id_)}, change, return_document=ReturnDocument.AFTER
        )
        return _load(document) if document else None
