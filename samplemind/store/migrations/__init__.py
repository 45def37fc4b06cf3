"""Documents of before, brought to what this version reads.

Each step has a number, which is stored when it is done. A step may be broken off and done again,
and two versions of SampleMind may run while it is: it adds what the new one reads and takes away
nothing that the old one needs. What nobody reads any more goes by a step of a later release.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import structlog
from pymongo.errors import DuplicateKeyError, PyMongoError

from samplemind.domain.ids import now
from samplemind.refusal import CannotStart
from samplemind.store.database import Database, connect
from samplemind.store.migrations import (
    m0001_standing,
    m0002_free_local_user,
    m0003_places,
    m0004_loudness,
    m0005_facets,
)

_log = structlog.get_logger(__name__)

Step = Callable[[Database], Awaitable[None]]

STEPS: tuple[Step, ...] = (
    m0001_standing.run,
    m0002_free_local_user.run,
    m0003_places.run,
    m0004_loudness.run,
    m0005_facets.run,
)

CURRENT = len(STEPS)
"""The version that this SampleMind reads and writes."""

# Who died over a step is not waited for longer.
_LEASE = timedelta(seconds=30)
_LOOK_SECONDS, _PING_SECONDS = 0.1, 1
_ID = "schema"
_FREE = "free"


class SchemaTooNew(CannotStart):
    """The documents are those of a later SampleMind."""


class Schema:
    """The version of what is stored, and the way to the present one."""

    def __init__(self, database: Database, steps: Sequence[Step] = STEPS) -> None:
        self._database, self._steps = database, steps
        self._schema = database["schema"]

    async def version(self) -> int:
        """0 for what was stored before there were versions, and for nothing."""
        document = await self._schema.find_one({"_id": _ID})
        return document["version"] if document else 0

    async def migrate(self, since: int | None = None) -> int:
        """Does what is to be done, in one process at a time: others wait. The version then.

        `since` says of which version documents have just been put in. Raises SchemaTooNew.
        """
        while True:
            document = await self._schema.find_one({"_id": _ID}) or await self._make()
            self.require_known(document["version"])
            first = document["version"] if since is None else min(since, document["version"])
            if first == len(self._steps):
                return first
            if (holder := await self._take(document)) is None:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            await self._run(holder, first)
            return len(self._steps)

    def require_known(self, version: int) -> None:
        """Raises SchemaTooNew."""
        if version > len(self._steps):
            raise SchemaTooNew(
                f"The documents are of version {version}, and this SampleMind knows "
                f"{len(self._steps)} at most: run the later one that made them, or restore the "
                "backup of before the upgrade."
            )

    async def _make(self) -> dict[str, Any]:
        document = {"_id": _ID, "version": 0, "lock": _FREE, "until": now()}
        try:
            await self._schema.insert_one(document)
        except DuplicateKeyError:
            return await self._schema.find_one({"_id": _ID}) or document
        return document

    async def _take(self, document: dict[str, Any]) -> str | None:
        """A name for this process, which is the only one then; None where another is at it."""
        if document["lock"] != _FREE and document["until"] > now():
            return None
        holder = secrets.token_hex(8)
        # Of several who have found it free, one alone still finds it as it was.
        as_it_was = {"_id": _ID, "lock": document["lock"], "version": document["version"]}
        change = {"$set": {"lock": holder, "until": now() + _LEASE}}
        taken = await self._schema.update_one(as_it_was, change)
        return holder if taken.modified_count else None

    async def _run(self, holder: str, first: int) -> None:
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(self._keep(holder))
            try:
                for number in range(first + 1, len(self._steps) + 1):
                    _log.info("documents are migrated", to=number)
                    await self._steps[number - 1](self._database)
                    await self._write(holder, {"version": number})
            finally:
                keeping.cancel()
                await self._schema.update_one(
                    {"_id": _ID, "lock": holder}, {"$set": {"lock": _FREE}}
                )

    async def _keep(self, holder: str) -> None:
        while True:
            await asyncio.sleep(_LEASE.total_seconds() / 3)
            await self._write(holder, {"until": now() + _LEASE})

    async def _write(self, holder: str, change: dict[str, Any]) -> None:
        result = await self._schema.update_one({"_id": _ID, "lock": holder}, {"$set": change})
        if not result.matched_count:
            raise RuntimeError("Another process has taken over, since this one did not answer.")


async def migrated(url: str, seconds: float = 60) -> None:
    """Waits for the documents to answer, and for whoever brings them to the present version: this
    process, if it is no other. Raises CannotStart."""
    client, database = connect(url)
    until = asyncio.get_running_loop().time() + seconds
    while not await _answers(database):
        if asyncio.get_running_loop().time() > until:
            why = f"The documents do not answer in {seconds:g} s"
            raise CannotStart(f"{why}: see that MongoDB runs and SAMPLEMIND_MONGO_URL is right.")
        await asyncio.sleep(_LOOK_SECONDS)
    try:
        await Schema(database).migrate()
    finally:
        client.close()


async def _answers(database: Database) -> bool:
    try:
        await asyncio.wait_for(database.command("ping"), _PING_SECONDS)
    except (PyMongoError, TimeoutError):
        return False
    return True
