"""The API process: FastAPI around the GraphQL endpoint, the explorer and the health routes."""

import asyncio
import contextlib
import gc
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import structlog
import uvicorn
from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from prometheus_client import REGISTRY
from pymongo.errors import PyMongoError
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from resolvers.uploads import remove_expired_uploads
from samplemind import metrics, tracing
from samplemind.auth import passwords
from samplemind.domain.user import LOCAL_USER, Role, User
from samplemind.jobs.deliveries import forget_old_deliveries, redeliver_due
from samplemind.logs import RequestLog, configure_logs
from samplemind.outages import AWAY
from samplemind.parts import Parts
from samplemind.secret import with_secret
from samplemind.server import explorer, health, media, uploads
from samplemind.server.errors import away
from samplemind.server.graphql import DOCUMENT_BYTES, PATH, GraphQLApp
from samplemind.server.guards import Crowd, KnownHosts, SecurityHeaders, known_names
from samplemind.server.leaving import Server
from samplemind.server.media_types import JSON
from samplemind.server.persisted import PersistedDocuments
from samplemind.server.traced import Traced
from samplemind.server.watched import WatchedParts
from samplemind.settings import Settings
from samplemind.trusted import trusted_documents

_log = structlog.get_logger(__name__)

_CLEAN_SECONDS = 600
_REDELIVER_SECONDS = 5

# Longer than proxies keep an idle connection, or one might be closed just as it is used.
_IDLE_SECONDS = 75

# How long the kernel waits for a peer to read: as nginx does by default.
_UNREAD_SECONDS = 60


def make_app(settings: Settings) -> FastAPI:
    """The ASGI application. It opens its parts when it starts and closes them when it ends.

    Raises CannotStart where the secret is too short.
    """
    settings = with_secret(settings)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        parts = Parts.open(settings)
        app.state.parts = parts
        await parts.store.prepare()
        app.state.persisted = PersistedDocuments(parts.events.redis, graphql.is_valid, trusted)
        app.state.local_user = await parts.store.users.ensure(_local_user())
        await passwords.warm_up()
        watched = WatchedParts(parts)
        REGISTRY.register(watched)
        following = asyncio.create_task(parts.endings.follow())
        warming = asyncio.create_task(_warm_up(parts))
        caring = [
            asyncio.create_task(_again_and_again(seconds, work, parts))
            for work, seconds in (
                (remove_expired_uploads, _CLEAN_SECONDS),
                (forget_old_deliveries, _CLEAN_SECONDS),
                (redeliver_due, _REDELIVER_SECONDS),
            )
        ]
        _spare_the_collector()
        yield
        for task in (warming, *caring, following):
            task.cancel()
        await asyncio.gather(warming, return_exceptions=True)
        REGISTRY.unregister(watched)
        await parts.close()
        await asyncio.to_thread(tracing.finish_traces)

    trusted = trusted_documents(settings.trusted_documents)
    graphql = GraphQLApp(settings)
    # It would tell strangers the version; the API describes itself by GraphQL.
    app = FastAPI(title="SampleMind", lifespan=lifespan, openapi_url=None)
    app.state.leaving = False
    if not settings.auth_required:
        app.add_middleware(KnownHosts, names=known_names(settings))
    app.add_middleware(Crowd, most=settings.max_requests)
    for error in AWAY:
        app.add_exception_handler(error, _answer_away)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestLog)
    if tracing.is_on():
        app.add_middleware(Traced)
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, **_cors(settings))
    app.include_router(health.router)
    app.router.routes.append(Route(PATH, graphql, methods=None))
    app.router.routes.append(WebSocketRoute(PATH, graphql))
    app.router.routes += [media.route, uploads.route]
    app.mount(explorer.ASSETS_PATH, StaticFiles(directory=explorer.ASSETS), name="explorer")
    app.add_api_route("/", lambda: RedirectResponse(PATH), include_in_schema=False)
    return app


def run_api(settings: Settings) -> None:
    """Serves until it is told to stop."""
    configure_logs(settings)
    metrics.listen(settings)
    tracing.configure_traces("samplemind-api")
    app = make_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=settings.api_stop_seconds,
        forwarded_allow_ips=settings.trusted_proxies,
        # Whoever does not answer a ping in time is gone.
        ws_ping_interval=20,
        ws_ping_timeout=20,
        ws_max_size=DOCUMENT_BYTES,
    )
    listening = config.bind_socket()
    if sys.platform == "linux":
        # A connection that was given up keeps what was not read, for as long as the peer is there.
        milliseconds = _UNREAD_SECONDS * 1_000
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)
    Server(config, app, settings).run(sockets=[listening])


def _cors(settings: Settings) -> dict[str, Any]:
    """What pages of the given origins may do. No cookies: a caller shows who it is by a header."""
    return {
        "allow_origins": settings.cors_origins,
        "allow_methods": ("GET", "HEAD", "POST", "PUT"),
        "allow_headers": ("*",),
        "expose_headers": (
            "Accept-Ranges",
            "Content-Disposition",
            "Content-Range",
            "ETag",
            "RateLimit",
            "RateLimit-Policy",
            "Retry-After",
            "X-Request-ID",
        ),
        "allow_private_network": True,
        "max_age": 7_200,
    }


async def _answer_away(request: Request, error: Exception) -> Response:
    _log.warning("a part is away", path=request.url.path, error=str(error)[:200])
    return away().response(JSON)


def _local_user() -> User:
    """Who everybody is where there is no sign-in, and then the first who registers."""
    return User(
        id=LOCAL_USER,
        username=LOCAL_USER,
        email=None,
        role=Role.ADMIN,
        created_at=datetime.now(UTC),
    )


async def _warm_up(parts: Parts) -> None:
    await asyncio.gather(parts.readers.warm_up(), parts.vectors.warm_up())
    # Chroma's client is some hundred thousand objects more, which took 25 ms now and then.
    _spare_the_collector()


def _spare_the_collector() -> None:
    """What stands at the start stays to the end, and an answer makes thousands of objects: looked
    through after every 700, they cost more than a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def _again_and_again(
    seconds: float, work: Callable[[Parts], Awaitable[None]], parts: Parts
) -> None:
    """Now, and then with so many seconds between, whatever becomes of one time."""
    while True:
        try:
            await work(parts)
        except PyMongoError as error:
            _log.warning("not cared for", work=work.__name__, error=str(error)[:200])
        except Exception:
            _log.exception("not cared for", work=work.__name__)
        await asyncio.sleep(seconds)
