"""People, and the hashes of their passwords."""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import TypeAdapter
from pymongo.errors import DuplicateKeyError

from samplemind.domain.user import LOCAL_USER, Role, User
from samplemind.store.database import Database, Document

_user = TypeAdapter(User)

# Whether the local user is anybody's account yet: in one indexed string, for one conditional write.
_FREE, _TAKEN, _REMOVED = (f"{LOCAL_USER}:{state}" for state in ("free", "taken", "removed"))


def _dump(user: User) -> Document:
    document = _user.dump_python(user)
    email = {"by_email": user.email} if user.email else {}
    return {"_id": document.pop("id"), **document, **email}


def _load(document: Document) -> User:
    return _user.validate_python({**document, "id": document["_id"]})


class Users:
    def __init__(self, database: Database) -> None:
        self._users = database["users"]

    async def prepare(self) -> None:
        """Makes the indexes; safe to call at every start."""
        await self._users.create_index("by_email", unique=True, sparse=True)
        await self._users.create_index("claim", unique=True, sparse=True)

    async def ensure(self, user: User) -> User:
        """Stores the user on first sight; answers the stored one."""
        document = _dump(user)
        if user.id == LOCAL_USER:
            document["claim"] = _FREE
        id_ = document.pop("_id")
        await self._users.update_one({"_id": id_}, {"$setOnInsert": document}, upsert=True)
        stored = await self._users.find_one({"_id": id_})
        return _load(stored) if stored else user

    async def register(self, user: User, password_hash: str) -> User | None:
        """Stores an account; None where another has its email.

        The first takes the local user's place, with all that was stored by then, and is an admin.
        """
        first = replace(user, id=LOCAL_USER, role=Role.ADMIN)
        try:
            claimed = {**_dump(first), "password_hash": password_hash, "claim": _TAKEN}
            del claimed["_id"]
            result = await self._users.update_one({"claim": _FREE}, {"$set": claimed})
            if result.modified_count:
                return first
            return await self.add(user, password_hash)
        except DuplicateKeyError:
            return None

    async def add(self, user: User, password_hash: str) -> User | None:
        """Stores an account; None where another has its email."""
        try:
            await self._users.insert_one({**_dump(user), "password_hash": password_hash})
        except DuplicateKeyError:
            return None
        return user

    async def by_ids(self, ids: Sequence[str]) -> list[User | None]:
        """In the order of `ids`, None where there is no such user, or no longer."""
        documents = await self._users.find({"_id": {"$in": list(ids)}}).to_list(None)
        found = {
            document["_id"]: _load(document)
            for document in documents
            if document.get("claim") != _REMOVED
        }
        return [found.get(id_) for id_ in ids]

    async def by_email(self, email: str) -> tuple[User, str] | None:
        """The account and the hash of its password."""
        document = await self._users.find_one({"by_email": email})
        return (_load(document), document["password_hash"]) if document else None

    async def password_hash(self, id_: str) -> str | None:
        """None where the user has no password, as the local one."""
        document = await self._users.find_one({"_id": id_}, {"password_hash": 1})
        return document.get("password_hash") if document else None

    async def set_password(self, id_: str, password_hash: str) -> None:
        await self._users.update_one({"_id": id_}, {"$set": {"password_hash": password_hash}})

    async def set_email_notifications(self, id_: str, wanted: bool) -> None:
        await self._users.update_one({"_id": id_}, {"$set": {"email_notifications": wanted}})

    async def remove(self, user: User) -> None:
        """Of the local user a nameless row stays, so that nobody takes its place again."""
        if user.id != LOCAL_USER:
            await self._users.delete_one({"_id": user.id})
            return
        nameless = _dump(replace(user, username=LOCAL_USER, email=None))
        await self._users.replace_one({"_id": user.id}, {**nameless, "claim": _REMOVED})
