"""What an operator does to accounts, from a command."""

from samplemind.auth import passwords
from samplemind.domain.audit_event import AuditAction, AuditEvent
from samplemind.domain.errors import EmailTaken, NotFound
from samplemind.domain.ids import new_id, now
from samplemind.domain.user import Role, User, check_password, clean_email, clean_username
from samplemind.parts import Parts


async def create_admin(parts: Parts, email: str, username: str, password: str) -> None:
    """Raises BadUserInput, EmailTaken."""
    name = clean_username(username)
    user = User(new_id(), name, clean_email(email), role=Role.ADMIN, created_at=now())
    hash_ = await passwords.hashed(check_password(password))
    registered = await parts.store.users.register(user, hash_)
    if registered is None:
        raise EmailTaken("This email has an account already: use set-password.")
    await _note(parts, AuditAction.REGISTERED, registered.id)


async def set_password(parts: Parts, email: str, password: str) -> None:
    """Ends the sessions of the account, which somebody else may have begun. Raises NotFound,
    BadUserInput."""
    user, _ = await parts.store.users.by_email(clean_email(email)) or (None, None)
    if user is None:
        raise NotFound("There is no account with this email.")
    hash_ = await passwords.hashed(check_password(password))
    await parts.store.users.set_password(user.id, hash_)
    await parts.sessions.end_all(user.id)
    await _note(parts, AuditAction.CREDENTIALS_SET, user.id)


async def _note(parts: Parts, action: AuditAction, user_id: str) -> None:
    event = AuditEvent(new_id(), action, user_id, None, "", now())
    await parts.store.audit_events.add(event)
