"""One running part: a process in a session of its own, with a record and a log."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from samplemind.local.part import Part
from samplemind.local.records import MARK, remove_record, write_record

_LOG_TAIL_LINES = 15
_TETHER = str(Path(__file__).with_name("tether.py"))


class Child:
    """`folder` is the data directory; `run` marks every process of this run."""

    def __init__(self, part: Part, folder: Path, run: str) -> None:
        self.part = part
        self._records = folder / "run"
        self._run = run
        self._over = True
        self.log = None if part.on_terminal else folder / "logs" / f"{part.name}.log"
        if self.log and self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))

    def start(self) -> None:
        """From the main thread: on Linux a child ends with the thread that started it."""
        part = self.part
        if part.folder:
            part.folder.mkdir(parents=True, exist_ok=True)
        tethered = (sys.executable, "-I", "-S", _TETHER, str(os.getpid()))
        with self._output() as output:
            self.process = subprocess.Popen(  # noqa: S603 - the command is ours
                (*tethered, *part.command),
                cwd=part.folder,
                env={**os.environ, **part.environment, MARK: self._run},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # so that Ctrl-C reaches the supervisor only
            )
        self._over = False
        self.started = time.monotonic()
        write_record(self._records, part.name, self.process.pid, self._run)

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def how_it_ended(self) -> str:
        code = self.process.returncode
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name

    def stop(self, pause: Callable[[float], None], hurry: Callable[[], float]) -> None:
        """Asks it to end, waits for the part's grace or `hurry()` if less, then kills."""
        if self._over:
            return
        asked = time.monotonic()
        self.process.terminate()
        while not self.ended:
            left = asked + min(self.part.grace, hurry()) - time.monotonic()
            if left <= 0:
                break
            pause(left)
        self.end_group()

    def end_group(self) -> None:
        """Kills what is left of its session's processes, the part itself included.

        Only once for each start: later the process id may be a stranger's.
        """
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._over = True
        remove_record(self._records, self.part.name)

    def last_lines(self) -> str:
        if not self.log:
            return "Its own words stand above."
        lines = self.log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
        return "\n".join([f"The end of {self.log}:", *(f"  {line}" for line in lines)])

    def _output(self) -> contextlib.AbstractContextManager[IO[bytes] | int]:
        if not self.log:
            return contextlib.nullcontext(sys.stderr.fileno())
        return self.log.open("ab")
