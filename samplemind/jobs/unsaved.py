"""A sound that is not stored: a worker hears it for an API process that waits.

The bytes travel through the blob store, which every machine reaches and which takes any size; the
worker takes them out of it before it begins. The answer is kept in Redis for whoever asked, until
it is read.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import BinaryIO, cast

import orjson
import structlog
from celery.exceptions import SoftTimeLimitExceeded
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from samplemind.audio.decode import probe
from samplemind.domain.analysis import AnalysisLevel
from samplemind.domain.errors import (
    SOUND_ERRORS,
    AnalysisFailed,
    AnalysisTimeout,
    DomainError,
    PartUnavailable,
    SoundTooLong,
)
from samplemind.domain.ids import new_id
from samplemind.domain.sound_limits import SoundLimits
from samplemind.events import unsaved_channel
from samplemind.jobs.analysis import Analyzer
from samplemind.jobs.queue import queue_unsaved
from samplemind.parts import Parts

_log = structlog.get_logger(__name__)

LONGEST_SECONDS = 600
"""Of what is heard while somebody waits."""

_ANSWER_SECONDS = 60
_ERRORS = SOUND_ERRORS | {error.code: error for error in (AnalysisFailed, AnalysisTimeout)}


async def embedding_of(parts: Parts, file: BinaryIO, filename: str) -> list[float]:
    """The embedding of a sound of which nothing is kept; `filename` is for messages.

    Raises what OpenSound does, SoundTooLong, AnalysisFailed; AnalysisTimeout where no worker was
    free in time, PartUnavailable.
    """
    id_, seconds = new_id(), parts.settings.unsaved_wait_seconds
    try:
        async with _answered(), parts.events.listen(unsaved_channel(id_)) as receive:
            await parts.blobs.put(_blob_key(id_), file)
            await queue_unsaved(id_, filename, seconds)
            async with asyncio.timeout(seconds):
                # What is received says only that it is worth a look.
                while not (said := await _taken(parts, id_)):
                    await receive()
    finally:
        await parts.blobs.remove(_blob_key(id_))
    answer = orjson.loads(said)
    if error := answer.get("error"):
        raise _ERRORS[error["code"]](error["message"])
    return answer["embedding"]


async def run_unsaved(parts: Parts, analyze: Analyzer, id_: str, filename: str) -> None:
    """Answers for one sound. Does nothing where nobody waits for it any more.

    `analyze` computes; it blocks, since a worker process does one thing at a time.
    """
    with tempfile.TemporaryDirectory(prefix="samplemind-") as folder:
        path = Path(folder) / "sound"
        try:
            await parts.blobs.fetch(_blob_key(id_), path)
        except FileNotFoundError:
            return
        # Before it is read: a sound that takes its worker down does so once.
        await parts.blobs.remove(_blob_key(id_))
        answer = _answer(analyze, path, filename, parts.settings.sound_limits)
    await parts.events.redis.set(_answer_key(id_), orjson.dumps(answer), ex=_ANSWER_SECONDS)
    await parts.events.publish(unsaved_channel(id_), b"answered")


def _answer(analyze: Analyzer, path: Path, filename: str, limits: SoundLimits) -> dict[str, object]:
    try:
        seconds = probe(path, filename, limits).duration_seconds
        if seconds > LONGEST_SECONDS:
            raise SoundTooLong(
                f"The sound lasts {seconds:,.0f} s; to search with a sound that is not stored, it "
                f"may last {LONGEST_SECONDS} s. Store it by uploadAudio, or send a part of it."
            )
        return {"embedding": analyze(path, AnalysisLevel.STANDARD).embedding}
    except DomainError as error:
        return {"error": {"code": error.code, "message": error.message}}
    except SoftTimeLimitExceeded:
        return {"error": {"code": AnalysisTimeout.code, "message": "It took too long."}}
    except Exception:
        error_id = new_id()
        _log.exception("analysis of an unsaved sound failed", error_id=error_id)
        message = f"The analysis failed unexpectedly ({error_id})."
        return {"error": {"code": AnalysisFailed.code, "message": message}}


async def _taken(parts: Parts, id_: str) -> bytes | None:
    return await cast("Awaitable[bytes | None]", parts.events.redis.getdel(_answer_key(id_)))


@contextlib.asynccontextmanager
async def _answered() -> AsyncIterator[None]:
    """Turns "nobody has answered" and "nobody can be asked" into coded errors."""
    try:
        yield
    except TimeoutError as error:
        message = "The sound could not be analysed in time: no worker was free. Try again."
        raise AnalysisTimeout(message) from error
    except (OperationalError, RedisError) as error:
        message = "Sounds that are not stored cannot be analysed right now; try again."
        raise PartUnavailable(message) from error


def _blob_key(id_: str) -> str:
    """Nobody's: every owner's begin otherwise."""
    return f"unsaved/{id_}"


def _answer_key(id_: str) -> str:
    return f"samplemind:unsaved:{id_}"
