"""Each request as a trace, or as a part of the caller's own."""

from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from samplemind import tracing
from samplemind.logs import shown

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Traced:
    """A socket lasts for hours, so its operations are traces of their own."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http" or "/health" in scope["path"]:
            await self._app(scope, receive, send)
            return
        method, path = scope["method"], shown(scope["path"])
        with tracing.trace(f"{method} {path}", Headers(scope=scope), "SERVER") as span:

            async def send_and_note(message: "Message") -> None:
                if span and message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            await self._app(scope, receive, send_and_note)
