"""How a command ends."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer


@contextmanager
def ending_at_once() -> Iterator[None]:
    """Around a command. Where it used obstore, the process ends without the interpreter's end,
    which that library's threads now and then meet with an abort: the exit code would not be ours.
    """
    try:
        yield
    except typer.Exit as end:
        _end(end.exit_code)
        raise
    _end(0)


def _end(exit_code: int) -> None:
    if "obstore" in sys.modules:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)
