"""Whoever shows a token or a key, and what became of it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from cachetools import TTLCache
from pymongo.errors import PyMongoError

from samplemind.auth.api_keys import PREFIX, digest
from samplemind.auth.endings import Endings, api_key_name, session_name, user_name
from samplemind.auth.tokens import REFRESH, Tokens
from samplemind.domain.api_key import ApiKey
from samplemind.domain.audit_event import AuditAction, AuditEvent
from samplemind.domain.errors import DomainError, Unauthenticated
from samplemind.domain.ids import new_id, now
from samplemind.domain.user import User
from samplemind.store import Store

_log = structlog.get_logger(__name__)

# What has ended in the meantime is known by Endings, at once.
_REMEMBERED, _REMEMBERED_SECONDS = 10_000, 60

# How often the use of a key is written down.
_TOUCH_SECONDS, _AUDIT_SECONDS = 60, 3_600


@dataclass(frozen=True, slots=True)
class Caller:
    """`user` is None for an anonymous one. `refusal` says what was wrong with what was shown;
    `address` is where the request came from.

    `ends` are the names by which Endings knows when this is over; at `until` it is in any case.
    """

    user: User | None = None
    address: str = ""
    session_id: str | None = None
    api_key_id: str | None = None
    refusal: DomainError | None = None
    ends: tuple[str, ...] = ()
    until: datetime | None = None


class Callers:
    """Knows callers by what they show. A user or key is read once in a while, not each time."""

    def __init__(self, store: Store, tokens: Tokens, endings: Endings) -> None:
        self._store, self._tokens, self._endings = store, tokens, endings
        self._users: TTLCache[str, User] = TTLCache(_REMEMBERED, _REMEMBERED_SECONDS)
        self._keys: TTLCache[str, ApiKey] = TTLCache(_REMEMBERED, _REMEMBERED_SECONDS)
        self._touched: TTLCache[str, bool] = TTLCache(_REMEMBERED, _TOUCH_SECONDS)
        self._audited: TTLCache[str, bool] = TTLCache(_REMEMBERED, _AUDIT_SECONDS)
        self._writing: set[asyncio.Task[None]] = set()

    async def of(self, bearer: str, address: str) -> Caller:
        """Who shows this token or key. What is wrong with it is told by `refusal`."""
        try:
            if bearer.startswith(PREFIX):
                return await self._by_key(bearer, address)
            return await self._by_token(bearer, address)
        except DomainError as error:
            return Caller(address=address, refusal=error)

    async def over(self, caller: Caller) -> None:
        """Until the session or key of the caller has ended: for ever, where there is none."""
        seconds = caller.until and max((caller.until - now()).total_seconds(), 0)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._endings.wait(caller.ends)

    def forget(self, user_id: str) -> None:
        """The user is read anew, by this process."""
        self._users.pop(user_id, None)

    async def close(self) -> None:
        """Waits for what is still being written."""
        await asyncio.gather(*self._writing, return_exceptions=True)

    async def _by_token(self, token: str, address: str) -> Caller:
        claims = self._tokens.read_access(token)
        ends = (session_name(claims.session_id), user_name(claims.user_id))
        return Caller(
            user=await self._user(claims.user_id, ends),
            address=address,
            session_id=claims.session_id,
            ends=ends,
            # Who has not refreshed the session by then has lost it.
            until=claims.issued_at + REFRESH,
        )

    async def _by_key(self, secret: str, address: str) -> Caller:
        hash_ = digest(secret)
        key = self._keys.get(hash_)
        if key is None:
            key = await self._store.api_keys.by_hash(hash_)
            if key is None:
                raise Unauthenticated("There is no such API key: it may have been revoked.")
            self._keys[hash_] = key
        ends = (api_key_name(key.id), user_name(key.owner_id))
        user = await self._user(key.owner_id, ends)
        self._note_use(key, address)
        return Caller(user=user, address=address, api_key_id=key.id, ends=ends)

    async def _user(self, id_: str, ends: tuple[str, ...]) -> User:
        if await self._endings.has_ended(ends):
            raise Unauthenticated("This session or key has ended: sign in again.")
        user = self._users.get(id_)
        if user is None:
            [user] = await self._store.users.by_ids([id_])
            if user is None:
                raise Unauthenticated("This account was deleted.")
            self._users[id_] = user
        return user

    def _note_use(self, key: ApiKey, address: str) -> None:
        """Now and then, and while the request goes on: nobody waits for it."""
        if key.id not in self._touched:
            self._touched[key.id] = True
            self._write(lambda: self._store.api_keys.touch(key, now()))
        place = f"{key.id} {address}"
        if place not in self._audited:
            self._audited[place] = True
            event = AuditEvent(
                new_id(), AuditAction.API_KEY_USED, key.owner_id, key.id, address, now()
            )
            self._write(lambda: self._store.audit_events.add(event))

    def _write(self, write: Callable[[], Awaitable[None]]) -> None:
        async def work() -> None:
            try:
                await write()
            except PyMongoError as error:
                _log.warning("the use of a key was not noted", error=str(error))

        task = asyncio.create_task(work())
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
