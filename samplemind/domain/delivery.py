"""One thing that somebody is told: sent until it has arrived, or is given up."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from samplemind.domain.webhook import WebhookEvent

# In place of a webhook's id: to the owner's own address.
EMAIL = "email"


class DeliveryStatus(StrEnum):
    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    DEAD_LETTERED = "DEAD_LETTERED"


@dataclass(frozen=True, slots=True)
class Delivery:
    """`target` is a webhook's id, or EMAIL. `body` is what is sent, to the byte.

    `due_at` is when somebody has to look after it next, None at its end; `response_status` and
    `error` are of the last attempt.
    """

    id: str
    owner_id: str
    target: str
    event: WebhookEvent
    body: str
    created_at: datetime
    status: DeliveryStatus = DeliveryStatus.PENDING
    attempts: int = 0
    last_attempt_at: datetime | None = None
    due_at: datetime | None = None
    response_status: int | None = None
    error: str | None = None


class NotDelivered(Exception):
    """Why an attempt has failed; `status` is what was answered, if anything. Nobody tries again
    where it is `for_good`."""

    def __init__(self, reason: str, status: int | None = None, *, for_good: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.status, self.for_good = reason, status, for_good
