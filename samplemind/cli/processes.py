"""Many files analysed in processes of their own, of which each has one file at a time.

So a process that dies takes one file with it, and it is known which. (concurrent.futures gives up
on everything that waits when one process dies.) A process ends with whoever started it, however
that ended, because its standard input does.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from samplemind.cli.listening import failure
from samplemind.cli.threads import ONE_THREAD
from samplemind.domain.analysis import AnalysisLevel

LISTENING = (sys.executable, "-P", "-m", "samplemind.cli.listening")


def listen_in_processes(
    paths: Sequence[Path],
    level: AnalysisLevel,
    jobs: int,
    command: Sequence[str] = LISTENING,
) -> Iterator[dict[str, Any]]:
    """One object a file, in the order of `paths`, each as soon as it and all before it are ready.

    A file whose process dies has the failure WORKER_LOST.
    """
    listeners = [_Listener([*command, level]) for _ in range(min(jobs, len(paths)))]
    idle: SimpleQueue[_Listener] = SimpleQueue()
    for listener in listeners:
        idle.put(listener)

    def listen(path: Path) -> dict[str, Any]:
        listener = idle.get()
        try:
            return listener.listen(path)
        finally:
            idle.put(listener)

    with ThreadPoolExecutor(len(listeners)) as threads:
        try:
            yield from threads.map(listen, paths)
        finally:
            for listener in listeners:
                listener.kill()


class _Listener:
    """A process that is started when it is needed, and again after it was lost."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[str] | None = None

    def listen(self, path: Path) -> dict[str, Any]:
        process = self._process
        if process is None or process.poll() is not None:
            process = self._process = self._start()
        question = json.dumps(str(path))
        try:
            print(question, file=process.stdin, flush=True)
            return json.loads(process.stdout.readline() if process.stdout else "")
        except (OSError, ValueError):
            return failure(path, "WORKER_LOST", _how_it_ended(process.wait()))

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 - the command is ours
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=ONE_THREAD | os.environ,
            # Ctrl-C is for us to handle: we end these.
            process_group=0,
        )


def _how_it_ended(code: int) -> str:
    how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    hint = " Is there enough memory?" if code == -signal.SIGKILL else ""
    return f"The process that analysed this file ended {how}.{hint}"
