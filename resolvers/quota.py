"""How much a library may hold."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from resolvers.scope import Scope
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import QuotaExceeded
from samplemind.domain.ids import now
from samplemind.store.usage import Usage


@asynccontextmanager
async def room_for(scope: Scope, size: int, seconds: float) -> AsyncIterator[None]:
    """Holds the room for a file while it is stored, and gives it back where that fails.

    Raises QuotaExceeded.
    """
    if not _is_limited(scope):
        yield
        return
    await _counted(scope)
    usage = await _add(scope, Usage(1, size, seconds))
    try:
        if usage:
            _require_room(scope, usage)
        yield
    except BaseException:
        await _add(scope, Usage(-1, -size, -seconds))
        raise


async def require_room_to_come(scope: Scope, size: int) -> None:
    """For an upload that is announced: beside what is stored, and what else was announced.

    Raises QuotaExceeded.
    """
    if not _is_limited(scope):
        return
    usage = await _counted(scope)
    coming = await scope.parts.store.uploads.announced_bytes(scope.owner_id)
    _require_room(scope, replace(usage, files=usage.files + 1, bytes=usage.bytes + coming + size))


async def give_back(scope: Scope, file: AudioFile) -> None:
    """The room of a file that is no more, or was there already."""
    if _is_limited(scope):
        await _add(scope, Usage(-1, -file.size_bytes, -file.facts.duration_seconds))


def _is_limited(scope: Scope) -> bool:
    settings = scope.parts.settings
    return bool(settings.quota_files or settings.quota_bytes or settings.quota_seconds)


def _hour() -> str:
    return now().strftime("%Y%m%d%H")


async def _counted(scope: Scope) -> Usage:
    """As of this hour."""
    store, owner, hour = scope.parts.store, scope.owner_id, _hour()
    usage = await store.usages.of(owner, hour)
    if usage is None:
        usage = Usage(*await store.audio_files.sums(owner))
        await store.usages.begin(owner, hour, usage)
    return usage


async def _add(scope: Scope, more: Usage) -> Usage | None:
    return await scope.parts.store.usages.add(scope.owner_id, _hour(), more)


def _require_room(scope: Scope, usage: Usage) -> None:
    settings = scope.parts.settings
    for taken, most, what in (
        (usage.files, settings.quota_files, "files"),
        (usage.bytes, settings.quota_bytes, "bytes"),
        (usage.seconds, settings.quota_seconds, "seconds of sound"),
    ):
        if most and taken > most:
            message = f"Your library would hold more than {most:,} {what}: delete some first."
            raise QuotaExceeded(message, field=("input",))
