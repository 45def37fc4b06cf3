"""The worker: Celery's processes around the use cases of this package."""

import asyncio
import os
import signal
import socket
import threading
from functools import partial
from typing import Any

import structlog
from celery import Task
from celery.signals import (
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from celery.worker import state
from celery.worker.request import Request
from redis import Redis

from samplemind import __version__, metrics
from samplemind.audio import ENGINE_VERSION
from samplemind.audio.analyze import analyze, warm_up
from samplemind.jobs.analysis import give_up, run_analysis
from samplemind.jobs.app import QUEUES, app
from samplemind.jobs.deliveries import deliver
from samplemind.jobs.dispatch import send_next
from samplemind.jobs.handover import TaskRunner
from samplemind.jobs.patrol import patrol
from samplemind.jobs.presence import Heartbeat, WorkerPresence, held_tasks
from samplemind.jobs.queue import (
    ANALYZE,
    DELIVER,
    GIVE_UP,
    HEAR_UNSAVED,
    PATROL,
    RECONCILE,
    REFRESH,
)
from samplemind.jobs.reconcile import hand_back, reconcile
from samplemind.jobs.refresh import refresh
from samplemind.jobs.unsaved import run_unsaved
from samplemind.memory_limit import limit_memory
from samplemind.parts import Parts
from samplemind.settings import get_settings
from samplemind.tracing import configure_traces, finish_traces

_log = structlog.get_logger(__name__)

# A process that holds more than this after a task is replaced: a long sound leaves holes behind.
_KEPT_KIB = 1024 * 1024

_RECONCILE_SECONDS = 5
_PATROL_SECONDS = 3_600


class _Process:
    """What one worker process holds: an event loop and the parts, both made after the fork."""

    def __init__(self) -> None:
        self.runner = TaskRunner()
        self.parts = Parts.open(get_settings())


_process: _Process | None = None
_heartbeat: Heartbeat | None = None


def _this_process() -> _Process:
    global _process
    if _process is None:
        _process = _Process()
    return _process


class _AnalysisRequest(Request):
    """Lives in the worker's main process, which ends the one that takes too long."""

    def on_timeout(self, soft: bool, timeout: float) -> None:
        super().on_timeout(soft, timeout)
        analysis_id, *_ = self.args
        app.send_task(GIVE_UP, [analysis_id, timeout])


class _AnalysisTask(Task):
    Request = _AnalysisRequest


@app.task(
    name=ANALYZE, bind=True, base=_AnalysisTask, time_limit=get_settings().max_analysis_seconds
)
def _analyze(task: Task, analysis_id: str, *_: bool) -> None:  # Before, they said one thing more.
    process = _this_process()
    again = bool((task.request.delivery_info or {}).get("redelivered"))
    process.runner.run(_run(process.parts, analysis_id, again))


async def _run(parts: Parts, analysis_id: str, again: bool) -> None:
    limited = partial(analyze, limits=parts.settings.sound_limits)
    ended = await run_analysis(parts, limited, analysis_id, again=again)
    if ended:
        await send_next(parts, ended.lane, ended.owner_id)


@app.task(name=GIVE_UP)
def _give_up(analysis_id: str, seconds: float) -> None:
    process = _this_process()
    process.runner.run(give_up(process.parts, analysis_id, seconds))


@app.task(name=HEAR_UNSAVED)
def _hear_unsaved(id_: str, filename: str) -> None:
    process = _this_process()
    process.runner.run(run_unsaved(process.parts, analyze, id_, filename))


@app.task(name=RECONCILE)
def _reconcile() -> None:
    process = _this_process()
    process.runner.run(reconcile(process.parts))


@app.task(name=PATROL)
def _patrol() -> None:
    process = _this_process()
    process.runner.run(patrol(process.parts))


@app.task(name=REFRESH)
def _refresh() -> None:
    process = _this_process()
    process.runner.run(refresh(process.parts))


@app.task(name=DELIVER)
def _deliver(ids: list[str]) -> None:
    process = _this_process()
    process.runner.run(deliver(process.parts, ids))


@worker_process_init.connect
def _after_fork(**_: Any) -> None:
    configure_traces("samplemind-worker")
    process = _this_process()
    limit_memory(process.parts.settings.max_process_bytes)


@worker_process_shutdown.connect
def _before_exit(**_: Any) -> None:
    finish_traces()


@worker_ready.connect
def _ready(**_: Any) -> None:
    global _heartbeat
    settings = get_settings()
    name = f"{socket.gethostname()}:{os.getpid()}"
    presence = WorkerPresence(name, _processes(), __version__, ENGINE_VERSION)
    _heartbeat = Heartbeat(settings.redis_url, presence, held_tasks, _ask_for_upkeep)
    _heartbeat.start()
    app.send_task(REFRESH)
    _log.info("worker ready", name=name, processes=_processes())


@worker_shutting_down.connect
def _told_to_stop(how: str, **_: Any) -> None:
    """What is at work goes on for a while; what is not done by then is handed back."""
    if how == "Warm":
        timer = threading.Timer(get_settings().worker_stop_seconds, _stop_now)
        timer.daemon = True
        timer.start()


def _stop_now() -> None:
    running = [request.id for request in list(state.active_requests)]
    try:
        asyncio.run(_hand_back(running))
    except Exception:
        # Found by `reconcile` then, as what a dead worker leaves.
        _log.exception("analyses not handed back", ids=running)
    os.kill(os.getpid(), signal.SIGQUIT)


async def _hand_back(analysis_ids: list[str]) -> None:
    parts = Parts.open(get_settings())
    await hand_back(parts, analysis_ids, lost=False)
    await parts.close()


@worker_shutdown.connect
def _shut_down(**_: Any) -> None:
    if _heartbeat:
        _heartbeat.stop()


def _ask_for_upkeep(redis: Redis) -> None:
    """One worker at a time asks, and only while somebody is there to do it."""
    for task, seconds in ((RECONCILE, _RECONCILE_SECONDS), (PATROL, _PATROL_SECONDS)):
        if redis.set(f"samplemind:asked:{task}", 1, nx=True, ex=seconds):
            app.send_task(task, expires=2 * seconds)


def _processes() -> int:
    return get_settings().workers or os.cpu_count() or 1


def work() -> None:
    """Runs until it is told to stop. Everything dear is paid once, before the fork."""
    import chromadb  # noqa: F401 - 2 s that each process would pay

    metrics.listen(get_settings(), metrics.of_all_processes())
    warm_up()
    app.worker_main(
        [
            "worker",
            f"--queues={','.join(QUEUES)}",
            f"--concurrency={_processes()}",
            f"--max-memory-per-child={_KEPT_KIB}",
            f"--loglevel={get_settings().log_level}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )
