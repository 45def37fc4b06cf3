"""Live events: Redis pub/sub, one connection a process, whoever listens.

An event is a hint that something stored has changed. Nobody relies on receiving one: a
subscriber reads the documents first, and again after the connection was lost.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import redis.asyncio as redis
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from samplemind import metrics
from samplemind.outages import Pause

_log = structlog.get_logger(__name__)

# Received after a lost connection and after long silence: events may have been missed.
MISSED = b""

_NOBODYS = "samplemind:nobodys"
_QUEUE_SIZE = 1_000
_SILENCE_SECONDS = 15
_PATIENCE_SECONDS = 2
_PAUSE_SECONDS = 10

Receive = Callable[[], Awaitable[bytes]]


def batch_channel(batch_id: str) -> str:
    return f"batch:{batch_id}"


def file_channel(audio_file_id: str) -> str:
    return f"file:{audio_file_id}"


def unsaved_channel(id_: str) -> str:
    return f"unsaved:{id_}"


class Events:
    """Publishes to, and listens on, named channels."""

    def __init__(self, url: str) -> None:
        pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=50,
            timeout=_PATIENCE_SECONDS,
            socket_timeout=_PATIENCE_SECONDS,
            socket_connect_timeout=_PATIENCE_SECONDS,
            # Once more, since a connection of before Redis started anew is dead.
            retry=Retry(NoBackoff(), 1),
        )
        self.redis = redis.Redis(connection_pool=pool)
        # Without a timeout: a quiet channel is not a lost connection.
        self._pubsub = redis.Redis.from_url(
            url, socket_timeout=None, health_check_interval=30
        ).pubsub()
        self._pause = Pause(_PAUSE_SECONDS)
        self._queues: defaultdict[str, set[asyncio.Queue[bytes]]] = defaultdict(set)
        self._listener: asyncio.Task[None] | None = None

    async def publish(self, channel: str, message: bytes) -> None:
        """Tells whoever listens. A lost Redis loses the hint, never the change itself."""
        if self._pause.is_on:
            return
        try:
            await self.redis.publish(channel, message)
        except RedisError as error:
            self._pause.begin()
            _log.warning("event not published", channel=channel, error=str(error))

    @contextlib.asynccontextmanager
    async def listen(self, channel: str) -> AsyncIterator[Receive]:
        """Receives the messages of a channel from now on; MISSED where some may be lost."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(_QUEUE_SIZE)
        first = not self._queues[channel]
        self._queues[channel].add(queue)
        try:
            if first:
                # Where none is subscribed, the client reads an answer itself now and then, to see
                # that the connection is well, and would be in the listener's way: one always is.
                await self._pubsub.subscribe(_NOBODYS, channel)
            if self._listener is None:
                self._listener = asyncio.create_task(self._listen())
            yield partial(_receive, queue)
        finally:
            self._queues[channel].discard(queue)
            if not self._queues[channel]:
                del self._queues[channel]
                with contextlib.suppress(RedisError):
                    await self._pubsub.unsubscribe(channel)

    async def version(self) -> str:
        """The server's version; raises where it does not answer."""
        return (await self.redis.info("server"))["redis_version"]

    async def close(self) -> None:
        if self._listener:
            self._listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listener
        await self._pubsub.aclose()
        await self.redis.aclose()

    async def _listen(self) -> None:
        while True:
            try:
                # None answers a wait of a second, which also lets new channels in.
                message = await self._pubsub.get_message(ignore_subscribe_messages=True, timeout=1)
                if message:
                    self._deliver(message["channel"].decode(), message["data"])
            except (RedisError, OSError, RuntimeError) as error:
                _log.warning("events lost, reconnecting", error=str(error))
                await asyncio.sleep(0.5)
                with contextlib.suppress(RedisError, OSError):
                    await self._pubsub.connect()
                for channel in list(self._queues):
                    self._deliver(channel, MISSED)

    def _deliver(self, channel: str, message: bytes) -> None:
        for queue in self._queues.get(channel, ()):
            if queue.full():
                # A reader this slow is told to read the documents instead.
                metrics.events_missed.inc()
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(MISSED)
            else:
                queue.put_nowait(message)


async def _receive(queue: asyncio.Queue[bytes]) -> bytes:
    # Before Python 3.12, asyncio.wait_for, by which Redis is asked too, loses a cancellation that
    # comes when what it waits for is done: without this, who was told to leave would wait for ever.
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError
    try:
        return await asyncio.wait_for(queue.get(), _SILENCE_SECONDS)
    except TimeoutError:
        return MISSED
