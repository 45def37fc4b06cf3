"""Whether each part answers, how fast, and what to do where it does not."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace

from samplemind.jobs.presence import ASKS_AI, WorkerPresence, present_workers
from samplemind.parts import Parts

_TIMEOUT_SECONDS = 3

_NOBODY_ANALYSES = "Nothing is analysed without one: start `samplemind worker`."
_NOBODY_ASKS = (
    "An AI is configured and nobody asks it, so `aiStatus` stays QUEUED; all else works: start "
    "`samplemind worker --ai`."
)


@dataclass(frozen=True, slots=True)
class PartHealth:
    """`advice` says what to do where the part is down; where it is not `required`, all else works
    without it."""

    name: str
    up: bool
    latency_ms: float
    version: str | None = None
    advice: str | None = None
    required: bool = True


def are_up(parts: Iterable[PartHealth]) -> bool:
    """Whether everything is, but for what all else works without."""
    return all(part.up for part in parts if part.required)


async def check_parts(parts: Parts) -> list[PartHealth]:
    """All parts at once; one that does not answer in 3 s is down. `ai` is there where a provider is
    configured: who asks it is no required part."""

    async def blobs() -> str:
        await parts.blobs.check()
        return parts.settings.blob_url.partition(":")[0]

    async def worker() -> str:
        return _told(await present_workers(parts.events.redis), "processes")

    async def ai() -> str:
        return _told(await present_workers(parts.events.redis, ASKS_AI), "questions at once")

    checks = [
        _check("documents", parts.store.version, setting="SAMPLEMIND_MONGO_URL"),
        _check("events", parts.events.version, setting="SAMPLEMIND_REDIS_URL"),
        _check("vectors", parts.vectors.version, setting="SAMPLEMIND_CHROMA_URL"),
        _check("blobs", blobs, setting="SAMPLEMIND_BLOB_URL"),
        _check("worker", worker, advice=_NOBODY_ANALYSES),
    ]
    if not parts.settings.asks_ai:
        return list(await asyncio.gather(*checks))
    *required, asking = await asyncio.gather(*checks, _check("ai", ai, advice=_NOBODY_ASKS))
    return [*required, replace(asking, required=False)]


def _told(workers: list[WorkerPresence], what: str) -> str:
    if not workers:
        raise ConnectionError("no worker")
    return f"{workers[0].version}, {sum(worker.processes for worker in workers)} {what}"


async def _check(
    name: str, version: Callable[[], Awaitable[str]], *, setting: str = "", advice: str = ""
) -> PartHealth:
    started = time.perf_counter()
    try:
        found = await asyncio.wait_for(version(), _TIMEOUT_SECONDS)
    except Exception as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        see = f"It does not answer ({reason}). See that it runs and that {setting} is right."
        return PartHealth(name, False, _since(started), advice=advice or see)
    return PartHealth(name, True, _since(started), version=found)


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1_000, 1)
