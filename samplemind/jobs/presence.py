"""Which workers are there: each keeps a key in Redis that expires without it."""

import json
import threading
from dataclasses import asdict, dataclass

import redis as blocking_redis
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

_log = structlog.get_logger(__name__)

_PREFIX = "samplemind:worker:"
_BEAT_SECONDS = 3
_LIFE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class WorkerPresence:
    name: str
    processes: int
    version: str
    engine_version: str


async def present_workers(redis: Redis) -> list[WorkerPresence]:
    keys = [key async for key in redis.scan_iter(f"{_PREFIX}*")]
    values = await redis.mget(keys) if keys else []
    return [WorkerPresence(**json.loads(value)) for value in values if value]


class Heartbeat:
    """Keeps the worker's key alive from a thread of its own, until stopped."""

    def __init__(self, redis_url: str, presence: WorkerPresence) -> None:
        self._redis = blocking_redis.Redis.from_url(redis_url)
        self._key = _PREFIX + presence.name
        self._value = json.dumps(asdict(presence))
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=2)

    def _beat(self) -> None:
        while True:
            try:
                self._redis.set(self._key, self._value, ex=_LIFE_SECONDS)
                if self._stopping.wait(_BEAT_SECONDS):
                    self._redis.delete(self._key)
                    return
            except RedisError as error:
                _log.warning("heartbeat not sent", error=str(error))
                if self._stopping.wait(1):
                    return
