"""Where the time of a filtered search goes: what Chroma takes to list what matches, to search
among it, and what looking through the nearest of all takes instead."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.scale.stored import stored_library
from loaders.neighbours import NeighboursLoader, Search
from samplemind.domain.analysis import Mode, SampleKind
from samplemind.domain.library import AudioFileFilter, KeyName, Range
from samplemind.domain.user import LOCAL_USER
from samplemind.local import running_parts
from samplemind.parts import Parts
from samplemind.vectors import _conditions

_TURNS = 15
_FOUND = 21

_FILTERS = {
    "kind, two of three": AudioFileFilter(kinds=(SampleKind.ONE_SHOT,)),
    "kind, every third": AudioFileFilter(kinds=(SampleKind.LOOP,)),
    "label, one of four": AudioFileFilter(labels=("bass",)),
    "label, one of 130": AudioFileFilter(labels=("wind",)),
    "key": AudioFileFilter(keys=(KeyName("A", Mode.MINOR),)),
    "tempo": AudioFileFilter(tempo=Range(120, 130)),
    "duration": AudioFileFilter(duration_seconds=Range(None, 5)),
    "search one file": AudioFileFilter(search="000123"),
    "two tags": AudioFileFilter(tags=("dark", "vinyl")),
}


def measure(count: int, data: Path) -> None:
    folder = data / f"stored-{count}"
    seeds = stored_library(folder, count)
    with running_parts(folder) as settings:
        asyncio.run(_measure(Parts.open(settings), seeds))


async def _measure(parts: Parts, seeds: list[str]) -> None:
    found = await parts.vectors.embeddings(LOCAL_USER, seeds[:: len(seeds) // _TURNS][:_TURNS])
    targets = [tuple(each) for each in found if each]
    collection = await parts.vectors._collection(LOCAL_USER)
    nearest = parts.vectors.nearest
    plain = await _milliseconds(lambda n: nearest(LOCAL_USER, targets[n], _FOUND))
    print(f"\n{len(seeds):,} vectors; median of {_TURNS}, ms; without a filter {plain:.1f}")
    print(f"{'':<24}{'match':>8}{'listed':>10}{'searched':>10}{'ours':>10}")
    for name, filter_ in _FILTERS.items():
        where, words = _conditions(filter_)
        listing = {"where": where, "where_document": words, "include": [], "limit": len(seeds)}
        matches = len((await collection.get(**listing))["ids"])
        listed = await _milliseconds(lambda _, asked=listing: collection.get(**asked))
        searched = await _milliseconds(
            lambda n, filter_=filter_: nearest(LOCAL_USER, targets[n], _FOUND, filter_)
        )
        ours = await _milliseconds(
            lambda n, filter_=filter_: NeighboursLoader(
                parts.store, parts.vectors, LOCAL_USER
            ).load(Search(targets[n], _FOUND, filter_))
        )
        print(f"{name:<24}{matches:>8,}{listed:>10.1f}{searched:>10.1f}{ours:>10.1f}", flush=True)
    await parts.close()


async def _milliseconds(ask: Callable[[int], Awaitable[object]]) -> float:
    taken = []
    for number in range(_TURNS):
        started = time.perf_counter()
        await ask(number)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1_000
