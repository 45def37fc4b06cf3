"""The AI's part of an analysis: asked when the rest has succeeded, and never in its way."""

import asyncio
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import structlog
from kombu.exceptions import OperationalError

from samplemind.ai import Excerpt
from samplemind.ai.insight import NAME, Insight, as_insight, insight_prompt
from samplemind.domain.ai import AiInsight, AiStatus
from samplemind.domain.analysis import Analysis, AnalysisStatus, Lane
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import AiError, AiTimeout, DomainError
from samplemind.domain.failure import Failure
from samplemind.domain.ids import new_id, now
from samplemind.jobs.app import AI_LANES
from samplemind.jobs.presence import ASKS_AI, LIFE_SECONDS, present_workers
from samplemind.jobs.progress import publish_moved
from samplemind.jobs.queue import queue_ai, queued_ids
from samplemind.parts import Parts

_log = structlog.get_logger(__name__)

# For all attempts at all providers, with everything that was waited for between them.
_LONGEST_SECONDS = 300
_MAX_ATTEMPTS = 3
_DELETED = "The file was deleted before the AI had answered."

# Whoever asks has said so by then.
_LOST = timedelta(seconds=LIFE_SECONDS)
_RECONCILE_SECONDS = 60
_RECONCILED = 500


async def ask_for_it(parts: Parts, *analyses: Analysis) -> None:
    """Queues the AI's part of analyses that have succeeded, where there is one to be asked."""
    for lane in Lane:
        open_ = [each for each in analyses if each.lane is lane and _is_queued(each)]
        try:
            if open_:
                await queue_ai(lane, [each.id for each in open_])
        except OperationalError as error:
            # It is stored, and found again: the queue is only the quick way.
            _log.warning("AI stored but not queued", count=len(open_), error=str(error))


def _is_queued(analysis: Analysis) -> bool:
    is_done = analysis.status is AnalysisStatus.SUCCEEDED
    return is_done and analysis.ai is not None and analysis.ai.status is AiStatus.QUEUED


async def reconcile_ai(parts: Parts) -> None:
    """Finds what is stored as to be asked, or as being asked, and that no queue and no worker
    holds any more. Once a minute, however often it is called; any number may run at once."""
    redis = parts.events.redis
    if not await redis.set("samplemind:asked:ai", 1, nx=True, ex=_RECONCILE_SECONDS):
        return
    # In this order: what is taken from the queue meanwhile is queued twice, and nothing is missed.
    pending = await parts.store.analyses.ai_pending(now() - _LOST, _RECONCILED)
    if not pending:
        return
    queued = await queued_ids(redis, AI_LANES.values())
    workers = await present_workers(redis, ASKS_AI)
    if not workers:
        _log.warning("nobody asks the AI: start `samplemind worker --ai`", waiting=len(pending))
    held = {id_ for each in workers for id_ in each.held}
    lost = [each for each in pending if each.id not in queued | held]
    if lost:
        _log.warning("AI asked for again", count=len(lost))
        back = [await _hand_back(parts, each) for each in lost]
        await ask_for_it(parts, *[each for each in back if each])


async def run_ai(parts: Parts, analysis_id: str) -> None:
    """Asks, and stores what was answered or why nothing was. Does nothing where another worker
    has it, or where nothing is to be asked. Cancelled, it gives back what it took."""
    analysis = await parts.store.analyses.by_id(analysis_id)
    if analysis is None or analysis.ai is None or not _is_queued(analysis):
        return
    running = replace(analysis.ai, status=AiStatus.RUNNING, attempts=analysis.ai.attempts + 1)
    begun = await parts.store.analyses.move_ai(analysis, running)
    if begun is None:
        return
    await publish_moved(parts, begun)
    try:
        result = await _result(parts, begun)
    except asyncio.CancelledError:
        # It was no attempt. Another worker finds it in the queue.
        if back := await parts.store.analyses.move_ai(begun, analysis.ai):
            await ask_for_it(parts, back)
        raise
    if isinstance(result, Failure):
        ended = replace(running, status=AiStatus.FAILED, failure=result)
    else:
        ended = replace(running, status=AiStatus.SUCCEEDED, insight=result)
    if done := await parts.store.analyses.move_ai(begun, ended):
        await publish_moved(parts, done)


async def _hand_back(parts: Parts, analysis: Analysis) -> Analysis | None:
    """What is running waits again."""
    if analysis.ai is None or analysis.ai.status is AiStatus.QUEUED:
        return analysis
    return await parts.store.analyses.move_ai(
        analysis, replace(analysis.ai, status=AiStatus.QUEUED)
    )


async def _result(parts: Parts, analysis: Analysis) -> AiInsight | Failure:
    try:
        async with asyncio.timeout(_LONGEST_SECONDS):
            return await _insight(parts, analysis)
    except TimeoutError:
        message = f"Nobody has answered in {_LONGEST_SECONDS} s. Ask again later."
        return Failure(AiTimeout.code, message)
    except AiError as error:
        return Failure(error.code, error.message)
    except Exception:
        error_id = new_id()
        _log.exception("AI failed", analysis_id=analysis.id, error_id=error_id)
        return Failure(AiError.code, f"Asking the AI failed unexpectedly ({error_id}).")


async def _insight(parts: Parts, analysis: Analysis) -> AiInsight:
    asked, owner_id = analysis.ai, analysis.owner_id
    file = await _file_of(parts, analysis)
    if asked is None or file is None:
        raise AiError(_DELETED)
    if asked.attempts > _MAX_ATTEMPTS:
        raise AiError(f"The worker was lost {_MAX_ATTEMPTS} times while it asked.")
    answer = await parts.ai.ask(
        insight_prompt(file, analysis, lambda: _excerpt(parts, file)),
        Insight,
        owner_id=owner_id,
        preferred=asked.preferred,
        afresh=asked.afresh,
    )
    if await _file_of(parts, analysis) is None:
        # Deleted meanwhile: what was said of it goes with it.
        await parts.store.ai_answers.forget(owner_id, NAME, file.sha256)
        raise AiError(_DELETED)
    return as_insight(answer)


async def _file_of(parts: Parts, analysis: Analysis) -> AudioFile | None:
    [file] = await parts.store.audio_files.by_ids(analysis.owner_id, [analysis.audio_file_id])
    return file


async def _excerpt(parts: Parts, file: AudioFile) -> Excerpt | None:
    """None where it cannot be had: who cannot hear still reads what was measured."""
    try:
        async with parts.blobs.file(file.blob_key) as path:
            with tempfile.TemporaryDirectory(prefix="samplemind-") as folder:
                to = Path(folder) / "excerpt.wav"
                seconds = await parts.readers.excerpt(path, to, parts.settings.ai_sound_seconds)
                return Excerpt(await asyncio.to_thread(to.read_bytes), seconds)
    except (DomainError, FileNotFoundError) as error:
        _log.warning("asking without sound", audio_file_id=file.id, error=str(error))
        return None
