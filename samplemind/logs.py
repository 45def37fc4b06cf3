"""Structured logs, and the id that ties the lines of one request together."""

import logging
import secrets
import sys
import time
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from starlette.responses import JSONResponse
from structlog.dev import plain_traceback

from samplemind import metrics
from samplemind.links import LinkKind
from samplemind.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = structlog.get_logger("samplemind.request")
_FAMILIES = {"graphql", *LinkKind}
_HEADER = b"x-request-id"
_CRASH = JSONResponse(
    {
        "errors": [
            {
                "message": "Something went wrong on our side. Its number is the X-Request-ID.",
                "extensions": {"code": "INTERNAL_SERVER_ERROR"},
            }
        ]
    },
    status_code=500,
)


class _Logger(structlog.WriteLogger):
    """Writes past the standard library's logging, which takes longer than a small answer."""

    def __init__(self, name: str = "") -> None:
        super().__init__(sys.stderr)
        self.name = name


def configure_logs(settings: Settings) -> None:
    """Everything that logs in this process, libraries too, goes to standard error in one form."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_as_json)]
        if settings.log_json
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain_traceback)]
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for noisy in ("httpx", "httpcore", "chromadb", "pymongo", "urllib3", "numba"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, *final],
        logger_factory=_Logger,
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        cache_logger_on_first_use=True,
    )


def _as_json(line: Any, default: Any) -> str:
    return orjson.dumps(line, default).decode()


def shown(path: str) -> str:
    """A path without what would let whoever reads the log in."""
    first, _, rest = path.lstrip("/").partition("/")
    return f"/{first}/…" if rest and first in list(LinkKind) else path


def _family(path: str) -> str:
    """What metrics call a path: strangers must not make names without end."""
    first = path.lstrip("/").partition("/")[0]
    return f"/{first}" if first in _FAMILIES else "other"


class RequestLog:
    """Gives each request an id (the caller's X-Request-ID where it is sane), answers with it,
    binds it to every line logged meanwhile, and logs the request when it has ended."""

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(_HEADER, b"").decode("latin-1")
        sane = 0 < len(given) <= 64 and given.isascii() and given.replace("-", "").isalnum()
        request_id = given if sane else secrets.token_hex(8)
        started, status = time.perf_counter(), 0

        async def send_with_id(message: "Message") -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.accept"):
                status = message.get("status", 101)
                headers = [*message.get("headers", []), (_HEADER, request_id.encode())]
                message = {**message, "headers": headers}
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:
                _log.exception("request failed")
                if scope["type"] != "http" or status:
                    raise
                await _CRASH(scope, receive, send_with_id)
            finally:
                metrics.http_requests.labels(_family(scope["path"]), status).inc()
                # Who asks for health asks all the time.
                log = _log.debug if "/health" in scope["path"] else _log.info
                log(
                    "request",
                    method=scope.get("method", "WEBSOCKET"),
                    path=shown(scope["path"]),
                    status=status,
                    milliseconds=round((time.perf_counter() - started) * 1_000, 1),
                )
