"""Where analyses stand that are not done with.

Such an analysis has a `place`: one indexed string of its stage, its lane, its owner and its id, so
that it sorts by age. A range of places is all that asks for work, or looks for what got lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from pymongo import UpdateOne

from samplemind.domain.analysis import Analysis, AnalysisStatus, Lane
from samplemind.store.database import END, Database, Document, scoped, within

_TOGETHER = 10_000


class Stage(StrEnum):
    """How far an analysis has come."""

    MAKING = "making"
    """An item of a batch that is not stored yet."""

    WAITING = "waiting"
    """In the documents alone."""

    SENT = "sent"
    """In the queue too."""

    RUNNING = "running"

    ENDED = "ended"
    """Not all that follows from its end is done."""


STAGES = {
    AnalysisStatus.QUEUED: Stage.WAITING,
    AnalysisStatus.RUNNING: Stage.RUNNING,
    AnalysisStatus.SUCCEEDED: Stage.ENDED,
    AnalysisStatus.FAILED: Stage.ENDED,
    AnalysisStatus.CANCELLED: Stage.ENDED,
}
"""Where an analysis stands that has just come to a status."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An analysis that is not done with; `batch_id` is of an item of a batch."""

    id: str
    lane: Lane
    owner_id: str
    batch_id: str | None


def placed(analysis: Analysis, stage: Stage) -> Document:
    """The fields that put it there."""
    return _fields(scoped(stage, analysis.lane, analysis.owner_id, analysis.id))


def _fields(place: str | Document) -> Document:
    return {"place": place, "placed_at": datetime.now(UTC)}


def _at(stage: Stage, *rest: str) -> Document:
    """The condition of a stage, and of a lane and an owner in it."""
    return {"place": within(scoped(stage, *rest, ""))}


class Places:
    """For workers: of everybody."""

    def __init__(self, database: Database) -> None:
        self._analyses = database["analyses"]

    async def prepare(self) -> None:
        """Makes the indexes; safe to call at every start."""
        await self._analyses.create_index("place", sparse=True)

    async def files(self) -> set[str]:
        """The files of all analyses that are not done with."""
        cursor = self._analyses.find({"place": {"$gt": ""}}, {"audio_file_id": 1})
        return {document["audio_file_id"] async for document in cursor}

    async def count_pending(self, owner_id: str) -> int:
        """How many of an owner's are queued or running."""
        stages = (Stage.WAITING, Stage.SENT, Stage.RUNNING)
        places = [_at(stage, lane, owner_id) for stage in stages for lane in Lane]
        return sum([await self._analyses.count_documents(place) for place in places])

    async def count_sent(self, lane: Lane, owner_id: str) -> int:
        """How many of an owner's wait in the queue."""
        return await self._analyses.count_documents(_at(Stage.SENT, lane, owner_id))

    async def owners_waiting(self, lane: Lane) -> list[str]:
        """Who has analyses that are not sent to the queue yet."""
        owners: list[str] = []
        low, high = scoped(Stage.WAITING, lane, ""), scoped(Stage.WAITING, lane, END)
        while True:
            after = {"place": {"$gt": low, "$lt": high}}
            row = await self._analyses.find_one(after, {"place": 1}, sort=[("place", 1)])
            if row is None:
                return owners
            owners.append(row["place"].split(":")[2])
            low = scoped(Stage.WAITING, lane, owners[-1], END)

    async def claim(self, lane: Lane, owner_id: str, count: int) -> list[str]:
        """Marks the oldest of an owner's that wait as sent, `count` at most; answers which.

        Two who claim at once may both be answered an id: to send it twice does no harm.
        """
        waiting = self._analyses.find(_at(Stage.WAITING, lane, owner_id), {"place": 1})
        rows = await waiting.sort("place").limit(count).to_list(count)
        changes = []
        for row in rows:
            change = {"$set": _fields(scoped(Stage.SENT, lane, owner_id, row["_id"]))}
            changes.append(UpdateOne({"place": row["place"]}, change))
        if changes:
            await self._analyses.bulk_write(changes, ordered=False)
        return [row["_id"] for row in rows]

    async def release_batch(self, owner_id: str, batch_id: str) -> None:
        """The batch is stored: its items may be worked on."""
        of_batch = {"by_batch": within(scoped(owner_id, batch_id, ""))}
        place = {"$concat": [scoped(Stage.WAITING, Lane.BATCH, owner_id, ""), "$_id"]}
        await self._analyses.update_many(of_batch, [{"$set": _fields(place)}])

    async def sent_again(self, ids: Sequence[str]) -> None:
        change = {"$set": {"placed_at": datetime.now(UTC)}}
        await self._analyses.update_many({"_id": {"$in": list(ids)}}, change)

    async def since_before(self, stage: Stage, moment: datetime) -> list[Placed]:
        """What has been at this stage since before `moment`."""
        found: list[Placed] = []
        fields = {"place": 1, "placed_at": 1, "batch_id": 1}
        async for row in self._analyses.find(_at(stage), fields):
            if row["placed_at"] < moment:
                _, lane, owner_id, id_ = row["place"].split(":")
                found.append(Placed(id_, Lane(lane), owner_id, row.get("batch_id")))
        return found

    async def count_at(self, stage: Stage, lane: Lane) -> int:
        """How many of everybody's."""
        return await self._analyses.count_documents(_at(stage, lane))

    async def oldest_queued_at(self) -> datetime | None:
        """Since when that has been asked for which waits longest; None where nothing waits.

        Of what is in the queue, where the oldest of each owner is.
        """
        rows = self._analyses.find(_at(Stage.SENT), {"queued_at": 1})
        return min([row["queued_at"] async for row in rows], default=None)

    async def leave(self, ids: Sequence[str]) -> None:
        """They have ended, and all that follows from it is done."""
        change = {"$unset": {"place": "", "placed_at": ""}}
        final = [status for status in AnalysisStatus if status.is_final]
        # A command holds 16 MB, and a batch may have any number.
        for start in range(0, len(ids), _TOGETHER):
            some = ids[start : start + _TOGETHER]
            # Not if they were queued again meanwhile.
            states = [f"{id_}:{status}" for id_ in some for status in final]
            await self._analyses.update_many({"state": {"$in": states}}, change)
