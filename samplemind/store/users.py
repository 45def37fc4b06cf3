"""People."""

from collections.abc import Sequence

from pydantic import TypeAdapter

from samplemind.domain.user import User
from samplemind.store.database import Database, Document

_user = TypeAdapter(User)


def _load(document: Document) -> User:
    return _user.validate_python({**document, "id": document["_id"]})


class Users:
    def __init__(self, database: Database) -> None:
        self._users = database["users"]

    async def ensure(self, user: User) -> User:
        """Stores the user on first sight; answers the stored one."""
        document = _user.dump_python(user)
        id_ = document.pop("id")
        await self._users.update_one({"_id": id_}, {"$setOnInsert": document}, upsert=True)
        stored = await self._users.find_one({"_id": id_})
        return _load(stored) if stored else user

    async def by_ids(self, ids: Sequence[str]) -> list[User | None]:
        """In the order of `ids`, None where there is no such user."""
        documents = await self._users.find({"_id": {"$in": list(ids)}}).to_list(None)
        found = {document["_id"]: _load(document) for document in documents}
        return [found.get(id_) for id_ in ids]
