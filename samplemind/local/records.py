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
from pathlib import Path

import psutil

MARK = "SAMPLEMIND_RUN"
_SAME_TIME_SECONDS = 2.0  # the clock may have been set in between
_GRACE_SECONDS = 15.0


def write_record(folder: Path, name: str, pid: int, run: str) -> None:
    record = {"name": name, "pid": pid, "created": psutil.Process(pid).create_time(), "run": run}
    unfinished = folder / f"{name}.new"
    unfinished.write_text(json.dumps(record))
    unfinished.replace(folder / f"{name}.json")


def remove_record(folder: Path, name: str) -> None:
    (folder / f"{name}.json").unlink(missing_ok=True)


def end_leftovers(
    folder: Path, say: Callable[[str], None], grace: float = _GRACE_SECONDS
) -> None:
    """Ends every process on record: asks all at once, waits `grace` seconds, then kills.

    Only whoever holds the data directory's lock may call this.
    """
    records = list(folder.glob("*.json"))
    left: list[psutil.Process] = []
    for path in records:
        # A record cut short by a power cut names nothing that still runs.
        with contextlib.suppress(ValueError, KeyError, TypeError):
            record = json.loads(path.read_text())
            if found := _of(record):
                say(f"Ending what an earlier run left: {record['name']} (pid {record['pid']}).")
                left += found
    _signal(left, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while (left := [each for each in left if _runs(each)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal(left, signal.SIGKILL)
    while any(_runs(each) for each in left):
        time.sleep(0.05)
    for path in records:
        path.unlink(missing_ok=True)


def _of(record: dict) -> list[psutil.Process]:
    """The processes that the record stands for and that still run."""
    pid, created, run = int(record["pid"]), float(record["created"]), str(record["run"])
    with contextlib.suppress(psutil.Error):
        leader = psutil.Process(pid)
        if abs(leader.create_time() - created) < _SAME_TIME_SECONDS and _runs(leader):
            return [leader, *_session(pid, run, but=pid)]
    return _session(pid, run)


def _session(pid: int, run: str, but: int | None = None) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            ours = os.getsid(process.pid) == pid and process.environ().get(MARK) == run
            if ours and process.pid != but and _runs(process):
                found.append(process)
    return found


def _runs(process: psutil.Process) -> bool:
    """A zombie runs no more, even where nobody collects it."""
    with contextlib.suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _signal(those: list[psutil.Process], number: signal.Signals) -> None:
    for process in those:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)
