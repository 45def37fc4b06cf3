"""Keys for programs: made, listed, revoked."""

from collections.abc import Sequence

from resolvers.audit import note
from resolvers.scope import Scope
from samplemind.auth.api_keys import digest, new_secret, shown
from samplemind.auth.endings import api_key_name
from samplemind.domain.api_key import ApiKey
from samplemind.domain.audit_event import AuditAction
from samplemind.domain.errors import BadUserInput, NotFound, TooManyApiKeys
from samplemind.domain.ids import new_id, now

MOST_KEYS = 50
_LONGEST_NAME = 100


async def create_api_key(scope: Scope, name: str) -> tuple[ApiKey, str]:
    """The key and its secret, which is told now and never again.

    Raises BadUserInput, TooManyApiKeys.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        message = f"A key's name has 1 to {_LONGEST_NAME} characters that can be shown."
        raise BadUserInput(message, field=("input", "name"))
    store = scope.parts.store.api_keys
    if await store.count(scope.owner_id) >= MOST_KEYS:
        raise TooManyApiKeys(f"You have {MOST_KEYS} keys, which is the most: revoke one first.")
    secret = new_secret()
    api_key = ApiKey(new_id(), scope.owner_id, name, shown(secret), now())
    await store.add(api_key, digest(secret))
    await note(scope, AuditAction.API_KEY_CREATED, scope.owner_id, api_key.id)
    return api_key, secret


async def api_keys(scope: Scope, owner_ids: Sequence[str]) -> list[list[ApiKey]]:
    """Those of each owner, the oldest first."""
    return await scope.loaders.api_keys_by_owner.load_many(owner_ids)


async def revoke_api_key(scope: Scope, id_: str) -> ApiKey:
    """Nobody gets in with it from now on, and what is live by it ends. Raises NotFound."""
    revoked = await scope.parts.store.api_keys.remove(scope.owner_id, id_)
    if revoked is None:
        raise NotFound("You have no such API key.", field=("input", "id"))
    await scope.parts.endings.end(api_key_name(id_))
    await note(scope, AuditAction.API_KEY_REVOKED, scope.owner_id, id_)
    return revoked
