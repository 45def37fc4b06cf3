"""Health over HTTP: for people, for load balancers, for orchestrators."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from pymongo.errors import PyMongoError

from samplemind import __version__
from samplemind.domain.user import Role
from samplemind.health import are_up, check_parts
from samplemind.parts import Parts
from samplemind.server.authentication import caller_of

# Less than a probe waits.
_READY_SECONDS = 2

router = APIRouter(tags=["health"])


@router.get("/api/v1/health")
async def health(request: Request, response: Response) -> dict[str, Any]:
    """Each part: up or down, its version, latency, what to do. 503 unless all that are required are
    up.

    Where people sign in, only an admin is told more than up or down.
    """
    parts = _parts(request)
    checked = await check_parts(parts)
    up = are_up(checked)
    response.status_code = 200 if up else 503
    tells = not parts.settings.auth_required or await _is_admin(request)
    return {
        "status": "up" if up else "degraded",
        "version": __version__ if tells else None,
        "parts": {
            part.name: {
                "status": "up" if part.up else "down",
                "required": part.required,
                "version": part.version if tells else None,
                "latencyMs": part.latency_ms if tells else None,
                "advice": part.advice if tells else None,
            }
            for part in checked
        },
    }


async def _is_admin(request: Request) -> bool:
    try:
        user = (await caller_of(request)).user
    except PyMongoError:
        return False
    return user is not None and user.role is Role.ADMIN


@router.get("/health/ready")
@router.get("/api/v1/health/ready")
async def ready(request: Request, response: Response) -> dict[str, str]:
    """Whether this process can serve: 503 while the documents do not answer, and when it leaves."""
    if getattr(request.app.state, "leaving", False):
        response.status_code = 503
        return {"status": "leaving"}
    try:
        await asyncio.wait_for(_parts(request).store.version(), _READY_SECONDS)
    except Exception:
        response.status_code = 503
        return {"status": "not ready"}
    return {"status": "ready"}


@router.get("/health/live")
@router.get("/api/v1/health/live")
async def live() -> dict[str, str]:
    """Whether this process answers at all."""
    return {"status": "live"}


def _parts(request: Request) -> Parts:
    return request.app.state.parts
