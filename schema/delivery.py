"""What was sent to webhooks, as clients see it."""

from datetime import datetime
from typing import Self

import strawberry

from samplemind.domain import delivery as domain
from samplemind.domain.paging import Page
from samplemind.domain.webhook import WebhookEvent
from schema.ids import encode_id
from schema.paging import PageInfo, encode_cursor

ORDER = "deliveries"


@strawberry.type(description="One thing that a webhook is told.")
class Delivery:
    id: strawberry.ID = strawberry.field(description="For `sendWebhookAgain`.")
    message_id: str = strawberry.field(
        description="The `webhook-id` that it is sent with, the same at each attempt."
    )
    event: WebhookEvent = strawberry.field(description="What has happened.")
    status: domain.DeliveryStatus = strawberry.field(description="What has become of it.")
    body: str = strawberry.field(description="What is sent: JSON, to the byte.")
    attempts: int = strawberry.field(description="How often it was sent.")
    created_at: datetime = strawberry.field(description="When it happened.")
    last_attempt_at: datetime | None = strawberry.field(description="When it was last sent.")
    next_attempt_at: datetime | None = strawberry.field(
        description="When it is sent again at the latest, or given back by who sends it; null at "
        "its end."
    )
    response_status: int | None = strawberry.field(
        description="The HTTP status that was last answered, if anything was."
    )
    error: str | None = strawberry.field(description="Why the last attempt has failed.")

    @classmethod
    def of(cls, model: domain.Delivery) -> Self:
        return cls(
            id=encode_id("Delivery", model.id),
            message_id=model.id,
            event=model.event,
            status=model.status,
            body=model.body,
            attempts=model.attempts,
            created_at=model.created_at,
            last_attempt_at=model.last_attempt_at,
            next_attempt_at=model.due_at,
            response_status=model.response_status,
            error=model.error,
        )


@strawberry.type(description="A delivery in a list.")
class DeliveryEdge:
    cursor: str = strawberry.field(description="Pass it as `after` or `before`.")
    node: Delivery = strawberry.field(description="The delivery.")


@strawberry.type(description="A page of deliveries, the newest first.")
class DeliveryConnection:
    edges: list[DeliveryEdge] = strawberry.field(description="The page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def of(cls, page: Page[domain.Delivery]) -> Self:
        return cls(
            edges=[
                DeliveryEdge(cursor=encode_cursor(ORDER, row.key), node=Delivery.of(row.value))
                for row in page.rows
            ],
            page_info=PageInfo.of(page, ORDER),
        )
