"""Each command to the documents as a step of the trace under way."""

from typing import TYPE_CHECKING

from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from samplemind import tracing

if TYPE_CHECKING:
    from opentelemetry.trace import Span


class TracedCommands(CommandListener):
    def __init__(self) -> None:
        self._spans: dict[int, Span] = {}

    def started(self, event: CommandStartedEvent) -> None:
        collection = event.command.get(event.command_name)
        name = f"documents {event.command_name}"
        if span := tracing.begin(f"{name} {collection}" if isinstance(collection, str) else name):
            self._spans[event.request_id] = span

    def succeeded(self, event: CommandSucceededEvent) -> None:
        if span := self._spans.pop(event.request_id, None):
            span.end()

    def failed(self, event: CommandFailedEvent) -> None:
        if span := self._spans.pop(event.request_id, None):
            span.set_attribute("error.type", type(event.failure).__name__)
            span.end()
