"""The worker that asks AI providers: Celery's threads around one event loop.

It waits for others nearly all of its time, so one process asks many questions at once, and those
that analyse are never in its way, nor it in theirs.
"""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any

import structlog
from celery.signals import worker_ready, worker_shutting_down

from samplemind.jobs.ai import ask_for_it, run_ai
from samplemind.jobs.app import AI, AI_BATCH, app
from samplemind.jobs.queue import ASK_AI
from samplemind.jobs.recovery import pending_ai
from samplemind.parts import Parts
from samplemind.settings import get_settings

_log = structlog.get_logger(__name__)


class _Loop:
    """An event loop in a thread of its own, and the parts that belong to it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._asking: set[asyncio.Task[None]] = set()
        self.parts = Parts.open(get_settings())
        threading.Thread(target=self._loop.run_forever, name="asking", daemon=True).start()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Until it is done, or was told to stop; what is stopped gives back what it took."""
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run_coroutine_threadsafe(self._tracked(work), self._loop).result()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in self._asking])

    async def _tracked(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        await task


_loop: _Loop | None = None


def _the_loop() -> _Loop:
    assert _loop is not None  # noqa: S101 - made before the worker begins
    return _loop


@app.task(name=ASK_AI)
def _ask_ai(analysis_id: str) -> None:
    loop = _the_loop()
    loop.run(run_ai(loop.parts, analysis_id))


@worker_ready.connect
def _ready(**_: Any) -> None:
    loop = _the_loop()
    loop.run(_queue_pending(loop.parts))
    _log.info("AI worker ready", at_once=get_settings().ai_concurrency)


@worker_shutting_down.connect
def _stop(**_: Any) -> None:
    _the_loop().stop()


async def _queue_pending(parts: Parts) -> None:
    """What was stored and that no queue may hold any more."""
    for analysis in await pending_ai(parts):
        await ask_for_it(parts, analysis)


def ask() -> None:
    """Runs until it is told to stop."""
    global _loop
    settings = get_settings()
    _loop = _Loop()
    app.worker_main(
        [
            "worker",
            f"--queues={AI},{AI_BATCH}",
            "--pool=threads",
            f"--concurrency={settings.ai_concurrency}",
            f"--loglevel={settings.log_level}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )
