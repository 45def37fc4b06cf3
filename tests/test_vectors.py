"""Nearest neighbours: within one owner, by every condition, and when Chroma is away."""

from dataclasses import replace

import numpy as np
import pytest

from samplemind.domain.errors import PartUnavailable
from samplemind.domain.ids import new_id
from samplemind.domain.library import AudioFileFilter
from samplemind.parts import Parts
from samplemind.vectors import Vectors
from tests.domain.models import audio_file, embedding, findings
from tests.store.reference import Sound, filters, matches, sounds_of

_QUERY = embedding(1.0, 0.5, 0.2, 0.1)


@pytest.fixture(scope="module")
async def sounds_put(parts: Parts) -> list[Sound]:
    """Only what is analysed has a vector."""
    sounds = [sound for sound in sounds_of(new_id()) if sound.analysis]
    for sound in (*sounds, *(s for s in sounds_of(new_id(), count=10) if s.analysis)):
        await parts.vectors.put(sound.file, sound.findings)
    return sounds


@pytest.mark.parametrize("filter_", filters(), ids=lambda filter_: str(filter_)[16:80])
async def test_a_filter_finds_the_nearest_of_what_it_says(
    parts: Parts, sounds_put: list[Sound], filter_: AudioFileFilter
) -> None:
    expected = {s.file.id: _cosine(s) for s in sounds_put if matches(s, filter_)}
    owner = sounds_put[0].file.owner_id
    found = await parts.vectors.nearest(owner, _QUERY, 100, filter_)
    assert {n.audio_file_id: n.score for n in found} == pytest.approx(expected, abs=1e-5)
    assert found == sorted(found, key=lambda n: (-n.score, n.audio_file_id))
    # A selective filter leaves nothing out, however few are asked for.
    best = await parts.vectors.nearest(owner, _QUERY, 3, filter_)
    assert [n.audio_file_id for n in best] == [n.audio_file_id for n in found[:3]]


async def test_more_than_there_is_can_be_asked_for(parts: Parts, owner_id: str) -> None:
    assert await parts.vectors.nearest(owner_id, _QUERY, 2_000) == []
    file = audio_file(owner_id)
    await parts.vectors.put(file, findings(embedding=_QUERY))
    [only] = await parts.vectors.nearest(owner_id, _QUERY, 2_000)
    assert (only.audio_file_id, only.score) == (file.id, pytest.approx(1.0))


async def test_owners_do_not_meet(parts: Parts, owner_id: str) -> None:
    other = new_id()
    mine, theirs = audio_file(owner_id), audio_file(other)
    for file in (mine, theirs):
        await parts.vectors.put(file, findings(embedding=_QUERY))
    await parts.vectors.remove(owner_id, theirs.id)
    await parts.vectors.rename(replace(theirs, owner_id=owner_id, filename="stolen.wav"))
    for file in (mine, theirs):
        found = await parts.vectors.nearest(file.owner_id, _QUERY, 10)
        assert [n.audio_file_id for n in found] == [file.id]
    assert await parts.vectors.nearest(other, _QUERY, 9, AudioFileFilter(search="stolen")) == []


async def test_putting_again_replaces(parts: Parts, owner_id: str) -> None:
    file = audio_file(owner_id)
    for vector in (_QUERY, embedding(0.0, 0.0, 0.0, 0.0, 1.0)):
        await parts.vectors.put(file, findings(embedding=vector))
    [only] = await parts.vectors.nearest(owner_id, _QUERY, 10)
    assert only.score == pytest.approx(0.0, abs=1e-6)


async def test_opposite_sounds_score_zero(parts: Parts, owner_id: str) -> None:
    await parts.vectors.put(audio_file(owner_id), findings(embedding=tuple(-x for x in _QUERY)))
    [only] = await parts.vectors.nearest(owner_id, _QUERY, 10)
    assert only.score == 0


async def test_what_has_no_vector_is_not_stored(parts: Parts, owner_id: str) -> None:
    file = audio_file(owner_id)
    await parts.vectors.put(file, findings(embedding=None))
    await parts.vectors.rename(file)
    assert await parts.vectors.nearest(owner_id, _QUERY, 10) == []


async def test_a_renamed_sound_is_found_by_its_new_name_only(parts: Parts, owner_id: str) -> None:
    file = audio_file(owner_id, filename="zebra.wav", tags=("old",))
    await parts.vectors.put(file, findings(embedding=_QUERY))
    await parts.vectors.rename(replace(file, filename="Ärger.wav", tags=("new",)))

    async def found(**conditions: object) -> bool:
        wanted = AudioFileFilter(**conditions)  # pyright: ignore[reportArgumentType]
        return bool(await parts.vectors.nearest(owner_id, _QUERY, 10, wanted))

    assert await found(search="ärg")
    assert await found(search="new")
    assert await found(tags=("new",))
    assert not await found(search="zebra")
    assert not await found(tags=("old",))
    # What the analysis said is still there.
    assert await found(labels=("bass",), tags=("new",))
    await parts.vectors.rename(replace(file, filename="bare.wav", tags=()))
    assert await found(search="bare")
    assert not await found(tags=("new",))


async def test_a_removed_sound_is_not_found(parts: Parts, owner_id: str) -> None:
    file = audio_file(owner_id)
    await parts.vectors.put(file, findings(embedding=_QUERY))
    await parts.vectors.remove(owner_id, file.id)
    await parts.vectors.remove(owner_id, file.id)
    assert await parts.vectors.nearest(owner_id, _QUERY, 10) == []


async def test_without_chroma_it_says_so(unused_tcp_port: int, owner_id: str) -> None:
    vectors = Vectors(f"http://127.0.0.1:{unused_tcp_port}")
    file = audio_file(owner_id)
    for call in (
        vectors.put(file, findings()),
        vectors.rename(file),
        vectors.remove(owner_id, file.id),
        vectors.nearest(owner_id, _QUERY, 10),
        vectors.version(),
    ):
        with pytest.raises(PartUnavailable):
            await call
    # Without a vector to store there is nothing to ask Chroma for.
    await vectors.put(file, findings(embedding=None))


def _cosine(sound: Sound) -> float:
    a, b = np.array(sound.findings.embedding), np.array(_QUERY)
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
