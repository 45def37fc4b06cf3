"""What the drivers of the parts raise where a part does not answer."""

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
