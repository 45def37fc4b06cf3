"""How far a long step is: a bar on a terminal, plain lines anywhere else. On standard error."""

import time
from typing import Self

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

_console = Console(stderr=True)
_LINE_SECONDS = 10


class Stage:
    """One step over many files, or other things (`of`). With `size`, bytes are what the bar, the
    rate and the time left go by; else files are."""

    def __init__(self, doing: str, files: int, size: int = 0, of: str = "file") -> None:
        self._doing, self._files, self._done, self._of = doing, files, 0, of
        self._told = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            _Files(),
            _Rate(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=_console,
            disable=not _console.is_terminal,
        )
        self._task = self._bar.add_task(
            doing, total=size or files, files=files, done=0, failed=0, size=size, of=of
        )
        self._by_size = size > 0

    def __enter__(self) -> Self:
        self._bar.start()
        if not _console.is_terminal:
            amount = f", {decimal(self._bar.tasks[0].fields['size'])}" if self._by_size else ""
            _say(f"{self._doing}: {counted(self._files, self._of)}{amount}")
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def advance(self, files: int = 0, *, size: int = 0, failed: int = 0) -> None:
        """`files` more are done, of which `failed` failed; `size` more bytes are."""
        self._done += files
        fields = self._bar.tasks[0].fields
        self._bar.update(
            self._task,
            advance=size if self._by_size else files,
            done=self._done,
            failed=fields["failed"] + failed,
        )
        now = time.monotonic()
        if not _console.is_terminal and now - self._told >= _LINE_SECONDS:
            self._told = now
            _say(f"{self._doing}: {self._done:,} of {counted(self._files, self._of)}")


def counted(number: int, of: str = "file") -> str:
    return f"{number:,} {of}{'' if number == 1 else 's'}"


class _Files(ProgressColumn):
    def render(self, task: Task) -> Text:
        done, files, failed = (task.fields[name] for name in ("done", "files", "failed"))
        text = Text(f"{done:,}/{counted(files, task.fields['of'])}")
        return text.append(f", {failed:,} failed", "red") if failed else text


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if speed is None:
            return Text()
        return Text(f"{decimal(int(speed))}/s" if task.fields["size"] else f"{speed:.1f}/s")


def _say(line: str) -> None:
    _console.print(line, markup=False, highlight=False, soft_wrap=True)
