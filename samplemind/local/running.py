"""Owns a data directory and runs the parts in it: for `samplemind serve`, and for tests."""

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout
from rich.console import Console

from samplemind.local.addresses import remove_addresses, write_addresses
from samplemind.local.catalogue import databases, processes
from samplemind.local.introduction import introduce
from samplemind.local.part import Part
from samplemind.local.records import end_leftovers
from samplemind.local.signals import Signals
from samplemind.local.supervisor import Supervisor
from samplemind.refusal import CannotStart, refuse_unsafe
from samplemind.secret import with_secret
from samplemind.settings import Settings
from samplemind.trusted import trusted_documents

_READY_SECONDS = 180.0  # the very first start compiles what analysis needs
_DATABASES_READY_SECONDS = 60.0


def serve(settings: Settings, others: Callable[[Settings], list[Part]] = processes) -> None:
    """Runs the databases and `others` until SIGINT or SIGTERM, from the main thread.

    Raises CannotStart with a sentence for people.
    """
    say = _speaker()
    refuse_unsafe(settings)
    trusted_documents(settings.trusted_documents)
    # Where it is set, the worker and the API would compile all they import at every start.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    settings = settings.model_copy(update={"data_dir": settings.data_dir.absolute()})
    with Signals() as signals, _owned(settings.data_dir, say):
        settings = settings.model_copy(update={"port": _port(settings)})
        given = with_secret(settings)
        settings, parts = databases(settings)
        write_addresses(settings)
        supervisor = Supervisor([*parts, *others(settings)], settings.data_dir, say, signals)
        try:
            say(f"Starting {', '.join(c.part.name for c in supervisor.children)} ...")
            supervisor.start()
            if supervisor.wait_until_ready(_READY_SECONDS):
                introduce(say, supervisor.children, given, settings)
                supervisor.watch()
            say("Stopping ...")
        finally:
            remove_addresses(settings)
            supervisor.stop()
    say("Stopped.")


@contextlib.contextmanager
def running_parts(data_dir: Path) -> Iterator[Settings]:
    """The databases without the API and a worker, for tests; yields their addresses.

    From the main thread: on Linux the databases end with the thread that started them.
    """
    data_dir = data_dir.absolute()
    with _owned(data_dir, say=lambda _: None):
        nothing_given = {"mongo_url": "", "redis_url": "", "chroma_url": "", "blob_url": ""}
        settings = Settings().model_copy(update={**nothing_given, "data_dir": data_dir})
        settings, parts = databases(settings)
        supervisor = Supervisor(parts, data_dir, lambda _: None, _Sleeping())
        try:
            supervisor.start()
            supervisor.wait_until_ready(_DATABASES_READY_SECONDS)
            yield settings
        finally:
            supervisor.stop()


class _Sleeping:
    """Waits without touching signals, which are the test runner's; so it looks often instead."""

    stops = 0

    def pause(self, seconds: float | None) -> None:
        time.sleep(0.02 if seconds is None else min(seconds, 0.02))


@contextlib.contextmanager
def _owned(data_dir: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Nobody else runs parts in `data_dir`, and nothing of an earlier run is left."""
    run = data_dir / "run"
    holder = run / "supervisor.pid"
    lock = FileLock(data_dir / "lock")
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        run.mkdir(exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        pid = holder.read_text().strip() if holder.exists() else "unknown"
        raise CannotStart(
            f"SampleMind already runs in {data_dir} (pid {pid}): stop it first, or set "
            "SAMPLEMIND_DATA_DIR to another folder."
        ) from None
    except OSError as error:
        raise CannotStart(
            f"{data_dir} cannot hold the data ({error.strerror}): set SAMPLEMIND_DATA_DIR to a "
            "folder that you may write to."
        ) from None
    try:
        holder.write_text(str(os.getpid()))
        end_leftovers(run, say)
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _port(settings: Settings) -> int:
    """The port to listen on, free at this moment; a free one of the system's choice for 0."""
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as free:
            return free.getsockname()[1]
    except OSError as error:
        raise CannotStart(
            f"Port {port} on {host} is not to be had ({error.strerror}): "
            "set SAMPLEMIND_PORT to another one."
        ) from None


def _speaker() -> Callable[[str], None]:
    """One line at a time on stdout, beside the API's log on stderr."""
    console = Console(highlight=False, markup=False)
    return lambda line: console.print(line, soft_wrap=True)
