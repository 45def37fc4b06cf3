"""What a filtered search finds, however it is found: the same, in the same order, page by page."""

import random
from collections import Counter

import numpy as np
import pytest

from benchmarks.scale.library import TAGS, Maker, fill
from loaders.neighbours import NeighboursLoader, Search
from resolvers.scope import Scope
from resolvers.similarity import similar_to
from samplemind.domain.analysis import Mode, SampleKind
from samplemind.domain.ids import new_id
from samplemind.domain.library import AudioFileFilter, KeyName, Range, TimeRange
from samplemind.domain.paging import Window
from samplemind.parts import Parts
from tests.domain.models import user
from tests.store.reference import Sound, matches

_COUNT = 2_500


@pytest.fixture(scope="module")
async def library(parts: Parts) -> list[Sound]:
    """More than are looked through."""
    owner = new_id()
    await fill(parts, owner, _COUNT, seed=5)
    made = [each for chunk in Maker(5).sounds(owner, _COUNT) for each in chunk]
    return [Sound(each.file, each.analysis) for each in made]


def _filters(library: list[Sound]) -> list[AudioFileFilter]:
    chance = random.Random(3)  # noqa: S311
    names = sorted({label.name for each in library for label in each.findings.labels})
    times = [each.file.uploaded_at for each in library]

    def one() -> dict:
        low = chance.choice((60, 100, 120, 128))
        start = chance.choice(times)
        return chance.choice(
            (
                {"kinds": tuple(chance.sample(tuple(SampleKind), chance.randint(1, 2)))},
                {"labels": tuple(chance.sample(names, chance.randint(1, 3)))},
                {"tags": tuple(chance.sample(TAGS, chance.randint(1, 2)))},
                {"keys": (KeyName("A", Mode.MINOR), KeyName("C", chance.choice(tuple(Mode))))},
                {"tempo": Range(low, chance.choice((None, low, low + 10)))},
                {"duration_seconds": Range(chance.choice((None, 0.5)), chance.choice((2, 5)))},
                {"uploaded_at": TimeRange(start, chance.choice((None, max(times))))},
                {"search": chance.choice(("bass", "dee", "000123", "ki sof", "nowhere"))},
                {"analyzed": True},
            )
        )

    together = [{**one(), **one()} if number % 2 else one() for number in range(120)]
    return [AudioFileFilter(**conditions) for conditions in together]


def _nearest(library: list[Sound], seed: Sound, filter_: AudioFileFilter) -> list[str]:
    """By comparing with every sound."""
    found = [each for each in library if each.analysis and matches(each, filter_)]
    target = np.array(seed.findings.embedding)
    cosines = [round(float(np.array(each.findings.embedding) @ target), 6) for each in found]
    return [
        found[place].file.id
        for place in sorted(range(len(found)), key=lambda n: (-cosines[n], found[n].file.id))
    ]


async def test_it_is_what_comparing_with_everything_finds(
    parts: Parts, library: list[Sound]
) -> None:
    chance, ways, missed = random.Random(4), Counter(), 0  # noqa: S311
    owner = library[0].file.owner_id
    analyzed = [each for each in library if each.analysis]
    for filter_ in _filters(library):
        seed = chance.choice(analyzed)
        loader = NeighboursLoader(parts.store, parts.vectors, owner)
        embedding = seed.findings.embedding or ()
        search = Search(embedding, 21, filter_)
        few = await loader._among_few([embedding], search)
        expected = _nearest(library, seed, filter_)
        for way, found in {
            "as asked": await loader.load(search),
            "few": few and few[0],
            "nearest": await loader._among_nearest(search),
            "filtered": await parts.vectors.nearest(owner, embedding, 21, filter_),
        }.items():
            if found is not None:
                missed += _missed([each.audio_file_id for each in found], expected, 21)
                ways[way] += 1
    # Each way has been gone, many times.
    assert len(ways) == 4, ways
    assert min(ways.values()) > 20, ways
    assert missed < 20, "of some 7,000"


async def test_pages_follow_one_another(parts: Parts, library: list[Sound]) -> None:
    scope = Scope(parts, user(library[0].file.owner_id))
    seed, missed = next(each for each in library if each.analysis), 0
    for filter_ in _filters(library)[:30]:
        expected = [i for i in _nearest(library, seed, filter_) if i != seed.file.id]
        met, after = [], None
        while len(met) < 100:
            window = Window(25, after=after)
            page = await similar_to(scope.for_operation(), seed.file, window, filter_)
            met += [row.value.audio_file.id for row in page.rows]
            if not page.has_next:
                break
            after = page.rows[-1].key
        missed += _missed(met, expected, 100)
    assert missed < 20, "of some 2,000"


def _missed(found: list[str], expected: list[str], count: int) -> int:
    """How many of the first `count` were not found: the index of vectors is not exact. What was
    found is right, in order, and as much as there is."""
    places = [expected.index(id_) for id_ in found]
    assert places == sorted(set(places))
    assert len(found) == min(len(expected), count)
    return sum(place >= count for place in places)


async def test_matching_is_what_the_filter_says(parts: Parts, library: list[Sound]) -> None:
    owner = library[0].file.owner_id
    some = [each for each in library if each.file.id[-1] in "01234567"]
    stranger = new_id()
    for filter_ in _filters(library):
        ids = [each.file.id for each in some]
        found = await parts.store.audio_files.matching(owner, [*ids, stranger], filter_)
        assert found == {each.file.id for each in some if matches(each, filter_)}, filter_
        assert await parts.store.audio_files.matching(stranger, ids, filter_) == set()
