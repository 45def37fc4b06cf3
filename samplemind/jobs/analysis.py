"""One analysis, from its file in the blob store to its results where they are read."""

import time
from collections.abc import Callable
from pathlib import Path

import structlog

from samplemind.domain.ai import AiPart, AiStatus
from samplemind.domain.analysis import Analysis, AnalysisLevel, AnalysisStatus, Failure, Findings
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import AnalysisTimeout, DomainError
from samplemind.domain.ids import new_id
from samplemind.jobs.ai import ask_for_it
from samplemind.jobs.progress import tell_moved
from samplemind.parts import Parts

_log = structlog.get_logger(__name__)

# A file that takes its worker down each time must not do so for ever.
_MAX_ATTEMPTS = 3

Analyzer = Callable[[Path, AnalysisLevel], Findings]


async def run_analysis(
    parts: Parts, analyze: Analyzer, analysis_id: str, *, again: bool = False
) -> None:
    """Runs a queued analysis to its final state. Does nothing where another worker has it.

    `analyze` computes; it blocks, since a worker process does one thing at a time. `again` says
    that the worker which had it is lost. An expected failure ends the analysis with its code;
    any other with an id under which it is logged.
    """
    analysis = await parts.store.analyses.start(analysis_id, again=again)
    if analysis is None:
        return
    if analysis.attempts == 1:
        await tell_moved(parts, analysis, AnalysisStatus.QUEUED)
    started = time.perf_counter()
    try:
        done = await _succeed(parts, analyze, analysis, started)
    except DomainError as error:
        done = await _fail(parts, analysis, Failure(error.code, error.message), started)
    except MemoryError:
        failure = Failure(
            OutOfMemory.code,
            f"Its analysis needs more memory than the {parts.settings.max_process_bytes:,} bytes "
            "that one file may take. Upload it in parts, or with fewer channels.",
        )
        done = await _fail(parts, analysis, failure, started)
    except Exception:
        error_id = new_id()
        _log.exception("analysis failed", analysis_id=analysis.id, error_id=error_id)
        failure = Failure("ANALYSIS_FAILED", f"The analysis failed unexpectedly ({error_id}).")
        done = await _fail(parts, analysis, failure, started)
    if done:
        await tell_moved(parts, done, AnalysisStatus.RUNNING)
        if done.status is AnalysisStatus.SUCCEEDED:
            await ask_for_it(parts, done)


async def give_up(parts: Parts, analysis_id: str, seconds: float) -> None:
    """Ends an analysis that ran for `seconds`, and whose process had to be ended for it."""
    failure = Failure(
        AnalysisTimeout.code,
        f"Its analysis took longer than {seconds:g} s, the most that one may take. Upload the "
        "sound again as WAV or FLAC, or in parts.",
    )
    if done := await parts.store.analyses.fail(analysis_id, failure, seconds):
        await tell_moved(parts, done, AnalysisStatus.RUNNING)


async def _succeed(
    parts: Parts, analyze: Analyzer, analysis: Analysis, started: float
) -> Analysis | None:
    if analysis.attempts > _MAX_ATTEMPTS:
        raise WorkerLost(f"The worker was lost {_MAX_ATTEMPTS} times while it read this file.")
    audio_file = await _file_of(parts, analysis)
    known = await _known(parts, audio_file)
    if known and _can_take_over(analysis, known):
        findings = known.findings
    else:
        findings = await _find(parts, analyze, audio_file, analysis.level)
    # It may have been deleted meanwhile, and its owner too: then nobody would remove its vector.
    audio_file = await _file_of(parts, analysis)
    # The vector first: without its analysis it is harmless, and not the other way round.
    await parts.vectors.put(audio_file, findings)
    seconds = time.perf_counter() - started
    done = await parts.store.analyses.succeed(
        analysis.id, findings, seconds, _ai_part(analysis, known)
    )
    if done and not await parts.store.audio_files.set_analysis(done):
        # Deleted meanwhile.
        await parts.vectors.remove(done.owner_id, done.audio_file_id)
        await parts.store.analyses.forget_file(done.owner_id, done.audio_file_id)
    return done


async def _fail(
    parts: Parts, analysis: Analysis, failure: Failure, started: float
) -> Analysis | None:
    seconds = time.perf_counter() - started
    return await parts.store.analyses.fail(analysis.id, failure, seconds)


async def _known(parts: Parts, audio_file: AudioFile) -> Analysis | None:
    """The analysis that stands for the file so far."""
    if audio_file.analysis_id is None:
        return None
    return await parts.store.analyses.whole(audio_file.owner_id, audio_file.analysis_id)


def _can_take_over(analysis: Analysis, known: Analysis) -> bool:
    """Whether all that is missing is what an AI says: the sound need not be heard again."""
    return (
        analysis.ai is not None
        and not analysis.ai.afresh
        and known.level is analysis.level
        and known.engine_version == analysis.engine_version
    )


def _ai_part(analysis: Analysis, known: Analysis | None) -> AiPart | None:
    """What an AI has said of a file stays with it until another is asked."""
    said = known and known.ai and known.ai.insight
    if said and (analysis.ai is None or analysis.ai.failure):
        return AiPart(AiStatus.SUCCEEDED, said.provider, insight=said)
    return analysis.ai


async def _file_of(parts: Parts, analysis: Analysis) -> AudioFile:
    [audio_file] = await parts.store.audio_files.by_ids(analysis.owner_id, [analysis.audio_file_id])
    if audio_file is None:
        raise AudioFileDeleted("The file was deleted before it was analysed.")
    return audio_file


async def _find(
    parts: Parts, analyze: Analyzer, audio_file: AudioFile, level: AnalysisLevel
) -> Findings:
    async with parts.blobs.file(audio_file.blob_key) as path:
        return analyze(path, level)


class AudioFileDeleted(DomainError):
    code = "AUDIO_FILE_DELETED"


class WorkerLost(DomainError):
    code = "WORKER_LOST"


class OutOfMemory(DomainError):
    code = "OUT_OF_MEMORY"
