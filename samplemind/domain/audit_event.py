"""What happened to an account."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AuditAction(StrEnum):
    REGISTERED = "REGISTERED"
    SIGNED_IN = "SIGNED_IN"
    ATTEMPT_REFUSED = "ATTEMPT_REFUSED"
    SIGNED_OUT = "SIGNED_OUT"
    SESSION_REUSED = "SESSION_REUSED"
    CREDENTIALS_SET = "CREDENTIALS_SET"
    API_KEY_CREATED = "API_KEY_CREATED"
    API_KEY_USED = "API_KEY_USED"
    API_KEY_REVOKED = "API_KEY_REVOKED"
    WEBHOOK_CREATED = "WEBHOOK_CREATED"
    WEBHOOK_CHANGED = "WEBHOOK_CHANGED"
    WEBHOOK_DELETED = "WEBHOOK_DELETED"
    AUDIO_FILE_DELETED = "AUDIO_FILE_DELETED"
    ACCOUNT_DELETED = "ACCOUNT_DELETED"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """`user_id` is None where the account is unknown; `subject_id` is the key, webhook or file
    it is about; `address` is where the request came from."""

    id: str
    action: AuditAction
    user_id: str | None
    subject_id: str | None
    address: str
    at: datetime
