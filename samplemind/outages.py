"""What the drivers of the parts raise where a part does not answer, and what then."""

import time

from kombu.exceptions import OperationalError
from pymongo.errors import ConnectionFailure, ExecutionTimeout, WaitQueueTimeoutError
from redis.exceptions import BusyLoadingError, ConnectionError, TimeoutError

from samplemind.domain.errors import PartUnavailable

DOCUMENTS_AWAY = (ConnectionFailure, ExecutionTimeout, WaitQueueTimeoutError)
AWAY = (*DOCUMENTS_AWAY, OperationalError, ConnectionError, TimeoutError, BusyLoadingError)

RETRY_AFTER_SECONDS = 5
"""What a client is told: most parts are back by then."""


def unavailable() -> PartUnavailable:
    """In place of what a driver raised."""
    return PartUnavailable("A part of the server does not answer right now: try again.")


class Pause:
    """A part that did not answer in time is not asked for a while: everybody would wait as long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until = 0.0

    def begin(self) -> None:
        self._until = time.monotonic() + self._seconds

    @property
    def is_on(self) -> bool:
        return time.monotonic() < self._until
