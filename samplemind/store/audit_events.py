"""What happened to accounts: written once, never changed."""

from pydantic import TypeAdapter

from samplemind.domain.audit_event import AuditEvent
from samplemind.domain.paging import Page, Window
from samplemind.store.database import Database, Document
from samplemind.store.pages import read_page

_event = TypeAdapter(AuditEvent)


def _load(document: Document) -> AuditEvent:
    return _event.validate_python({**document, "id": document["_id"]})


class AuditEvents:
    """Everybody's, for admins alone."""

    def __init__(self, database: Database) -> None:
        self._events = database["audit_events"]

    async def prepare(self) -> None:
        """Makes the indexes; safe to call at every start."""
        await self._events.create_index("key", unique=True)
        await self._events.create_index("user_id", sparse=True)

    async def add(self, event: AuditEvent) -> None:
        document = _event.dump_python(event)
        id_ = document.pop("id")
        await self._events.insert_one({"_id": id_, **document, "key": id_})

    async def page(self, window: Window) -> Page[AuditEvent]:
        """Newest first."""
        return await read_page(
            self._events, field="key", prefix="", window=window, load=_load, descending=True
        )

    async def forget_user(self, user_id: str) -> None:
        await self._events.delete_many({"user_id": user_id})
