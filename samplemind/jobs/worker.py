"""The worker: Celery's processes around the use cases of this package."""

import asyncio
import os
import socket
from typing import Any

import structlog
from celery import Task
from celery.signals import worker_process_init, worker_ready, worker_shutdown

from samplemind import __version__
from samplemind.audio import ENGINE_VERSION
from samplemind.audio.analyze import analyze, warm_up
from samplemind.domain.analysis import AnalysisStatus
from samplemind.jobs.analysis import run_analysis
from samplemind.jobs.app import BATCH, INTERACTIVE, app
from samplemind.jobs.presence import Heartbeat, WorkerPresence
from samplemind.jobs.queue import ANALYZE, DISPATCH_BATCH, HEAR_UNSAVED, RECOVER, send_out
from samplemind.jobs.recovery import lost_analyses, outdated_files
from samplemind.jobs.unsaved import run_unsaved
from samplemind.parts import Parts
from samplemind.settings import get_settings

_log = structlog.get_logger(__name__)


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


@app.task(name=ANALYZE, bind=True)
def _analyze(task: Task, analysis_id: str, again: bool = False) -> None:
    process = _this_process()
    again = again or bool((task.request.delivery_info or {}).get("redelivered"))
    process.runner.run(run_analysis(process.parts, analyze, analysis_id, again=again))


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


@worker_process_init.connect
def _after_fork(**_: Any) -> None:
    _this_process()


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
            f"--loglevel={get_settings().log_level}",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )
