"""An account as a whole: its choices, and its end."""

import asyncio
from dataclasses import replace

from resolvers.api_keys import revoke_api_key
from resolvers.scope import Scope
from samplemind.auth import passwords
from samplemind.auth.endings import user_name
from samplemind.domain.audit_event import AuditAction, AuditEvent
from samplemind.domain.errors import BadUserInput, InvalidCredentials
from samplemind.domain.ids import new_id, now
from samplemind.domain.user import User
from samplemind.mail import is_mailable

_deleting: set[asyncio.Task[None]] = set()


async def update_account(scope: Scope, email_notifications: bool | None) -> User:
    """Changes what is given. Raises BadUserInput where no mail can be sent."""
    user = scope.user
    if email_notifications is not None:
        if email_notifications:
            _require_mail(scope)
        await scope.parts.store.users.set_email_notifications(user.id, email_notifications)
        user = replace(user, email_notifications=email_notifications)
        scope.parts.callers.forget(user.id)
    return user


def _require_mail(scope: Scope) -> None:
    field = ("input", "emailNotifications")
    if not scope.parts.settings.smtp_url:
        raise BadUserInput("This server sends no mail: SAMPLEMIND_SMTP_URL.", field=field)
    if not is_mailable(scope.user.email or ""):
        raise BadUserInput("No mail can be sent to the email of your account.", field=field)


async def delete_account(scope: Scope, password: str) -> str:
    """Removes everything of the caller's; answers whose it was. What breaks off can be asked for
    again, since the account itself goes last.

    Raises InvalidCredentials, TooManyAttempts.
    """
    parts, user = scope.parts, scope.user
    await parts.attempts.count(scope.caller.address, user.email)
    hash_ = await parts.store.users.password_hash(user.id)
    is_right, _ = await passwords.verified(password, hash_)
    if not is_right:
        raise InvalidCredentials("The password is wrong.", field=("input", "password"))
    # To its end: with the caller's session ends the stream or socket by which this was asked.
    deleting = asyncio.create_task(_delete(scope))
    _deleting.add(deleting)
    deleting.add_done_callback(_deleting.discard)
    await asyncio.shield(deleting)
    return user.id


async def _delete(scope: Scope) -> None:
    parts, user = scope.parts, scope.user
    await _remove_everything(scope)
    await parts.store.users.remove(user)
    await parts.endings.end(user_name(user.id))
    try:
        # What had begun by then may have come to its end meanwhile: a sign-in, an upload.
        await _remove_everything(scope)
    finally:
        # Without the address it was asked from: that would be a trace of the person.
        event = AuditEvent(new_id(), AuditAction.ACCOUNT_DELETED, user.id, None, "", now())
        await parts.store.audit_events.add(event)


async def _remove_everything(scope: Scope) -> None:
    """But the account. Who could still add something goes first."""
    parts, user = scope.parts, scope.user
    await parts.sessions.end_all(user.id)
    for api_key in await parts.store.api_keys.of_owner(user.id):
        await revoke_api_key(scope, api_key.id)
    await parts.store.forget_library(user.id)
    await parts.vectors.forget_owner(user.id)
    for prefix in (user.id, f"uploads/{user.id}"):
        await parts.blobs.remove_all(prefix)
    await parts.cache.forget(user.id)
    await parts.store.audit_events.forget_user(user.id)
