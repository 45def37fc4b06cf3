"""Operations that are named by the hash of their text, rather than sent in full.

`documentId` is that of GraphQL-over-HTTP's persisted documents, `extensions.persistedQuery` that of
Apollo's automatic persisted queries. A text that comes with its hash is kept, and found by the hash
alone from then on. With trusted documents nothing is kept, and only what they list is run.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from graphql import GraphQLError
from redis.asyncio import Redis
from redis.exceptions import RedisError

_log = structlog.get_logger(__name__)

# A client that has not used a text for so long sends it once more.
_KEPT_SECONDS = 24 * 60 * 60
_MOST_CHARACTERS = 100_000
_PATIENCE_SECONDS = 1

_SHA256 = re.compile("[0-9a-f]{64}")


class PersistedDocuments:
    """`is_valid` says whether a text is worth keeping."""

    def __init__(
        self,
        redis: Redis,
        is_valid: Callable[[str], bool],
        trusted: Mapping[str, str] | None = None,
    ) -> None:
        self._redis = redis
        self._is_valid = is_valid
        self._trusted = trusted
        self._trusted_texts = frozenset(trusted.values()) if trusted else frozenset()

    async def text(self, parameters: Mapping[str, Any]) -> str | None:
        """What a request's parameters ask for; None where they name nothing.

        Raises a coded GraphQLError where the name is wrong, unknown or not trusted.
        """
        query: str | None = parameters.get("query") or None
        name = _named(parameters)
        if self._trusted is not None:
            return self._trusted_text(query, name)
        if name is None:
            return query
        if not _SHA256.fullmatch(name):
            message = "The id of a document is the SHA-256 of its text, in lowercase hex."
            raise _refusal("BAD_REQUEST", message)
        if query is None:
            text = await self._kept(name)
            if text is None:
                # Apollo's clients look for this very message.
                raise _refusal("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")
            return text
        if hashlib.sha256(query.encode()).hexdigest() != name:
            # In Apollo Server's words.
            message = "provided sha does not match query"
            raise _refusal("PERSISTED_QUERY_HASH_MISMATCH", message)
        await self._keep(name, query)
        return query

    def _trusted_text(self, query: str | None, name: str | None) -> str | None:
        if query is None and name is None:
            return None
        if query is None and self._trusted:
            query = self._trusted.get(name or "")
        if query not in self._trusted_texts:
            message = "This server runs the operations that its clients were built with, only."
            raise _refusal("DOCUMENT_NOT_TRUSTED", message)
        return query

    async def _kept(self, name: str) -> str | None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                text: Any = await self._redis.getex(_key(name), ex=_KEPT_SECONDS)
        except (RedisError, OSError, TimeoutError) as error:
            # The client then sends the text itself.
            _log.warning("persisted documents cannot be read", error=str(error))
            return None
        return text and text.decode()

    async def _keep(self, name: str, text: str) -> None:
        if len(text) > _MOST_CHARACTERS or not self._is_valid(text):
            return
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._redis.set(_key(name), text, ex=_KEPT_SECONDS)
        except (RedisError, OSError, TimeoutError) as error:
            _log.warning("a persisted document was not kept", error=str(error))


def _key(name: str) -> str:
    return f"document:{name}"


def _named(parameters: Mapping[str, Any]) -> str | None:
    """The id that a request gives its document, without the name of the hash."""
    name = parameters.get("documentId")
    if name is None:
        persisted = (parameters.get("extensions") or {}).get("persistedQuery")
        if persisted is None:
            return None
        if not isinstance(persisted, dict) or persisted.get("version") != 1:
            raise _refusal("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
        name = persisted.get("sha256Hash")
    if not isinstance(name, str):
        raise _refusal("BAD_REQUEST", "The id of a document must be a string.")
    return name.removeprefix("sha256:")


def _refusal(code: str, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": code})
