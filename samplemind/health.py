"""Whether each part answers, how fast, and what to do where it does not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from samplemind.jobs.presence import present_workers
from samplemind.parts import Parts

_TIMEOUT_SECONDS = 3


@dataclass(frozen=True, slots=True)
class PartHealth:
    """`advice` says what to do where the part is down."""

    name: str
    up: bool
    latency_ms: float
    version: str | None = None
    advice: str | None = None


async def check_parts(parts: Parts) -> list[PartHealth]:
    """All parts at once; one that does not answer in 3 s is down."""

    async def blobs() -> str:
        await parts.blobs.check()
        return parts.settings.blob_url.partition(":")[0]

    async def worker() -> str:
        workers = await present_workers(parts.events.redis)
        if not workers:
            raise ConnectionError("no worker")
        processes = sum(worker.processes for worker in workers)
        return f"{workers[0].version}, {processes} processes"

    return list(
        await asyncio.gather(
            _check("documents", parts.store.version, "SAMPLEMIND_MONGO_URL"),
            _check("events", parts.events.version, "SAMPLEMIND_REDIS_URL"),
            _check("vectors", parts.vectors.version, "SAMPLEMIND_CHROMA_URL"),
            _check("blobs", blobs, "SAMPLEMIND_BLOB_URL"),
            _check("worker", worker, None),
        )
    )


async def _check(
    name: str, version: Callable[[], Awaitable[str]], setting: str | None
) -> PartHealth:
    started = time.perf_counter()
    try:
        found = await asyncio.wait_for(version(), _TIMEOUT_SECONDS)
    except Exception as error:
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        advice = (
            f"It does not answer ({reason}). See that it runs and that {setting} is right."
            if setting
            else "Nothing is analysed without one: start `samplemind worker`."
        )
        return PartHealth(name, False, _since(started), advice=advice)
    return PartHealth(name, True, _since(started), version=found)


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1_000, 1)
