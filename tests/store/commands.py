"""Which commands the driver really sends. Import this before a client is made."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo import monitoring

from samplemind.store.database import Database
from tests.store.planning import Read, reads, shape

_COUNTED = {"find", "aggregate", "count", "distinct", "insert", "update", "delete", "findAndModify"}


class _Recorder(monitoring.CommandListener):
    def __init__(self) -> None:
        self.into: list[dict[str, Any]] | None = None
        self.shapes: dict[str, Read] = {}

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name not in _COUNTED or event.database_name != "samplemind":
            return
        if self.into is not None:
            self.into.append(dict(event.command))
        for read in reads(event.command):
            self.shapes.setdefault(shape(read), read)

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


def every_read() -> list[Read]:
    """One read of each shape that was sent since the start, by any client of this process."""
    return list(_recorder.shapes.values())


async def indexes_of(database: Database, collection: str) -> list[list[str]]:
    """The fields of each index."""
    found = await database[collection].index_information()
    return [[field for field, _ in index["key"]] for index in found.values()]
