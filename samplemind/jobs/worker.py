"""The worker: Celery's processes around the use cases of this package."""

import asyncio
import os
import socket
from functools import partial
from typing import Any

import structlog
from celery import Task
from celery.signals import worker_process_init, worker_ready, worker_shutdown
from celery.worker.request import Request

from samplemind import __version__
from samplemind.audio import ENGINE_VERSION
from samplemind.audio.analyze import analyze, warm_up
from samplemind.domain.analysis import AnalysisStatus
from samplemind.jobs.analysis import give_up, run_analysis
from samplemind.jobs.app import BATCH, INTERACTIVE, app
from samplemind.jobs.deliveries import deliver
from samplemind.jobs.presence import Heartbeat, WorkerPresence
from samplemind.jobs.queue import (
    ANALYZE,
    DELIVER,
    DISPATCH_BATCH,
    GIVE_UP,
    HEAR_UNSAVED,
    RECOVER,
    send_out,
)
from samplemind.jobs.recovery import lost_analyses, outdated_files
from samplemind.jobs.unsaved import run_unsaved
from samplemind.memory_limit import limit_memory
from samplemind.parts import Parts
from samplemind.settings import get_settings

_log = structlog.get_logger(__name__)

# A process that holds more than this after a task is replaced: a long sound leaves holes behind.
_KEPT_KIB = 1024 * 1024


class _Process:
    """What one worker process holds: an event loop and the parts, both made after the fork."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
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
def _analyze(task: Task, analysis_id: str, again: bool = False) -> None:
    process = _this_process()
    again = again or bool((task.request.delivery_info or {}).get("redelivered"))
    limited = partial(analyze, limits=process.parts.settings.sound_limits)
    process.runner.run(run_analysis(process.parts, limited, analysis_id, again=again))


@app.task(name=GIVE_UP)
def _give_up(analysis_id: str, seconds: float) -> None:
    process = _this_process()
    process.runner.run(give_up(process.parts, analysis_id, seconds))


@app.task(name=HEAR_UNSAVED)
def _hear_unsaved(id_: str, filename: str) -> None:
    process = _this_process()
    process.runner.run(run_unsaved(process.parts, analyze, id_, filename))


@app.task(name=RECOVER)
def _recover(worker: str) -> None:
    process = _this_process()
    send_out(process.runner.run(lost_analyses(process.parts, worker)), again=True)
    send_out(process.runner.run(outdated_files(process.parts)))


@app.task(name=DISPATCH_BATCH)
def _dispatch_batch(owner_id: str, batch_id: str) -> None:
    process = _this_process()
    analyses = process.parts.store.analyses
    queued = AnalysisStatus.QUEUED
    send_out(process.runner.run(analyses.ids_of_batch(owner_id, batch_id, queued)))


@app.task(name=DELIVER)
def _deliver(ids: list[str]) -> None:
    process = _this_process()
    process.runner.run(deliver(process.parts, ids))


@worker_process_init.connect
def _after_fork(**_: Any) -> None:
    process = _this_process()
    limit_memory(process.parts.settings.max_process_bytes)


@worker_ready.connect
def _ready(**_: Any) -> None:
    global _heartbeat
    settings = get_settings()
    name = f"{socket.gethostname()}:{os.getpid()}"
    presence = WorkerPresence(name, _processes(), __version__, ENGINE_VERSION)
    _heartbeat = Heartbeat(settings.redis_url, presence)
    _heartbeat.start()
    app.send_task(RECOVER, [name])
    _log.info("worker ready", name=name, processes=_processes())


@worker_shutdown.connect
def _shut_down(**_: Any) -> None:
    if _heartbeat:
        _heartbeat.stop()


def _processes() -> int:
    return get_settings().workers or os.cpu_count() or 1


def work() -> None:
    """Runs until it is told to stop. Everything dear is paid once, before the fork."""
    import chromadb  # noqa: F401 - 2 s that each process would pay

    warm_up()
    app.worker_main(
        [
            "worker",
            f"--queues={INTERACTIVE},{BATCH}",
            f"--concurrency={_processes()}",
            f"--max-memory-per-child={_KEPT_KIB}",
            f"--loglevel={get_settings().log_level}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )
