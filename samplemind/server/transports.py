"""The ways in which several results follow each other in one HTTP response.

Server-sent events: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md, distinct
connections mode. Subscriptions as multipart: Apollo's protocol, `subscriptionSpec=1.0`. `@defer`
as multipart: `incrementalSpec=v0.2` (https://specs.apollo.dev/incremental/v0.2), which is also the
form of GraphQL's own working draft, and `deferSpec=20220824`, which came before it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from graphql import (
    InitialIncrementalExecutionResult,
    SubsequentIncrementalExecutionResult,
)
from strawberry.types.execution import PreExecutionError, StreamExecutionResult
from strawberry.types.graphql import OperationType

from samplemind.server.media_types import MediaRange

Encode = Callable[[object], str]


class Transport(ABC):
    """Made for one response. `beat` goes out every `beat_seconds`, so that no proxy hangs up."""

    media_type: ClassVar[str]
    start: ClassVar[bytes] = b""
    beat: ClassVar[bytes] = b""
    beat_seconds: ClassVar[float] = 12
    end: ClassVar[bytes]
    defers: ClassVar[bool] = False

    def __init__(self, encode: Encode) -> None:
        self._encode = encode

    @abstractmethod
    def result(self, result: StreamExecutionResult) -> bytes: ...


class ServerSentEvents(Transport):
    media_type = "text/event-stream; charset=utf-8"
    start = beat = b":\n\n"
    # Browsers drop an event without data.
    end = b"event: complete\ndata:\n\n"

    def result(self, result: StreamExecutionResult) -> bytes:
        return f"event: next\ndata: {self._encode(formatted(result))}\n\n".encode()


class _Multipart(Transport):
    start = b"--graphql"
    end = b"--\r\n"

    def _part(self, body: object) -> bytes:
        # The delimiter that ends a part is sent with it: readers wait for it.
        return _part(self._encode(body).encode())


class MultipartSubscription(_Multipart):
    media_type = 'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0'
    beat_seconds = 5

    def result(self, result: StreamExecutionResult) -> bytes:
        return self._part({"payload": formatted(result)})


class Deferred(_Multipart):
    media_type = 'multipart/mixed; boundary="graphql"; incrementalSpec=v0.2'
    defers = True

    def result(self, result: StreamExecutionResult) -> bytes:
        return self._part({"hasNext": False, **formatted(result)})


class Deferred20220824(_Multipart):
    """Each part names its own path and label, where the later form refers to what is pending."""

    media_type = 'multipart/mixed; boundary="graphql"; deferSpec=20220824'
    defers = True

    def __init__(self, encode: Encode) -> None:
        super().__init__(encode)
        self._pending: dict[str, dict[str, Any]] = {}

    def result(self, result: StreamExecutionResult) -> bytes:
        later = formatted(result)
        for pending in later.pop("pending", ()):
            self._pending[pending.pop("id")] = pending
        parts = [
            {**self._where(part.pop("id"), part.pop("subPath", ())), **part}
            for part in later.pop("incremental", ())
        ] + [
            # What failed as a whole. The rest has been told already.
            {**self._where(done["id"]), "data": None, "errors": done["errors"]}
            for done in later.pop("completed", ())
            if "errors" in done
        ]
        return self._part({"hasNext": False, **later, **({"incremental": parts} if parts else {})})

    def _where(self, id_: str, sub_path: Sequence[str | int] = ()) -> dict[str, Any]:
        pending = self._pending[id_]
        return {**pending, "path": [*pending["path"], *sub_path]}


def _part(body: bytes) -> bytes:
    return b"\r\nContent-Type: application/json; charset=utf-8\r\n\r\n%b\r\n--graphql" % body


MultipartSubscription.beat = _part(b"{}")


def formatted(result: StreamExecutionResult) -> dict[str, Any]:
    """As it goes over the wire."""
    if isinstance(result, InitialIncrementalExecutionResult | SubsequentIncrementalExecutionResult):
        return {
            name: value for name, value in result.formatted.items() if name != "extensions" or value
        }
    # A request that was refused has no data, which is not the same as null.
    answer: dict[str, Any] = {} if isinstance(result, PreExecutionError) else {"data": result.data}
    if result.errors:
        answer["errors"] = [error.formatted for error in result.errors]
    if result.extensions:
        answer["extensions"] = result.extensions
    return answer


def choose(
    wanted: list[MediaRange], operation: OperationType | None, *, plain: bool, defers: bool
) -> type[Transport] | None:
    """The transport for an operation; None where the client takes one plain answer, or none.

    `operation` is None where the document does not tell it: it is not valid, say. `plain` says
    that the client would take one answer.
    """
    streams = [stream for media in wanted if (stream := _stream(media))]
    if operation is OperationType.SUBSCRIPTION:
        return next((stream for stream in streams if not stream.defers), None)
    if defers and (deferring := next((stream for stream in streams if stream.defers), None)):
        return deferring
    return None if plain else next(iter(streams), None)


def may_stream(wanted: list[MediaRange]) -> bool:
    return any(map(_stream, wanted))


def _stream(media: MediaRange) -> type[Transport] | None:
    if media.name == "text/event-stream":
        return ServerSentEvents
    if media.name != "multipart/mixed":
        return None
    if "subscriptionspec" in media.parameters:
        known = media.parameters["subscriptionspec"].startswith("1.")
        return MultipartSubscription if known else None
    if media.parameters.get("deferspec") == "20220824":
        return Deferred20220824
    return Deferred
