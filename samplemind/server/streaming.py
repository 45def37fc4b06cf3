"""A response that goes on: results as they come, until the end, or until the client leaves."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Collection, Coroutine
from typing import Any

import structlog
from graphql import DocumentNode
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.http import GraphQLRequestData
from strawberry.schema import BaseSchema
from strawberry.types.execution import PreExecutionError, StreamExecutionResult
from strawberry.types.graphql import OperationType
from strawberry.utils.operation import get_operation_type

from resolvers.scope import Scope as CallerScope
from samplemind import metrics
from samplemind.domain.errors import Unauthenticated
from samplemind.server.media_types import accepted, answer_type
from samplemind.server.transports import Transport, choose
from schema.defer import defers, in_parts
from schema.errors import refused

_log = structlog.get_logger(__name__)

# Who takes longer to make room for the next part is dropped, rather than waited for.
SLOW_SECONDS = 10

# What is told where the session or key ends that something is live by.
OVER = Unauthenticated("Your session or key has ended: sign in again.")

Results = AsyncGenerator[StreamExecutionResult, None]


async def results(schema: BaseSchema, request: GraphQLRequestData, context: CallerScope) -> Results:
    """The results of one operation, in order. A refused one has a PreExecutionError only."""
    stream = await schema.stream(
        request.query,
        variable_values=request.variables,
        context_value=context,
        operation_name=request.operation_name,
        operation_extensions=request.extensions,
    )
    async with contextlib.aclosing(stream):
        async for result in stream:
            yield result


def transport_for(
    document: DocumentNode | None,
    operation_name: str | None,
    accept: str | None,
    allowed: Collection[OperationType],
) -> type[Transport] | None:
    """How the results of an operation go over HTTP; None where one plain answer does.

    What is wrong with a document, which is None where it is no GraphQL, is told by whoever
    executes it.
    """
    wanted, plain = accepted(accept), answer_type(accept) is not None
    try:
        operation = document and get_operation_type(document, operation_name)
    except RuntimeError:
        operation = None
    if document is None or operation is None:
        return choose(wanted, None, plain=plain, defers=False)
    if operation not in allowed:
        return None
    return choose(wanted, operation, plain=plain, defers=defers(document))


class StreamedResponse(Response):
    """Sends `results` by way of `transport`.

    The results are closed, with whatever they hold, as soon as the client has left, or has not
    read for SLOW_SECONDS, or `over` has ended: the client's session.
    """

    def __init__(
        self, results: Results, transport: Transport, over: Coroutine[Any, Any, None]
    ) -> None:
        headers = {"cache-control": "no-cache, no-transform", "x-accel-buffering": "no"}
        self.status_code = 200
        self.media_type = transport.media_type
        self.background = None
        self.init_headers(headers)
        self._results, self._transport, self._over = results, transport, over

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sender = _Sender(send)
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            await _first_to_end(
                self._send(sender), self._beat(sender), self._end(sender), _left(receive)
            )
        except TimeoutError:
            metrics.slow_readers_dropped.inc()
            _log.info("a slow reader was dropped", path=scope["path"])

    async def _send(self, sender: "_Sender") -> None:
        transport = self._transport
        in_parts.set(transport.defers)
        async with contextlib.aclosing(self._results) as results:
            await sender.send(transport.start)
            async for result in results:
                await sender.send(transport.result(result))
        await sender.send(transport.end, more=False)

    async def _end(self, sender: "_Sender") -> None:
        await self._over
        await sender.send(self._transport.result(PreExecutionError(None, [refused(OVER)])))
        await sender.send(self._transport.end, more=False)

    async def _beat(self, sender: "_Sender") -> None:
        while True:
            await asyncio.sleep(self._transport.beat_seconds)
            await sender.send(self._transport.beat)


class _Sender:
    """One part at a time, each within SLOW_SECONDS, and nothing after the last one, whoever sent
    that. Raises TimeoutError."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._turn = asyncio.Lock()
        self._has_ended = False

    async def send(self, body: bytes, *, more: bool = True) -> None:
        async with self._turn, asyncio.timeout(SLOW_SECONDS):
            if self._has_ended:
                return
            self._has_ended = not more
            await self._send({"type": "http.response.body", "body": body, "more_body": more})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _first_to_end(*works: Coroutine[Any, Any, None]) -> None:
    """Waits for the first to end, ends the others, and raises what the first raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()
