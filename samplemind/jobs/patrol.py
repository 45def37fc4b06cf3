"""Going through everything that is stored, a while at a time, and making it agree."""

import time
from datetime import timedelta
from typing import Any

import structlog

from samplemind.domain.errors import PartUnavailable
from samplemind.jobs.inspection import Finding, inspect, inspect_passing, owners
from samplemind.parts import Parts

_log = structlog.get_logger(__name__)

_CURSOR = "samplemind:patrol:last"
_ROUND_SECONDS = 60

# No upload takes as long between its bytes and its row.
_OLD = timedelta(hours=1)


async def patrol(parts: Parts, seconds: float = _ROUND_SECONDS) -> None:
    """Goes on where the round before has ended, until its time is over or it has seen all."""
    redis, until = parts.events.redis, time.monotonic() + seconds
    found: Any = await redis.get(_CURSOR)
    last = found.decode() if found else ""
    try:
        if not last:
            async for finding in inspect_passing(parts, _OLD):
                await _mend(finding)
        for owner_id in await owners(parts):
            if owner_id <= last:
                continue
            async for finding in inspect(parts, owner_id, _OLD):
                await _mend(finding)
            await redis.set(_CURSOR, owner_id)
            if time.monotonic() > until:
                return
    except PartUnavailable as error:
        _log.warning("patrol broken off", error=error.message)
        return
    await redis.delete(_CURSOR)


async def _mend(finding: Finding) -> None:
    if finding.mend:
        await finding.mend()
    _log.warning(
        "mended" if finding.mend else "cannot be mended",
        fault=finding.fault,
        owner_id=finding.owner_id,
        subject=finding.subject,
    )
