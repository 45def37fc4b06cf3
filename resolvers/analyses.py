"""Analyses: reading them, asking for them, watching them."""

from collections.abc import AsyncGenerator, Sequence

from loaders.analyses import AnalysesOfFile
from resolvers.scope import Scope
from samplemind.audio import ENGINE_VERSION
from samplemind.domain.ai import AiPart, AiStatus
from samplemind.domain.analysis import Analysis, AnalysisLevel, AnalysisOptions, AnalysisStatus
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import AiNotConfigured
from samplemind.domain.failure import Failure
from samplemind.domain.ids import new_id, now
from samplemind.domain.paging import Page, Window
from samplemind.events import MISSED, file_channel
from samplemind.jobs.dispatch import add_analysis, require_place

# How many of a file's newest analyses are looked through for one that answers already.
_RECENT = 10


async def known_analyses(scope: Scope, audio_files: Sequence[AudioFile]) -> list[Analysis | None]:
    """Of each file the newest of the deepest that succeeded, None where there is none."""
    ids = [file.analysis_id for file in audio_files if file.analysis_id]
    loaded = await scope.loaders.analyses_by_id.load_many(ids)
    found = dict(zip(ids, loaded, strict=True))
    return [found.get(file.analysis_id or "") for file in audio_files]


async def analyses(scope: Scope, audio_file: AudioFile, window: Window) -> Page[Analysis]:
    return await scope.loaders.analyses_of_file.load(AnalysesOfFile(audio_file.id, window))


async def request_analysis(
    scope: Scope, audio_file: AudioFile, options: AnalysisOptions, *, force: bool = False
) -> Analysis:
    """Answers an analysis of this level or a deeper one, with an AI's part where one is asked,
    that is done or under way; or asks for a new one. Raises TooMuchQueued.

    Where only the AI's part is missing, the new one is of the level that is known, so that a
    worker takes over what was found.
    """
    level, ai = options.level, asked_ai(scope, options, force=force)
    if not force:
        store = scope.parts.store.analyses
        recent = await store.page_of_file(scope.owner_id, audio_file.id, Window(_RECENT))
        [known] = await known_analyses(scope, [audio_file])
        for analysis in (*(row.value for row in recent.rows), known):
            if analysis and _answers(analysis, level) and (ai is None or _has(analysis, ai)):
                return analysis
        if known and _answers(known, level):
            level = known.level
    await require_place(scope.parts, scope.owner_id, 1)
    analysis = Analysis(
        id=new_id(),
        owner_id=scope.owner_id,
        audio_file_id=audio_file.id,
        level=level,
        status=AnalysisStatus.QUEUED,
        engine_version=ENGINE_VERSION,
        queued_at=now(),
        ai=ai,
    )
    await add_analysis(scope.parts, analysis)
    await scope.parts.events.publish(file_channel(audio_file.id), analysis.id.encode())
    return analysis


async def analysis_updates(scope: Scope, audio_file: AudioFile) -> AsyncGenerator[Analysis]:
    """The newest analysis as it stands, then every step of every analysis of the file."""
    store = scope.parts.store.analyses
    async with scope.parts.events.listen(file_channel(audio_file.id)) as receive:
        last: Analysis | None = None
        message = MISSED
        while True:
            if message == MISSED:
                page = await store.page_of_file(scope.owner_id, audio_file.id, Window(1))
                current = page.rows[0].value if page.rows else None
            else:
                [current] = await store.by_ids(scope.owner_id, [message.decode()])
            if current and current != last:
                last = current
                scope.forget()
                yield current
            message = await receive()


def asked_ai(scope: Scope, options: AnalysisOptions, *, force: bool = False) -> AiPart | None:
    """The AI's part of a new analysis: None where none is asked."""
    if not options.asks_ai:
        return None
    if not scope.parts.ai.is_configured:
        missing = AiNotConfigured()
        failure = Failure(missing.code, missing.message)
        return AiPart(AiStatus.FAILED, options.provider, failure=failure)
    return AiPart(preferred=options.provider, afresh=force)


def _has(analysis: Analysis, asked: AiPart) -> bool:
    """Whether its AI's part is what is asked, or will be."""
    there = analysis.ai
    if there is None:
        return False
    if there.failure:
        return asked.failure == there.failure
    answering = there.insight and there.insight.provider
    return asked.preferred in (None, there.preferred, answering)


def _answers(analysis: Analysis, level: AnalysisLevel) -> bool:
    usable = (AnalysisStatus.QUEUED, AnalysisStatus.RUNNING, AnalysisStatus.SUCCEEDED)
    return (
        analysis.status in usable
        and analysis.engine_version == ENGINE_VERSION
        and analysis.level.includes(level)
    )
