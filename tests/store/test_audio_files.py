"""Stored files: one for the same bytes, found by every condition, in every order."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import pytest

from samplemind.domain.analysis import AnalysisLevel, Findings, SampleKind, Tempo
from samplemind.domain.ids import new_id
from samplemind.domain.library import (
    AudioFileFilter,
    AudioFileOrder,
    AudioFileOrderField,
    Bucket,
    Range,
)
from samplemind.domain.paging import Window
from samplemind.parts import Parts
from tests.domain.models import analysis, audio_file, findings
from tests.store.reference import Sound, filters, matches, sounds_of


@pytest.fixture(scope="module")
async def sounds_stored(parts: Parts) -> list[Sound]:
    sounds = sounds_of(new_id())
    for sound in (*sounds, *sounds_of(new_id(), count=10)):
        await parts.store.audio_files.add(replace(sound.file, analysis_id=None))
        if sound.analysis:
            await parts.store.audio_files.set_analysis(sound.analysis)
    return sounds


async def test_the_same_bytes_are_stored_once_by_however_many(parts: Parts, owner_id: str) -> None:
    files = parts.store.audio_files
    other = new_id()
    copies = [audio_file(owner_id, sha256="ab" * 32) for _ in range(20)]
    answers = await asyncio.gather(*map(files.add, copies), files.add(audio_file(other)))
    assert len({answer.id for answer in answers[:20]}) == 1
    assert await files.count(owner_id) == 1
    [stored] = await files.by_ids(owner_id, [answers[0].id])
    assert stored == answers[0]
    another = audio_file(other, sha256="ab" * 32)
    assert await files.add(another) == another


async def test_a_file_reads_as_it_was_stored(parts: Parts, owner_id: str) -> None:
    files = parts.store.audio_files
    file = audio_file(owner_id, filename="🥁 é\U0010fffd:~.wav", tags=("ümlaut",), size_bytes=2**40)
    assert await files.add(file) == file
    assert await files.by_content(owner_id, file.sha256) == file
    assert await files.by_ids(owner_id, ["no", file.id, "no"]) == [None, file, None]


async def test_another_owner_finds_and_changes_nothing(parts: Parts, owner_id: str) -> None:
    files = parts.store.audio_files
    file = await files.add(audio_file(owner_id))
    other = new_id()
    assert await files.by_ids(other, [file.id]) == [None]
    assert await files.by_content(other, file.sha256) is None
    assert await files.count(other) == 0
    assert await files.ids(other) == []
    await files.rename(replace(file, owner_id=other, filename="stolen.wav"))
    await files.set_analysis(analysis(other, file.id))
    await files.remove(other, file.id)
    assert await files.by_ids(owner_id, [file.id]) == [file]
    await files.remove(owner_id, file.id)
    assert await files.by_ids(owner_id, [file.id]) == [None]


@pytest.mark.parametrize("filter_", filters(), ids=lambda filter_: _short(filter_))
async def test_a_filter_finds_what_it_says(
    parts: Parts, sounds_stored: list[Sound], filter_: AudioFileFilter
) -> None:
    files = parts.store.audio_files
    owner = sounds_stored[0].file.owner_id
    expected = [sound.file.id for sound in sounds_stored if matches(sound, filter_)]
    assert await files.ids(owner, filter_) == expected
    assert await files.count(owner, filter_) == len(expected)
    every = [sound.file.id for sound in sounds_stored]
    assert await files.matching(owner, every, filter_) == set(expected)
    page = await files.page(owner, Window(100), AudioFileOrder(descending=False), filter_)
    assert [row.value.id for row in page.rows] == expected


def test_the_filters_tell_files_apart() -> None:
    found = [sum(matches(sound, filter_) for sound in sounds_of("a")) for filter_ in filters()]
    assert sum(0 < count < 60 for count in found) > 40


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("field", AudioFileOrderField)
async def test_each_order_both_ways(
    parts: Parts, sounds_stored: list[Sound], field: AudioFileOrderField, descending: bool
) -> None:
    def place(sound: Sound) -> tuple:
        file, tempo = sound.file, sound.findings.tempo
        by = {
            AudioFileOrderField.UPLOADED_AT: file.id,
            AudioFileOrderField.FILENAME: file.filename.casefold(),
            AudioFileOrderField.DURATION: file.facts.duration_seconds,
            # Without a tempo: last, whichever way.
            AudioFileOrderField.TEMPO: (tempo is None) is not descending,
        }
        bpm = tempo.bpm if tempo and field is AudioFileOrderField.TEMPO else 0
        return by[field], bpm, file.id

    expected = sorted(sounds_stored, key=place, reverse=descending)
    order = AudioFileOrder(field, descending)
    files, owner = parts.store.audio_files, sounds_stored[0].file.owner_id
    met, after = [], None
    while True:
        page = await files.page(owner, Window(23, after=after), order)
        met += [row.value for row in page.rows]
        if not page.has_next:
            break
        after = page.rows[-1].key
    assert met == [sound.file for sound in expected]


@pytest.mark.parametrize("filter_", [None, *filters()[::9]], ids=lambda filter_: _short(filter_))
async def test_stats_add_up(
    parts: Parts, sounds_stored: list[Sound], filter_: AudioFileFilter | None
) -> None:
    sounds = [s for s in sounds_stored if matches(s, filter_ or AudioFileFilter())]
    stats = await parts.store.audio_files.stats(sounds_stored[0].file.owner_id, filter_)
    found = [sound.findings for sound in sounds]
    assert stats.audio_files == len(sounds)
    assert stats.analyzed == sum(sound.analysis is not None for sound in sounds)
    assert stats.total_bytes == sum(sound.file.size_bytes for sound in sounds)
    assert stats.total_seconds == pytest.approx(
        sum(sound.file.facts.duration_seconds for sound in sounds)
    )
    assert stats.by_kind == _counted(f.kind.value for f in found if f.kind)
    keys = [f.key for f in found if f.key]
    assert stats.by_key == _counted(f"{key.tonic} {key.mode.value.lower()}" for key in keys)
    assert stats.by_label == _counted(label.name for f in found for label in f.labels)
    lows = [int(f.tempo.bpm // 10) * 10 for f in found if f.tempo]
    assert stats.by_tempo == _counted(f"{low}-{low + 9}" for low in lows)


async def test_an_empty_library_has_stats(parts: Parts, owner_id: str) -> None:
    stats = await parts.store.audio_files.stats(owner_id)
    assert (stats.audio_files, stats.total_bytes, stats.by_kind) == (0, 0, ())


async def test_an_older_analysis_never_takes_over(parts: Parts, owner_id: str) -> None:
    files = parts.store.audio_files
    for _ in range(5):
        file = await files.add(audio_file(owner_id))
        runs = [
            analysis(owner_id, file.id, findings=findings(tempo=Tempo(100.0 + n, 1.0, ())))
            for n in range(12)
        ]
        newest = max(runs, key=lambda run: run.id)
        await asyncio.gather(*map(files.set_analysis, [*runs[1::2], newest, *runs[::2]]))
        [stored] = await files.by_ids(owner_id, [file.id])
        assert stored
        assert stored.analysis_id == newest.id
        bpm = newest.findings.tempo and newest.findings.tempo.bpm
        assert file.id in await files.ids(owner_id, AudioFileFilter(tempo=Range(bpm, bpm)))
        await files.set_analysis(runs[0])
        assert (await files.by_ids(owner_id, [file.id]))[0] == stored


@pytest.mark.parametrize("order", [1, -1], ids=["deep first", "deep last"])
async def test_who_asked_less_takes_nothing_away(parts: Parts, owner_id: str, order: int) -> None:
    files = parts.store.audio_files
    file = await files.add(audio_file(owner_id))
    deep = analysis(owner_id, file.id, level=AnalysisLevel.DETAILED, findings=findings())
    bare = Findings(kind=SampleKind.LOOP)
    basic = analysis(owner_id, file.id, level=AnalysisLevel.BASIC, findings=bare)
    for run in (deep, basic)[::order]:
        await files.set_analysis(run)
    [stored] = await files.by_ids(owner_id, [file.id])
    assert stored
    assert stored.analysis_id == deep.id
    assert await files.ids(owner_id, AudioFileFilter(labels=("bass",))) == [file.id]
    deeper = analysis(owner_id, file.id, level=AnalysisLevel.PROFESSIONAL, findings=bare)
    await files.set_analysis(deeper)
    assert await files.ids(owner_id, AudioFileFilter(labels=("bass",))) == []


async def test_a_file_of_before_standings_takes_what_comes(parts: Parts, owner_id: str) -> None:
    files = parts.store.audio_files
    file = await files.add(audio_file(owner_id))
    await files.set_analysis(analysis(owner_id, file.id, level=AnalysisLevel.DETAILED))
    await files._files.update_one({"_id": file.id}, {"$unset": {"standing": ""}})
    made = analysis(owner_id, file.id, level=AnalysisLevel.BASIC)
    await files.set_analysis(made)
    [stored] = await files.by_ids(owner_id, [file.id])
    assert stored
    assert stored.analysis_id == made.id


async def test_a_renamed_file_is_found_by_its_new_name_only(parts: Parts, owner_id: str) -> None:
    files = parts.store.audio_files
    file = await files.add(audio_file(owner_id, filename="zebra.wav", tags=("old",)))
    await files.add(audio_file(owner_id, filename="middle.wav"))
    made = analysis(owner_id, file.id, findings=findings())
    await files.set_analysis(made)
    renamed = replace(file, filename="Ärger.wav", tags=("new",), analysis_id=made.id)
    await files.rename(renamed)
    assert await files.by_ids(owner_id, [file.id]) == [renamed]
    filter_ = AudioFileFilter
    for found in (filter_(search="ärg"), filter_(search="new"), filter_(tags=("new",))):
        assert await files.ids(owner_id, found) == [file.id]
    for lost in (filter_(search="zebra"), filter_(search="old"), filter_(tags=("old",))):
        assert await files.ids(owner_id, lost) == []
    order = AudioFileOrder(AudioFileOrderField.FILENAME, descending=True)
    page = await files.page(owner_id, Window(5), order)
    assert [row.value.filename for row in page.rows] == ["Ärger.wav", "middle.wav"]


def _counted(names: Iterable[str]) -> tuple[Bucket, ...]:
    counts = Counter(names).items()
    return tuple(Bucket(*pair) for pair in sorted(counts, key=lambda pair: (-pair[1], pair[0])))


def _short(filter_: AudioFileFilter | None) -> str:
    given = (
        {}
        if filter_ is None
        else {
            name: getattr(filter_, name)
            for name in AudioFileFilter.__dataclass_fields__
            if getattr(filter_, name) is not None
        }
    )
    return ",".join(given) or "everything"
