"""The worker that asks AI providers: Celery's threads around one event loop.

It waits for others nearly all of its time, so one process asks many questions at once, and those
that analyse are never in its way, nor it in theirs.
"""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Coroutine
from typing import Any

import structlog
from celery.exceptions import Reject
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down

from samplemind import __version__, metrics
from samplemind.audio import ENGINE_VERSION
from samplemind.jobs.ai import run_ai
from samplemind.jobs.app import AI_LANES, app
from samplemind.jobs.presence import ASKS_AI, Heartbeat, WorkerPresence, held_tasks
from samplemind.jobs.queue import ASK_AI
from samplemind.parts import Parts
from samplemind.settings import get_settings

_log = structlog.get_logger(__name__)


class _Loop:
    """An event loop in a thread of its own, and the parts that belong to it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._asking: set[asyncio.Task[None]] = set()
        self.parts = Parts.open(get_settings())
        self.is_stopping = False
        threading.Thread(target=self._loop.run_forever, name="asking", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Until it is done, or was told to stop; what is stopped gives back what it took."""
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run_coroutine_threadsafe(self._tracked(work), self._loop).result()

    def stop(self) -> None:
        self.is_stopping = True
        self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in self._asking])

    async def _tracked(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        await task


_loop: _Loop | None = None
_heartbeat: Heartbeat | None = None


def _the_loop() -> _Loop:
    assert _loop is not None  # noqa: S101 - made before the worker begins
    return _loop


@app.task(name=ASK_AI)
def _ask_ai(analysis_id: str) -> None:
    loop = _the_loop()
    if loop.is_stopping:
        # For whoever comes after.
        raise Reject(requeue=True)
    loop.run(run_ai(loop.parts, analysis_id))


@worker_ready.connect
def _ready(**_: Any) -> None:
    global _heartbeat
    settings = get_settings()
    name = f"{socket.gethostname()}:{os.getpid()}"
    presence = WorkerPresence(name, settings.ai_concurrency, __version__, ENGINE_VERSION)
    _heartbeat = Heartbeat(settings.redis_url, presence, held_tasks, lambda _: None, ASKS_AI)
    _heartbeat.start()
    _log.info("AI worker ready", name=name, at_once=settings.ai_concurrency)


@worker_shutting_down.connect
def _told_to_stop(**_: Any) -> None:
    _the_loop().stop()


@worker_shutdown.connect
def _shut_down(**_: Any) -> None:
    if _heartbeat:
        _heartbeat.stop()


def ask() -> None:
    """Runs until it is told to stop."""
    global _loop
    settings = get_settings()
    metrics.listen(settings)
    _loop = _Loop()
    app.worker_main(
        [
            "worker",
            f"--queues={','.join(AI_LANES.values())}",
            "--pool=threads",
            f"--concurrency={settings.ai_concurrency}",
            f"--loglevel={settings.log_level}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )
