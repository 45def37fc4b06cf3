"""What health says of who asks an AI: all else works without."""

from collections.abc import AsyncIterator

import httpx
import pytest

from samplemind.jobs.presence import ANALYZES, ASKS_AI
from samplemind.parts import Parts
from samplemind.server.app import make_app
from samplemind.settings import Settings
from tests.presence import present


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Of an API that an AI is configured for. Nobody listens there: health asks no provider."""
    app = make_app(settings.model_copy(update={"openai_url": "http://127.0.0.1:1/v1"}))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


async def test_nobody_asks(client: httpx.AsyncClient, parts: Parts) -> None:
    async with present(parts.events.redis, ANALYZES):
        answer = await client.get("/api/v1/health")
        ready = await client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "up")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    told = answer.json()["parts"]
    assert (told["ai"]["status"], told["ai"]["required"]) == ("down", False)
    assert "`samplemind worker --ai`" in told["ai"]["advice"]
    assert {name for name in told if told[name]["required"]} == told.keys() - {"ai"}


async def test_somebody_asks(client: httpx.AsyncClient, parts: Parts) -> None:
    async with present(parts.events.redis, ANALYZES), present(parts.events.redis, ASKS_AI):
        told = (await client.get("/api/v1/health")).json()["parts"]["ai"]
    assert (told["status"], told["advice"]) == ("up", None)
    assert told["version"] == "0, 4 questions at once"


async def test_who_asks_stands_for_nobody_who_analyses(
    client: httpx.AsyncClient, parts: Parts
) -> None:
    async with present(parts.events.redis, ASKS_AI):
        answer = await client.get("/api/v1/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "degraded")
