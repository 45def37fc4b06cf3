"""Answers of AI providers that were paid for, kept so that the same question costs nothing."""

from datetime import UTC, datetime
from typing import Any

from samplemind.store.database import Database, scoped, within

_KEPT_SECONDS = 90 * 24 * 3_600


class AiAnswers:
    """By owner and question: what one user's files are called goes into no other's answer."""

    def __init__(self, database: Database) -> None:
        self._answers = database["ai_answers"]

    async def prepare(self) -> None:
        """Makes the indexes; safe to call at every start."""
        await self._answers.create_index("key", unique=True)
        await self._answers.create_index("kept_at", expireAfterSeconds=_KEPT_SECONDS)

    async def find(self, owner_id: str, key: str) -> Any | None:
        row = await self._answers.find_one({"key": scoped(owner_id, key)})
        return row["value"] if row else None

    async def keep(self, owner_id: str, key: str, value: dict[str, Any]) -> None:
        change = {"value": value, "kept_at": datetime.now(UTC)}
        await self._answers.update_one(
            {"key": scoped(owner_id, key)}, {"$set": change}, upsert=True
        )

    async def forget(self, owner_id: str, name: str, subject: str) -> None:
        """Removes all answers to the question `name` about `subject`, of all models."""
        await self._answers.delete_many({"key": within(scoped(owner_id, name, subject))})

    async def forget_owner(self, owner_id: str) -> None:
        await self._answers.delete_many({"key": within(scoped(owner_id, ""))})
