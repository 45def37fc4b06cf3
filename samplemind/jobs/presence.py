"""Which workers are there, and what they hold: each keeps a key in Redis, which expires."""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import redis as blocking_redis
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

_log = structlog.get_logger(__name__)

ANALYZES = "worker"
ASKS_AI = "ai-worker"
"""Kinds of workers."""

_BEAT_SECONDS = 3

LIFE_SECONDS = 10
"""Until a worker that says nothing counts as lost."""


@dataclass(frozen=True, slots=True)
class WorkerPresence:
    """`held` are the ids of the tasks it has taken from the queue and not ended."""

    name: str
    processes: int
    version: str
    engine_version: str
    held: tuple[str, ...] = ()


async def present_workers(redis: Redis, kind: str = ANALYZES) -> list[WorkerPresence]:
    keys = [key async for key in redis.scan_iter(_key(kind, "*"), count=1_000)]
    values = await redis.mget(keys) if keys else []
    return [WorkerPresence(**json.loads(value)) for value in values if value]


def _key(kind: str, name: str) -> str:
    return f"samplemind:{kind}:{name}"


def held_tasks() -> tuple[str, ...]:
    """The ids of the tasks that this worker has taken from the queue: at work, or about to be."""
    from celery.worker import state  # Only workers have it, and it takes long to import.

    while True:
        try:
            return tuple(request.id for request in list(state.reserved_requests))
        except RuntimeError:  # It changed while it was copied.
            continue


class Heartbeat:
    """Keeps the worker's key alive from a thread of its own, until stopped.

    `held` tells what the worker holds; `each` is called after each beat.
    """

    def __init__(
        self,
        redis_url: str,
        presence: WorkerPresence,
        held: Callable[[], tuple[str, ...]],
        each: Callable[[blocking_redis.Redis], None],
        kind: str = ANALYZES,
    ) -> None:
        self._redis = blocking_redis.Redis.from_url(redis_url, socket_connect_timeout=2)
        self._key = _key(kind, presence.name)
        self._presence, self._held, self._each = presence, held, each
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._beat()
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=2)

    def _keep(self) -> None:
        seconds = _BEAT_SECONDS
        while not self._stopping.wait(seconds):
            seconds = _BEAT_SECONDS if self._beat() else 1
        try:
            self._redis.delete(self._key)
        except RedisError as error:
            _log.warning("heartbeat not ended", error=str(error))

    def _beat(self) -> bool:
        try:
            value = json.dumps(asdict(replace(self._presence, held=self._held())))
            self._redis.set(self._key, value, ex=LIFE_SECONDS)
            self._each(self._redis)
        except Exception as error:
            # Whatever it is, it must not end the beat.
            _log.warning("heartbeat not sent", error=str(error))
            return False
        return True
