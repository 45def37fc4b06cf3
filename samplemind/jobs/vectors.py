"""Keeping vectors as the documents say, also where Chroma was away when they changed."""

from dataclasses import replace

import structlog

from samplemind.audio import ENGINE_VERSION
from samplemind.domain.analysis import Findings
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.errors import PartUnavailable
from samplemind.parts import Parts
from samplemind.store.vector_syncs import VectorSync

_log = structlog.get_logger(__name__)

_AT_ONCE = 500


async def put_vector(parts: Parts, audio_file: AudioFile, findings: Findings) -> bool:
    """False where Chroma is away: then `put_off` it when the findings are stored."""
    try:
        await parts.vectors.put(audio_file, findings)
    except PartUnavailable:
        return False
    return True


async def rename_vector(parts: Parts, audio_file: AudioFile) -> None:
    """Stores filename and tags, now, or when Chroma is back."""
    try:
        await parts.vectors.rename(audio_file)
    except PartUnavailable:
        await put_off(parts, audio_file.owner_id, audio_file.id)


async def remove_vector(parts: Parts, owner_id: str, audio_file_id: str) -> None:
    """Now, or when Chroma is back."""
    try:
        await parts.vectors.remove(owner_id, audio_file_id)
    except PartUnavailable:
        await put_off(parts, owner_id, audio_file_id)


async def put_off(parts: Parts, owner_id: str, audio_file_id: str) -> None:
    """Until Chroma is back: see `sync_vectors`."""
    _log.warning("vector put off: Chroma does not answer", audio_file_id=audio_file_id)
    await parts.store.vector_syncs.add(VectorSync(owner_id, audio_file_id))


async def sync_vectors(parts: Parts) -> int:
    """Makes up for what was put off; answers how many files. Raises PartUnavailable."""
    syncs = await parts.store.vector_syncs.oldest(_AT_ONCE)
    for sync in syncs:
        await sync_vector(parts, sync.owner_id, sync.audio_file_id)
        await parts.store.vector_syncs.remove(sync)
    return len(syncs)


async def sync_vector(parts: Parts, owner_id: str, audio_file_id: str) -> None:
    """Makes the vector of a file what the documents say. Raises PartUnavailable."""
    [audio_file] = await parts.store.audio_files.by_ids(owner_id, [audio_file_id])
    if audio_file is None:
        await parts.vectors.remove(owner_id, audio_file_id)
        return
    if audio_file.analysis_id is None:
        return
    [analysis] = await parts.store.analyses.by_ids(owner_id, [audio_file.analysis_id])
    embedding = await parts.store.analyses.embedding(owner_id, audio_file.analysis_id)
    if analysis and embedding and analysis.engine_version == ENGINE_VERSION:
        findings = replace(analysis.findings, embedding=tuple(embedding))
        await parts.vectors.put(audio_file, findings)
