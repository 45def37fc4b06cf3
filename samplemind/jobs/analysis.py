"""One analysis, from its file in the blob store to its results where they are read."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import stamina
import structlog

from samplemind import metrics, tracing
from samplemind.domain.ai import AiPart, AiStatus
from samplemind.domain.analysis import Analysis, AnalysisLevel, AnalysisStatus, Failure, Findings
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import AnalysisTimeout, DomainError, PartUnavailable
from samplemind.domain.ids import new_id, now
from samplemind.jobs.ai import ask_for_it
from samplemind.jobs.progress import epoch_of, tell_moved
from samplemind.jobs.vectors import put_off, put_vector, remove_vector
from samplemind.outages import DOCUMENTS_AWAY
from samplemind.parts import Parts

_log = structlog.get_logger(__name__)

# A file that takes its worker down each time must not do so for ever.
_MAX_ATTEMPTS = 3

# How long what was computed is held for documents that are away.
_PATIENCE_SECONDS = 60

Analyzer = Callable[[Path, AnalysisLevel], Findings]


async def run_analysis(
    parts: Parts, analyze: Analyzer, analysis_id: str, *, again: bool = False
) -> Analysis | None:
    """Runs a queued analysis to its final state, and answers it. Does nothing where another
    worker has it.

    `analyze` computes; it blocks, since a worker process does one thing at a time. `again` says
    that the worker which had it is lost. An expected failure ends the analysis with its code;
    any other with an id under which it is logged. Where the audio bytes cannot be reached, it
    waits for its turn again; where the documents cannot, this raises what the driver does, and
    `reconcile` finds the analysis when they are back.
    """
    analysis = await parts.store.analyses.by_id(analysis_id)
    if analysis is None:
        return None
    epoch = await epoch_of(parts, analysis.batch_id)
    analysis = await parts.store.analyses.start(analysis, again=again)
    if analysis is None:
        return None
    if analysis.attempts == 1:
        _note_begun(analysis)
        await tell_moved(parts, analysis, AnalysisStatus.QUEUED, epoch)
    else:
        metrics.analyses_restarted.inc()
    started = time.perf_counter()
    try:
        found = await _find(parts, analyze, analysis)
    except PartUnavailable as error:
        _log.warning("analysis handed back", analysis_id=analysis.id, error=error.message)
        if moved := await parts.store.analyses.hand_back(analysis, lost=False):
            await tell_moved(parts, moved, AnalysisStatus.RUNNING, epoch)
        return None
    seconds = time.perf_counter() - started
    with tracing.span("store"):
        done = await _store(parts, analysis, found, seconds)
    if done:
        await _tell_done(parts, done, epoch)
    return done


async def give_up(parts: Parts, analysis_id: str, seconds: float) -> None:
    """Ends an analysis that ran for `seconds`, and whose process had to be ended for it."""
    analysis = await parts.store.analyses.by_id(analysis_id)
    if analysis is None:
        return
    failure = Failure(
        AnalysisTimeout.code,
        f"Its analysis took longer than {seconds:g} s, the most that one may take. Upload the "
        "sound again as WAV or FLAC, or in parts.",
    )
    epoch = await epoch_of(parts, analysis.batch_id)
    if done := await parts.store.analyses.fail(analysis, failure, seconds):
        await _tell_done(parts, done, epoch)


async def _tell_done(parts: Parts, done: Analysis, epoch: int | None) -> None:
    code = done.failure.code if done.failure else metrics.OK
    metrics.count_analysis(done.level.value, code, done.processing_seconds or 0)
    _log.info("analysis ended", analysis_id=done.id, code=code, seconds=done.processing_seconds)
    await tell_moved(parts, done, AnalysisStatus.RUNNING, epoch)
    await ask_for_it(parts, done)
    await parts.store.places.leave([done.id])


def _note_begun(analysis: Analysis) -> None:
    waited = (now() - analysis.queued_at).total_seconds()
    metrics.analysis_wait_seconds.labels("batch" if analysis.batch_id else "one").observe(waited)


async def _find(parts: Parts, analyze: Analyzer, analysis: Analysis) -> Findings | Failure:
    """Raises PartUnavailable, and what the driver of the documents does."""
    try:
        if analysis.attempts > _MAX_ATTEMPTS:
            message = f"The worker was lost {_MAX_ATTEMPTS} times while it read this file."
            raise WorkerLost(message)
        audio_file = await _file_of(parts, analysis)
        if known := await _to_take_over(parts, analysis, audio_file):
            return known.findings
        async with contextlib.AsyncExitStack() as stack:
            with tracing.span("fetch"):
                path = await stack.enter_async_context(parts.blobs.file(audio_file.blob_key))
            return analyze(path, analysis.level)
    except PartUnavailable:
        raise
    except DomainError as error:
        return Failure(error.code, error.message)
    except DOCUMENTS_AWAY:
        raise
    except FileNotFoundError:
        return Failure(AudioMissing.code, "The bytes of this file are gone: upload it again.")
    except MemoryError:
        return Failure(
            OutOfMemory.code,
            f"Its analysis needs more memory than the {parts.settings.max_process_bytes:,} bytes "
            "that one file may take. Upload it in parts, or with fewer channels.",
        )
    except Exception:
        error_id = new_id()
        _log.exception("analysis failed", analysis_id=analysis.id, error_id=error_id)
        return Failure("ANALYSIS_FAILED", f"The analysis failed unexpectedly ({error_id}).")


@stamina.retry(on=DOCUMENTS_AWAY, timeout=_PATIENCE_SECONDS, attempts=None, wait_max=2)
async def _store(
    parts: Parts, analysis: Analysis, found: Findings | Failure, seconds: float
) -> Analysis | None:
    """Ends the analysis; waits a while for documents that are away, since what was computed would
    be lost otherwise. May be done again after any of its steps."""
    if isinstance(found, Findings):
        try:
            # It may have been deleted meanwhile, and its owner too: then nobody would remove
            # its vector.
            audio_file = await _file_of(parts, analysis)
        except AudioFileDeleted as error:
            found = Failure(error.code, error.message)
        else:
            return await _succeed(parts, analysis, audio_file, found, seconds)
    return await parts.store.analyses.fail(analysis, found, seconds)


async def _succeed(
    parts: Parts, analysis: Analysis, audio_file: AudioFile, findings: Findings, seconds: float
) -> Analysis | None:
    # The vector first: without its analysis it is harmless, and not the other way round.
    is_put = await put_vector(parts, audio_file, findings)
    ai = await _ai_part(parts, analysis, audio_file)
    done = await parts.store.analyses.succeed(analysis, findings, seconds, ai)
    if done:
        await stand_for_file(parts, done)
        if not is_put:
            await put_off(parts, done.owner_id, done.audio_file_id)
    return done


async def stand_for_file(parts: Parts, done: Analysis) -> None:
    """Lets an analysis that has succeeded be what is known of its file. May be done again."""
    if not await parts.store.audio_files.set_analysis(done):
        # Deleted meanwhile.
        await remove_vector(parts, done.owner_id, done.audio_file_id)
        await parts.store.analyses.forget_file(done.owner_id, done.audio_file_id)


async def _to_take_over(parts: Parts, analysis: Analysis, audio_file: AudioFile) -> Analysis | None:
    """What is known of the file, with its vector, where all that is missing is what an AI says:
    then the sound need not be heard again."""
    if analysis.ai is None or analysis.ai.afresh or audio_file.analysis_id is None:
        return None
    found = await parts.store.analyses.whole(audio_file.owner_id, [audio_file.analysis_id])
    for known in found:
        same_engine = known.engine_version == analysis.engine_version
        if known.level is analysis.level and same_engine:
            return known
    return None


async def _ai_part(parts: Parts, analysis: Analysis, audio_file: AudioFile) -> AiPart | None:
    """What an AI has said of a file stays with it until another is asked."""
    if audio_file.analysis_id and (analysis.ai is None or analysis.ai.failure):
        ids = [audio_file.analysis_id]
        [known] = await parts.store.analyses.by_ids(audio_file.owner_id, ids)
        if said := known and known.ai and known.ai.insight:
            return AiPart(AiStatus.SUCCEEDED, said.provider, insight=said)
    return analysis.ai


async def _file_of(parts: Parts, analysis: Analysis) -> AudioFile:
    [audio_file] = await parts.store.audio_files.by_ids(analysis.owner_id, [analysis.audio_file_id])
    if audio_file is None:
        raise AudioFileDeleted("The file was deleted before it was analysed.")
    return audio_file


class AudioFileDeleted(DomainError):
    code = "AUDIO_FILE_DELETED"


class AudioMissing(DomainError):
    code = "AUDIO_MISSING"


class WorkerLost(DomainError):
    code = "WORKER_LOST"


class OutOfMemory(DomainError):
    code = "OUT_OF_MEMORY"
