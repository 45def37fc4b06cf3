"""What was started is written down, so that the next start can end what a kill left behind.

A record names a process by its pid and start time: a pid alone may have gone to a stranger. The
processes that a part started itself share its session and carry its run's mark in their
environment, which is how they are known when the part itself is gone.
"""

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from samplemind.refusal import CannotStart

MARK = "SAMPLEMIND_RUN"
_SAME_TIME_SECONDS = 2.0  # the clock may have been set in between
_KILL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class _Record:
    name: str
    pid: int
    created: float
    run: str


def write_record(folder: Path, name: str, pid: int, run: str) -> None:
    record = _Record(name, pid, psutil.Process(pid).create_time(), run)
    unfinished = folder / f"{name}.new"
    unfinished.write_text(json.dumps(asdict(record)))
    unfinished.replace(folder / f"{name}.json")


def remove_record(folder: Path, name: str) -> None:
    (folder / f"{name}.json").unlink(missing_ok=True)


def end_leftovers(folder: Path, say: Callable[[str], None], grace: float = 15.0) -> None:
    """Ends every process on record: asks all at once, waits `grace` seconds, then kills.

    Only whoever holds the data directory's lock may call this.
    """
    records = _read(folder)
    for record in records:
        if found := _processes(record):
            say(f"Ending what an earlier run left: {record.name} (pid {record.pid}).")
            # The program itself is asked first: it knows how to end the processes it started.
            _signal(found[:1] if found[0].pid == record.pid else found, signal.SIGTERM)
    _await_end(records, grace)
    _signal([each for record in records for each in _processes(record)], signal.SIGKILL)
    if left := _await_end(records, _KILL_SECONDS):
        pids = ", ".join(str(each.pid) for each in left)
        raise CannotStart(f"What an earlier run left does not end (pid {pids}): end it by hand.")
    for path in folder.glob("*.json"):
        path.unlink()


def _read(folder: Path) -> list[_Record]:
    records = []
    for path in folder.glob("*.json"):
        # A record cut short by a power cut names nothing that still runs.
        with contextlib.suppress(ValueError, TypeError):
            records.append(_Record(**json.loads(path.read_text())))
    return records


def _processes(record: _Record) -> list[psutil.Process]:
    """What still runs of a record: the process itself, if it does, then those of its session."""
    found = []
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(record.pid)
        if abs(process.create_time() - record.created) < _SAME_TIME_SECONDS and _runs(process):
            found.append(process)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid == record.pid or os.getsid(process.pid) != record.pid:
                continue
            if process.environ().get(MARK) == record.run and _runs(process):
                found.append(process)
    return found


def _await_end(records: list[_Record], seconds: float) -> list[psutil.Process]:
    """Returns what still runs after that time."""
    deadline = time.monotonic() + seconds
    while left := [each for record in records for each in _processes(record)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return left


def _runs(process: psutil.Process) -> bool:
    """A zombie runs no more, even where nobody collects it."""
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _signal(those: list[psutil.Process], number: signal.Signals) -> None:
    for process in those:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
