"""The embedding of a seed is kept, and right whatever becomes of the file or of Redis."""

from dataclasses import replace

import pytest

from loaders import Loaders
from samplemind.cache import Cache
from samplemind.domain.audio_file import AudioFile
from samplemind.domain.ids import new_id
from samplemind.parts import Parts
from tests.domain.models import audio_file, embedding, findings

_FIRST, _SECOND = embedding(1.0), embedding(0.0, 1.0)


@pytest.fixture
def file(owner_id: str) -> AudioFile:
    return audio_file(owner_id, analysis_id=new_id())


async def _asked(parts: Parts, file: AudioFile) -> tuple[float, ...] | None:
    """As the first operation of its own asks."""
    loaders = Loaders(parts.store, parts.vectors, parts.cache, file.owner_id)
    return await loaders.embeddings.load(file)


async def test_is_kept_for_its_analysis(parts: Parts, file: AudioFile) -> None:
    await parts.vectors.put(file, findings(embedding=_FIRST))
    assert await _asked(parts, file) == _FIRST
    # Chroma is not asked again: what it holds now is not seen.
    await parts.vectors.put(file, findings(embedding=_SECOND))
    assert await _asked(parts, file) == _FIRST
    assert await _asked(parts, replace(file, analysis_id=new_id())) == _SECOND


async def test_that_there_is_none_is_not_kept(parts: Parts, file: AudioFile) -> None:
    assert await _asked(parts, file) is None
    await parts.vectors.put(file, findings(embedding=_FIRST))
    assert await _asked(parts, file) == _FIRST


async def test_is_nobody_elses(parts: Parts, file: AudioFile) -> None:
    await parts.vectors.put(file, findings(embedding=_FIRST))
    assert await _asked(parts, file) == _FIRST
    assert await _asked(parts, replace(file, owner_id=new_id())) is None


async def test_without_redis_chroma_is_asked(
    parts: Parts, file: AudioFile, unused_tcp_port: int
) -> None:
    cache = Cache(f"redis://127.0.0.1:{unused_tcp_port}")
    for vector in (_FIRST, _SECOND):
        await parts.vectors.put(file, findings(embedding=vector))
        assert await _asked(replace(parts, cache=cache), file) == vector
    await cache.close()


async def test_many_come_in_order(parts: Parts, file: AudioFile) -> None:
    other = audio_file(file.owner_id, analysis_id=new_id())
    await parts.vectors.put(file, findings(embedding=_FIRST))
    loaders = Loaders(parts.store, parts.vectors, parts.cache, file.owner_id)
    assert await loaders.embeddings.load_many([other, file]) == [None, _FIRST]
