"""What each user's questions to AI providers took, by day."""

from dataclasses import asdict
from datetime import date

from pydantic import TypeAdapter

from samplemind.domain.ai import AiUsage
from samplemind.store.database import Database, scoped, within

_usage = TypeAdapter(AiUsage)


class AiUsages:
    """A row an owner and day (UTC)."""

    def __init__(self, database: Database) -> None:
        self._usages = database["ai_usages"]

    async def prepare(self) -> None:
        """Makes the indexes; safe to call at every start."""
        await self._usages.create_index("key", unique=True)

    async def of(self, owner_id: str, day: date) -> AiUsage:
        row = await self._usages.find_one({"key": scoped(owner_id, day.isoformat())})
        return _usage.validate_python({**row, "day": day}) if row else AiUsage(day)

    async def add(self, owner_id: str, more: AiUsage) -> None:
        """Counts on the day of `more`."""
        counts = asdict(more)
        day = counts.pop("day")
        key = scoped(owner_id, day.isoformat())
        await self._usages.update_one({"key": key}, {"$inc": counts}, upsert=True)

    async def forget_owner(self, owner_id: str) -> None:
        await self._usages.delete_many({"key": within(scoped(owner_id, ""))})
