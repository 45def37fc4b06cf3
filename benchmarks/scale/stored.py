"""How long lists, filters, sums and searches take, by how much is stored."""

import asyncio
import http.client
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from benchmarks.scale.library import fill
from benchmarks.scale.processes import api
from samplemind.domain.library import AudioFileOrder, AudioFileOrderField
from samplemind.domain.user import LOCAL_USER
from samplemind.local import running_parts
from samplemind.parts import Parts
from schema.ids import encode_id
from schema.paging import audio_file_order, encode_cursor

Variables = dict[str, Any]

_FILE = "id filename format durationSeconds sizeBytes tags uploadedAt"
_LIST = f"""query ($filter: AudioFileFilter, $orderBy: AudioFileOrder, $after: String) {{
  audioFiles(first: 50, filter: $filter, orderBy: $orderBy, after: $after) {{
    edges {{ node {{ {_FILE} }} }} pageInfo {{ hasNextPage endCursor }}
  }}
}}"""
_DETAILED = f"""{{ audioFiles(first: 50) {{ edges {{ node {{ {_FILE}
  analysis {{ kind tempo {{ bpm }} key {{ tonic mode }} labels {{ name score }} }}
}} }} }} }}"""
_COUNT = "query ($filter: AudioFileFilter) { audioFiles(first: 0, filter: $filter) { totalCount } }"
_STATS = """query ($filter: AudioFileFilter) { libraryStats(filter: $filter) {
  audioFiles byKind { name count } byLabel { name count } byKey { name count }
} }"""
_SIMILAR = f"""query ($id: ID!, $filter: AudioFileFilter) {{
  similarTo(target: {{audioFileId: $id}}, first: 20, filter: $filter) {{
    edges {{ score node {{ {_FILE} }} }}
  }}
}}"""

_FILTERS: dict[str, Variables] = {
    "search bass": {"search": "bass"},
    "search two words": {"search": "bas dee"},
    "search one file": {"search": "000123"},
    "tags": {"tags": ["dark"]},
    "two tags": {"tags": ["dark", "vinyl"]},
    "kind, every third": {"kinds": ["LOOP"]},
    "kind, two of three": {"kinds": ["ONE_SHOT"]},
    "label, one of four": {"labels": ["bass"]},
    "label, one of 130": {"labels": ["wind"]},
    "labels, any of three": {"labels": ["bass", "short", "dark"]},
    "key": {"keys": [{"tonic": "A", "mode": "MINOR"}]},
    "tempo": {"tempo": {"min": 120, "max": 130}},
    "duration": {"durationSeconds": {"max": 5}},
    "uploaded": {"uploadedAt": {"from": "2024-01-02T00:00:00Z"}},
    "analyzed": {"analyzed": True},
    "all at once": {
        "search": "deep",
        "tags": ["dark"],
        "kinds": ["ONE_SHOT"],
        "labels": ["bass", "short"],
        "keys": [{"tonic": "A", "mode": "MINOR"}, {"tonic": "C", "mode": "MAJOR"}],
        "durationSeconds": {"max": 5},
    },
}

_LIST_FLOOR, _SIMILAR_FLOOR = 60.0, 100.0
_FLOORS_AT = 10_000
_OTHERS = 3


@dataclass(frozen=True)
class Case:
    """`variables` of the n-th request; `floor` in ms for the p99."""

    name: str
    query: str
    variables: Callable[[int], Variables]
    floor: float | None = None
    turns: list[list[float]] = field(default_factory=list)
    first: list[float] = field(default_factory=list)


def measure(counts: Sequence[int], data: Path, turns: int, requests: int) -> bool:
    """Prints a table for each count; whether every floor is held."""
    held = [_measure(count, data / f"stored-{count}", turns, requests) for count in counts]
    return all(held)


def _measure(count: int, data: Path, turns: int, requests: int) -> bool:
    seeds = _fill(data, count)
    # Everything is started anew, so that the first request of each case meets no cache of ours.
    with running_parts(data) as settings, api(settings) as (url, _):
        cases = list(_cases(count, seeds))
        ask = _Asker(url)
        for case in cases:
            case.first.append(ask(case, 0))
        for turn in range(turns):
            for case in cases:
                numbers = range(1 + turn * requests, 1 + (turn + 1) * requests)
                case.turns.append([ask(case, number) for number in numbers])
    print(
        f"\n{count:,} files of one owner, {_OTHERS} others with {count // 10:,} each; {turns} "
        f"turns of {requests} requests, one at a time; ms"
    )
    print(f"{'':<42}{'first':>8}{'p50':>8}{'(of turns)':>16}{'p99':>8}{'most':>8}")
    held = [_report(case, floors=count == _FLOORS_AT) for case in cases]
    return all(held)


def _report(case: Case, *, floors: bool) -> bool:
    medians = [float(np.median(turn)) for turn in case.turns]
    every = np.concatenate(case.turns)
    p99 = float(np.percentile(every, 99))
    spread = f"({min(medians):.1f} to {max(medians):.1f})"
    held = not floors or case.floor is None or p99 < case.floor
    verdict = "" if not floors or case.floor is None else f"  floor {case.floor:g}"
    print(
        f"{case.name:<42}{case.first[0]:>8.1f}{np.median(every):>8.1f}{spread:>16}"
        f"{p99:>8.1f}{every.max():>8.1f}{verdict}{'' if held else ' MISSED'}",
        flush=True,
    )
    return held


def _cases(count: int, seeds: Sequence[str]) -> Iterator[Case]:
    def nothing(_: int) -> Variables:
        return {}

    middle = encode_cursor(audio_file_order(AudioFileOrder()), seeds[len(seeds) // 2])
    yield Case("list, first page", _LIST, nothing, _LIST_FLOOR)
    yield Case("list, first page with analyses", _DETAILED, nothing, _LIST_FLOOR)
    yield Case("list, page in the middle", _LIST, lambda _: {"after": middle}, _LIST_FLOOR)
    for order in AudioFileOrderField:
        for direction in ("ASC", "DESC"):
            by = {"orderBy": {"field": order.value, "direction": direction}}
            name = f"list by {order.value.lower()}, {direction.lower()}"
            yield Case(name, _LIST, _always(by), _LIST_FLOOR)
    for name, chosen in _FILTERS.items():
        yield Case(f"list: {name}", _LIST, _always({"filter": chosen}), _LIST_FLOOR)
    for name, query in (("totalCount", _COUNT), ("libraryStats", _STATS)):
        yield Case(f"{name}, kept", query, nothing)
        # Another filter each time: nothing is kept of it.
        yield Case(f"{name}, anew", query, lambda number: _longest(10_000 + number))

    def of_seed(filter_: Variables | None) -> Callable[[int], Variables]:
        return lambda number: {
            "id": encode_id("AudioFile", seeds[number * 7919 % len(seeds)]),
            "filter": filter_,
        }

    yield Case("similarTo", _SIMILAR, of_seed(None), _SIMILAR_FLOOR)
    same = of_seed(None)(0)
    yield Case("similarTo, of one seed again", _SIMILAR, _always(same), _SIMILAR_FLOOR)
    for name, chosen in _FILTERS.items():
        yield Case(f"similarTo: {name}", _SIMILAR, of_seed(chosen), _SIMILAR_FLOOR)


def _always(variables: Variables) -> Callable[[int], Variables]:
    return lambda _: variables


def _longest(seconds: float) -> Variables:
    return {"filter": {"durationSeconds": {"max": seconds}}}


class _Asker:
    """One connection that stays open; raises AssertionError for an answer with errors."""

    def __init__(self, url: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)

    def __call__(self, case: Case, number: int) -> float:
        """How long the answer took, in ms."""
        body = json.dumps({"query": case.query, "variables": case.variables(number)})
        asked = time.perf_counter()
        self._connection.request("POST", "/graphql", body, {"content-type": "application/json"})
        answer = self._connection.getresponse().read()
        taken = time.perf_counter() - asked
        assert '"errors"' not in answer[:200].decode(errors="replace"), (case.name, answer[:500])
        return taken * 1_000


def _fill(data: Path, count: int) -> list[str]:
    """Makes the libraries where they are not there yet; the ids that have a vector."""
    done = data / "filled.json"
    if not done.exists():
        began = time.perf_counter()
        with running_parts(data) as settings:
            seeds = asyncio.run(_fill_all(Parts.open(settings), count))
        done.write_text(json.dumps(seeds))
        print(f"\n{count:,} files made in {time.perf_counter() - began:.0f} s", flush=True)
    return json.loads(done.read_text())


async def _fill_all(parts: Parts, count: int) -> list[str]:
    await parts.store.prepare()
    seeds = await fill(parts, LOCAL_USER, count, seed=1)
    for number in range(_OTHERS):
        await fill(parts, f"other-{number}", count // 10, seed=2 + number)
    await parts.close()
    return seeds
