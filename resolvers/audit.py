"""What happened to accounts, written down as it happens."""

from resolvers.scope import Scope
from samplemind.domain.audit_event import AuditAction, AuditEvent
from samplemind.domain.ids import new_id, now
from samplemind.domain.paging import Page, Window


async def note(
    scope: Scope, action: AuditAction, user_id: str | None, subject_id: str | None = None
) -> None:
    event = AuditEvent(new_id(), action, user_id, subject_id, scope.caller.address, now())
    await scope.parts.store.audit_events.add(event)


async def audit_events(scope: Scope, window: Window) -> Page[AuditEvent]:
    """Everybody's, the newest first: for admins."""
    return await scope.parts.store.audit_events.page(window)
