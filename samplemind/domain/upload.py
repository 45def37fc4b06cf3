"""Bytes that are on their way: announced, and not yet a file of the library."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Upload:
    """What was announced. Its bytes may be sent until `expires_at`, and completed once."""

    id: str
    owner_id: str
    filename: str
    size_bytes: int
    expires_at: datetime
    completed: bool = False

    @property
    def blob_key(self) -> str:
        return f"uploads/{self.owner_id}/{self.id}"
