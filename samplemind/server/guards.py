"""What every answer says to browsers, which names this server answers to, and how many requests
it takes at once."""

from collections.abc import Collection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from samplemind.domain.errors import Overloaded
from samplemind.refusal import is_loopback
from samplemind.server.errors import RequestError
from samplemind.server.media_types import JSON
from samplemind.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# For all but the explorer's page, which says what it needs.
_NOTHING = "default-src 'none'; frame-ancestors 'none'"
_YEAR_SECONDS = 365 * 24 * 3_600


class SecurityHeaders:
    """No answer is guessed to be another type, framed, or told to other sites as a referrer; what
    came by HTTPS is asked for by HTTPS from then on."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_secure = scope.get("scheme") == "https"

        async def send_with_headers(message: "Message") -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["x-content-type-options"] = "nosniff"
                headers["referrer-policy"] = "no-referrer"
                headers["x-frame-options"] = "DENY"
                headers.setdefault("content-security-policy", _NOTHING)
                if is_secure:
                    headers["strict-transport-security"] = f"max-age={_YEAR_SECONDS}"
            await send(message)

        await self._app(scope, receive, send_with_headers)


class KnownHosts:
    """Refuses requests to names that are not this server's.

    Without sign-in it trusts whoever reaches it on this machine, which is any page whose name
    leads here (DNS rebinding); the name gives it away.
    """

    def __init__(self, app: "ASGIApp", names: Collection[str]) -> None:
        self._app, self._names = app, names

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] in ("http", "websocket"):
            name = _name(Headers(scope=scope).get("host", ""))
            if not (name in self._names or is_loopback(name)):
                message = (
                    f"This server does not go by the name {name[:80]!r}: open it as localhost, or "
                    "set SAMPLEMIND_PUBLIC_URL."
                )
                refusal = RequestError(421, message, "HOST_NOT_KNOWN").response(JSON)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


class Crowd:
    """Refuses at once what comes while `most` requests are under way: they would all be late.

    What streams counts until its answer begins; health is always told.
    """

    def __init__(self, app: "ASGIApp", most: int) -> None:
        self._app, self._most = app, most
        self._under_way = 0

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] != "http" or "/health" in scope["path"]:
            await self._app(scope, receive, send)
            return
        if self._under_way >= self._most:
            message = f"{self._most} requests are under way, the most at once: try again."
            refusal = RequestError(503, message, Overloaded.code, {"Retry-After": "1"})
            await refusal.response(JSON)(scope, receive, send)
            return
        self._under_way += 1
        is_counted = True

        async def send_counted(message: "Message") -> None:
            nonlocal is_counted
            if is_counted and message["type"] == "http.response.start" and _streams(message):
                self._under_way -= 1
                is_counted = False
            await send(message)

        try:
            await self._app(scope, receive, send_counted)
        finally:
            self._under_way -= is_counted


def _streams(start: "Message") -> bool:
    media_type = Headers(raw=start["headers"]).get("content-type", "")
    return media_type.startswith(("text/event-stream", "multipart/mixed"))


def known_names(settings: Settings) -> set[str]:
    """Besides those of this machine."""
    return {urlsplit(settings.public_url).hostname or "localhost"}


def _name(host: str) -> str:
    """A Host header without its port; empty where it is no such thing."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
