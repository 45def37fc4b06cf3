"""The AI's part of an analysis: asked when the rest has succeeded, and never in its way."""

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

import structlog
from kombu.exceptions import OperationalError

from samplemind.ai import Excerpt
from samplemind.ai.insight import NAME, Insight, as_insight, insight_prompt
from samplemind.domain.ai import AiInsight
from samplemind.domain.analysis import Analysis
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import AiError, AiTimeout, DomainError
from samplemind.domain.failure import Failure
from samplemind.domain.ids import new_id
from samplemind.events import file_channel
from samplemind.jobs.queue import queue_ai
from samplemind.parts import Parts

_log = structlog.get_logger(__name__)

# For all attempts at all providers, with everything that was waited for between them.
_LONGEST_SECONDS = 300
LOST_AFTER = timedelta(seconds=_LONGEST_SECONDS + 60)
_MAX_ATTEMPTS = 3


async def ask_for_it(parts: Parts, analysis: Analysis) -> None:
    """Queues the AI's part of an analysis that has succeeded, where there is one to be asked."""
    if analysis.ai is None or analysis.ai.status.is_final:
        return
    try:
        await queue_ai(analysis.id, in_batch=analysis.batch_id is not None)
    except OperationalError as error:
        # It is stored, so a worker can find it; the queue is only the quick way.
        _log.warning("AI stored but not queued", analysis_id=analysis.id, error=str(error))


async def run_ai(parts: Parts, analysis_id: str) -> None:
    """Asks, and stores what was answered or why nothing was. Does nothing where another worker
    has it, or where nothing is to be asked. Cancelled, it gives back what it took."""
    analysis = await parts.store.analyses.start_ai(analysis_id, LOST_AFTER)
    if analysis is None or analysis.ai is None:
        return
    await _tell(parts, analysis)
    try:
        result = await _result(parts, analysis)
    except asyncio.CancelledError:
        await parts.store.analyses.release_ai(analysis_id)
        raise
    if result and (done := await parts.store.analyses.finish_ai(analysis_id, result)):
        await _tell(parts, done)


async def _result(parts: Parts, analysis: Analysis) -> AiInsight | Failure | None:
    """None where the file is gone."""
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


async def _insight(parts: Parts, analysis: Analysis) -> AiInsight | None:
    asked, owner_id = analysis.ai, analysis.owner_id
    file = await _file_of(parts, analysis)
    if asked is None or file is None:
        return None
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
        return None
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


async def _tell(parts: Parts, analysis: Analysis) -> None:
    await parts.events.publish(file_channel(analysis.audio_file_id), analysis.id.encode())
