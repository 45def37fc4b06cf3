"""What happened to accounts, as admins see it."""

from datetime import datetime
from typing import Self

import strawberry

from samplemind.domain import audit_event as domain
from samplemind.domain.paging import Page
from schema.ids import encode_id
from schema.paging import PageInfo, encode_cursor

ORDER = "audit-events"

_SUBJECTS = {
    domain.AuditAction.API_KEY_CREATED: "ApiKey",
    domain.AuditAction.API_KEY_USED: "ApiKey",
    domain.AuditAction.API_KEY_REVOKED: "ApiKey",
    domain.AuditAction.WEBHOOK_CREATED: "Webhook",
    domain.AuditAction.WEBHOOK_CHANGED: "Webhook",
    domain.AuditAction.WEBHOOK_DELETED: "Webhook",
    domain.AuditAction.AUDIO_FILE_DELETED: "AudioFile",
}


@strawberry.type(description="Something that happened to an account.")
class AuditEvent:
    id: strawberry.ID = strawberry.field(description="Opaque, and unique in the whole API.")
    action: domain.AuditAction = strawberry.field(description="What happened.")
    user_id: strawberry.ID | None = strawberry.field(
        description="Whose account; null where there is none of the given email."
    )
    subject_id: strawberry.ID | None = strawberry.field(
        description="The key, webhook or file that it is about, where it is about one."
    )
    address: str = strawberry.field(description="Where the request came from; empty for a command.")
    at: datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, model: domain.AuditEvent) -> Self:
        subject = model.subject_id and encode_id(_SUBJECTS[model.action], model.subject_id)
        return cls(
            id=encode_id("AuditEvent", model.id),
            action=model.action,
            user_id=encode_id("User", model.user_id) if model.user_id else None,
            subject_id=strawberry.ID(subject) if subject else None,
            address=model.address,
            at=model.at,
        )


@strawberry.type(description="An event in a list.")
class AuditEventEdge:
    cursor: str = strawberry.field(description="Pass it as `after` or `before`.")
    node: AuditEvent = strawberry.field(description="The event.")


@strawberry.type(description="A page of events, the newest first.")
class AuditEventConnection:
    edges: list[AuditEventEdge] = strawberry.field(description="The page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def of(cls, page: Page[domain.AuditEvent]) -> Self:
        return cls(
            edges=[
                AuditEventEdge(cursor=encode_cursor(ORDER, row.key), node=AuditEvent.of(row.value))
                for row in page.rows
            ],
            page_info=PageInfo.of(page, ORDER),
        )
