"""A response that goes on, and how it ends."""

import asyncio
from collections.abc import AsyncGenerator

from starlette.types import Message
from strawberry.types import ExecutionResult

from samplemind.server.streaming import StreamedResponse
from samplemind.server.transports import ServerSentEvents


async def test_ends_once_where_its_session_ends_just_then() -> None:
    """As that of a sign-out does, whose own stream it ends."""
    over, sent = asyncio.Event(), list[Message]()

    async def results() -> AsyncGenerator[ExecutionResult, None]:
        yield ExecutionResult({"logOut": None}, None)

    async def send(message: Message) -> None:
        sent.append(message)
        if message.get("more_body") is False:
            over.set()
            for _ in range(10):
                await asyncio.sleep(0)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def ended() -> None:
        await over.wait()

    response = StreamedResponse(results(), ServerSentEvents(str), ended())
    scope = {"type": "http", "path": "/graphql"}
    await response(scope, receive, send)
    assert [message.get("more_body") for message in sent] == [None, True, True, False]
