"""Signing in and out."""

from resolvers.audit import note
from resolvers.scope import Scope
from samplemind.auth import passwords
from samplemind.auth.sessions import TokenReused
from samplemind.auth.tokens import session_ended
from samplemind.domain.audit_event import AuditAction
from samplemind.domain.errors import (
    BadUserInput,
    EmailTaken,
    InvalidCredentials,
    RegistrationClosed,
)
from samplemind.domain.ids import new_id, now
from samplemind.domain.session import Session
from samplemind.domain.user import Role, User, check_password, clean_email, clean_username, known_by


async def register(scope: Scope, email: str, username: str, password: str) -> Session:
    """Makes an account and signs in to it. The first is an admin's, and has all that was stored
    without sign-in.

    Raises BadUserInput, RegistrationClosed, TooManyAttempts, EmailTaken.
    """
    if not scope.parts.settings.registration:
        raise RegistrationClosed("Nobody may register here: ask an admin for an account.")
    user = User(
        new_id(), clean_username(username), clean_email(email), role=Role.USER, created_at=now()
    )
    check_password(password)
    await scope.parts.attempts.count(scope.caller.address)
    hash_ = await passwords.hashed(password)
    registered = await scope.parts.store.users.register(user, hash_)
    if registered is None:
        message = "This email has an account already: sign in instead."
        raise EmailTaken(message, field=("input", "email"))
    await note(scope, AuditAction.REGISTERED, registered.id)
    return await _begin(scope, registered)


async def log_in(scope: Scope, email: str, password: str) -> Session:
    """Raises InvalidCredentials, after the same time and in the same words for a wrong password and
    an unknown email; TooManyAttempts."""
    email = known_by(email)
    parts = scope.parts
    await parts.attempts.count(scope.caller.address, email)
    user, hash_ = await parts.store.users.by_email(email) or (None, None)
    is_right, better = await passwords.verified(password, hash_)
    if user is None or not is_right:
        await note(scope, AuditAction.ATTEMPT_REFUSED, user and user.id)
        raise InvalidCredentials("The email or the password is wrong.")
    if better:
        await parts.store.users.set_password(user.id, better)
    await parts.attempts.forget(email)
    await note(scope, AuditAction.SIGNED_IN, user.id)
    return await _begin(scope, user)


async def refresh(scope: Scope, refresh_token: str) -> Session:
    """The next two tokens of a session. A refresh token is good once: who shows a spent one ends
    the session. Raises SessionEnded."""
    parts = scope.parts
    session_id, generation = parts.tokens.read_refresh(refresh_token)
    try:
        user_id, following = await parts.sessions.rotate(session_id, generation)
    except TokenReused as reused:
        await note(scope, AuditAction.SESSION_REUSED, reused.user_id)
        raise
    [user] = await parts.store.users.by_ids([user_id])
    if user is None:
        raise session_ended()
    return _session(scope, user, session_id, following)


async def log_out(scope: Scope) -> None:
    """Ends the session of the caller. Raises BadUserInput where there is none."""
    session_id = scope.caller.session_id
    if session_id is None:
        raise BadUserInput("You have not signed in: there is no session to end.")
    await scope.parts.sessions.end(scope.owner_id, session_id)
    await note(scope, AuditAction.SIGNED_OUT, scope.owner_id)


async def _begin(scope: Scope, user: User) -> Session:
    session_id, generation = await scope.parts.sessions.begin(user.id)
    return _session(scope, user, session_id, generation)


def _session(scope: Scope, user: User, session_id: str, generation: int) -> Session:
    tokens, moment = scope.parts.tokens, now()
    access_token, expires_at = tokens.access(user.id, session_id, moment)
    refresh_token = tokens.refresh(session_id, generation, moment)
    return Session(user, access_token, refresh_token, expires_at)
