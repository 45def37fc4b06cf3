"""GraphQL over WebSocket by the graphql-transport-ws protocol.

https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NamedTuple

import orjson
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect
from strawberry.types.execution import PreExecutionError

from samplemind import metrics
from samplemind.domain.errors import DomainError
from samplemind.server.streaming import OVER, SLOW_SECONDS, Results
from samplemind.server.transports import Encode, formatted

PROTOCOL = "graphql-transport-ws"

_log = structlog.get_logger(__name__)

_INIT_SECONDS = 5
# For the last word to a peer that may have no room for it.
_CLOSE_SECONDS = 1
_MOST_OPERATIONS = 100
# What a close frame has room for (RFC 6455, 5.5).
_REASON_BYTES = 123

Message = dict[str, Any]
Execute = Callable[[Message], Results]


class Opened(NamedTuple):
    """What a socket may do once it has been initialised. It is closed when `over` ends."""

    execute: Execute
    over: Coroutine[Any, Any, None]


Open = Callable[[Message], Awaitable[Opened]]


class _Closed(Exception):
    """Why this side closes the socket."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Connection:
    """One socket. Each operation on it is a task, which ends with the socket."""

    def __init__(self, socket: WebSocket, open_: Open, encode: Encode) -> None:
        """`open_` is given the payload of `connection_init`, and raises a DomainError for one that
        it refuses."""
        self._socket, self._open, self._encode = socket, open_, encode
        self._execute: Execute | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Until either side closes the socket."""
        if PROTOCOL not in self._socket["subprotocols"]:
            await self._socket.accept()
            await self._socket.close(4406, "Subprotocol not acceptable")
            return
        await self._socket.accept(subprotocol=PROTOCOL)
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._listen(tasks)
        except* WebSocketDisconnect:
            pass
        except* _Closed as closed:
            [why, *_] = (error for error in closed.exceptions if isinstance(error, _Closed))
            await self._close(why)
        except* Exception:
            _log.exception("a socket failed")
            await self._close(_Closed(4500, "Internal server error"))

    async def _listen(self, tasks: asyncio.TaskGroup) -> None:
        try:
            async with asyncio.timeout(_INIT_SECONDS):
                while self._execute is None:
                    await self._hear(tasks)
        except TimeoutError:
            raise _Closed(4408, "Connection initialisation timeout") from None
        while True:
            await self._hear(tasks)

    async def _hear(self, tasks: asyncio.TaskGroup) -> None:
        message = await self._receive()
        match message.get("type"):
            case "connection_init":
                payload = _optional_object(message, "payload")
                if self._execute is not None:
                    raise _Closed(4429, "Too many initialisation requests")
                try:
                    self._execute, over = await self._open(payload or {})
                except DomainError as error:
                    raise _Closed(4403, f"{error.code}: {error.message}") from None
                tasks.create_task(_close_after(over))
                await self._send({"type": "connection_ack"})
            case "ping":
                _optional_object(message, "payload")
                echo = {"payload": message["payload"]} if message.get("payload") else {}
                await self._send({"type": "pong", **echo})
            case "pong":
                _optional_object(message, "payload")
            case "subscribe":
                await self._subscribe(_id(message), _operation(message), tasks)
            case "complete":
                task = self._operations.pop(_id(message), None)
                if task:
                    task.cancel()
            case _:
                raise _Closed(4400, "Unknown message type")

    async def _subscribe(self, id_: str, operation: Message, tasks: asyncio.TaskGroup) -> None:
        if self._execute is None:
            raise _Closed(4401, "Unauthorized")
        if id_ in self._operations:
            raise _Closed(4409, f"Subscriber for {id_} already exists")
        if len(self._operations) >= _MOST_OPERATIONS:
            message = f"At most {_MOST_OPERATIONS} operations run at once on one socket."
            error = {"message": message, "extensions": {"code": "TOO_MANY_OPERATIONS"}}
            await self._send({"type": "error", "id": id_, "payload": [error]})
            return
        self._operations[id_] = tasks.create_task(self._run(id_, self._execute(operation)))

    async def _run(self, id_: str, running: Results) -> None:
        last: Message = {"type": "complete", "id": id_}
        async with contextlib.aclosing(running) as results:
            async for result in results:
                payload = formatted(result)
                if isinstance(result, PreExecutionError):
                    last = {"type": "error", "id": id_, "payload": payload["errors"]}
                    break
                await self._send({"type": "next", "id": id_, "payload": payload})
        # The client may use the id again as soon as it has read the last message.
        del self._operations[id_]
        await self._send(last)

    async def _receive(self) -> Message:
        received = await self._socket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received["code"])
        text = received.get("text")
        try:
            message = orjson.loads(text or "")
        except orjson.JSONDecodeError:
            raise _Closed(4400, "A message must be JSON in a text frame") from None
        if not isinstance(message, dict):
            raise _Closed(4400, "A message must be a JSON object")
        return message

    async def _send(self, message: Message) -> None:
        try:
            async with asyncio.timeout(SLOW_SECONDS):
                await self._socket.send_text(self._encode(message))
        except TimeoutError:
            metrics.slow_readers_dropped.inc()
            _log.info("a slow reader was dropped", operations=len(self._operations))
            raise _Closed(4413, "Reading too slowly") from None

    async def _close(self, why: _Closed) -> None:
        reason = why.reason.encode()[:_REASON_BYTES].decode(errors="ignore")
        with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._socket.close(why.code, reason)


async def _close_after(over: Coroutine[Any, Any, None]) -> None:
    await over
    raise _Closed(4403, f"{OVER.code}: {OVER.message}")


def _optional_object(holder: Message, name: str) -> dict[str, Any] | None:
    value = holder.get(name)
    if value is not None and not isinstance(value, dict):
        raise _Closed(4400, f"`{name}` must be an object")
    return value


def _id(message: Message) -> str:
    id_ = message.get("id")
    if not isinstance(id_, str) or not id_:
        raise _Closed(4400, "`id` must be a text that is not empty")
    return id_


def _operation(message: Message) -> Message:
    payload = _optional_object(message, "payload") or {}
    _optional_object(payload, "variables")
    extensions = _optional_object(payload, "extensions") or {}
    is_named = "documentId" in payload or "persistedQuery" in extensions
    for name, may_be_missing in (("query", is_named), ("operationName", True)):
        value = payload.get(name)
        if not isinstance(value, str) and not (value is None and may_be_missing):
            raise _Closed(4400, f"`payload.{name}` must be a text")
    return payload
