"""Which commands the driver really sends. Import this before a client is made."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import monitoring

_COUNTED = {"find", "aggregate", "count", "distinct", "insert", "update", "delete", "findAndModify"}


class _Recorder(monitoring.CommandListener):
    def __init__(self) -> None:
        self.into: list[dict[str, Any]] | None = None

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if self.into is not None and event.command_name in _COUNTED:
            self.into.append(dict(event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


_recorder = _Recorder()
monitoring.register(_recorder)


@contextmanager
def recorded_commands() -> Iterator[list[dict[str, Any]]]:
    """The commands that read or write documents meanwhile, by any client of this process."""
    _recorder.into = commands = []
    try:
        yield commands
    finally:
        _recorder.into = None
