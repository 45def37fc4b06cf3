"""Workers that are said to be there."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

from redis.asyncio import Redis

from samplemind.jobs.presence import WorkerPresence


@asynccontextmanager
async def present(redis: Redis, kind: str) -> AsyncIterator[None]:
    """One of that kind, which does nothing."""
    key = f"samplemind:{kind}:test:health"
    said = asdict(WorkerPresence("test:health", 4, "0", "0"))
    await redis.set(key, json.dumps(said), ex=60)
    try:
        yield
    finally:
        await redis.delete(key)
