"""Hours of everything at once, and whether the memory stays as it is."""

import asyncio
import random
import time
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from benchmarks import sounds
from benchmarks.scale.processes import api, parts_of, worker
from samplemind.local import running_parts
from tests.server import Server

_KEPT = 120
"""Files that stay: the oldest goes when one comes."""

_SAMPLE_SECONDS = 2.0
_MIB = 1024**2
_MOST_GROWTH = 0.10

_LIST = """query ($filter: AudioFileFilter, $orderBy: AudioFileOrder) {
  audioFiles(first: 50, filter: $filter, orderBy: $orderBy) { totalCount edges { node {
    id filename tags analysis { kind tempo { bpm } labels { name score } }
  } } }
  libraryStats { audioFiles byLabel { name count } }
}"""
_SIMILAR = """query ($id: ID!, $filter: AudioFileFilter) {
  similarTo(target: {audioFileId: $id}, first: 20, filter: $filter) {
    edges { score reasons { timbre } node { filename } }
  }
}"""
_DELETE = "mutation ($id: ID!) { deleteAudioFile(input: {id: $id}) { errors { code } } }"
_FILTERS = (None, {"kinds": ["ONE_SHOT"]}, {"search": "one"}, {"labels": ["kick", "tom", "bass"]})
_ORDERS = ("UPLOADED_AT", "FILENAME", "DURATION", "TEMPO")


@dataclass
class _Load:
    """What is done until `until`; `analyzed` are the files that can be searched with."""

    server: Server
    until: float
    analyzed: deque[str] = field(default_factory=deque)
    done: Counter[str] = field(default_factory=Counter)
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311
    number: int = 0

    async def upload(self) -> None:
        """A new sound, watched until it is analysed; the oldest goes."""
        self.number += 1
        content = await asyncio.to_thread(sounds.one_shot, 50_000 + self.number)
        name = f"one-shot {self.number}.wav"
        payload = await asyncio.to_thread(
            self.server.upload, content, name, tags=["soak"], level="STANDARD"
        )
        assert payload["errors"] == [], payload
        id_ = payload["audioFile"]["id"]
        ended = await self.server.analyzed(id_)
        assert ended["status"] == "SUCCEEDED", ended
        self.analyzed.append(id_)
        if len(self.analyzed) > _KEPT:
            gone = self.analyzed.popleft()
            deleted = await asyncio.to_thread(self.server.ask, _DELETE, id=gone)
            assert deleted["deleteAudioFile"]["errors"] == [], deleted
            self.done["deletions"] += 1

    async def list(self) -> None:
        order = {"field": self.chance.choice(_ORDERS), "direction": self.chance.choice(_WAYS)}
        chosen = self.chance.choice(_FILTERS)
        await asyncio.to_thread(self.server.ask, _LIST, filter=chosen, orderBy=order)

    async def search(self) -> None:
        # Not among the oldest, which may go meanwhile.
        id_ = self.analyzed[self.chance.randrange(len(self.analyzed) // 2, len(self.analyzed))]
        chosen = self.chance.choice(_FILTERS)
        await asyncio.to_thread(self.server.ask, _SIMILAR, id=id_, filter=chosen)

    async def batch(self) -> None:
        """Of what is there, watched to its end. What is deleted meanwhile fails."""
        ids = list(self.analyzed)[-40:]
        ended = await self.server.batch(audioFileIds=ids, level="STANDARD")
        assert ended["completed"] + ended["failed"] == ended["total"], ended


_WAYS = ("ASC", "DESC")


def measure(minutes: float, folder: Path) -> bool:
    """Prints how much was done and how the memory of each process went; whether that of the API
    and of the workers stayed."""
    memory: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    with (
        running_parts(folder / "soak") as settings,
        api(settings) as (url, pid),
        worker(settings, 2, url) as worker_pid,
    ):
        server = Server(url, settings.data_dir, pid, [])
        pids = {**parts_of(settings.data_dir), "api": pid, "worker": worker_pid}
        load = _Load(server, time.monotonic() + 60 * minutes)
        asyncio.run(_run(load, pids, memory))
    print(f"\n{minutes:g} minutes: {', '.join(f'{n:,} {what}' for what, n in load.done.items())}")
    held = [_report(name, samples) for name, samples in sorted(memory.items())]
    return all(held)


async def _run(
    load: _Load, pids: Mapping[str, int], memory: Mapping[str, list[tuple[float, float]]]
) -> None:
    for _ in range(10):
        await load.upload()
    async with asyncio.TaskGroup() as group:
        for name, do, pause in (
            ("uploads", load.upload, 1.0),
            ("lists", load.list, 0.2),
            ("searches", load.search, 0.5),
            ("batches", load.batch, 30.0),
        ):
            group.create_task(_again_and_again(load, name, do, pause))
        group.create_task(_sample(load, pids, memory))


async def _again_and_again(
    load: _Load, name: str, do: Callable[[], Awaitable[None]], pause: float
) -> None:
    while time.monotonic() < load.until:
        await do()
        load.done[name] += 1
        await asyncio.sleep(min(pause, max(0.0, load.until - time.monotonic())))


async def _sample(
    load: _Load, pids: Mapping[str, int], memory: Mapping[str, list[tuple[float, float]]]
) -> None:
    began = time.monotonic()
    while time.monotonic() < load.until:
        for name, pid in pids.items():
            process = psutil.Process(pid)
            memory[name].append((time.monotonic() - began, process.memory_info().rss / _MIB))
            for number, child in enumerate(process.children(), 1):
                # Readers and worker processes are replaced now and then.
                resident = child.memory_info().rss / _MIB
                memory[f"{name}, process {number}"].append((time.monotonic() - began, resident))
        await asyncio.sleep(_SAMPLE_SECONDS)


def _report(name: str, samples: Sequence[tuple[float, float]]) -> bool:
    """The first third warms up: caches fill to their bounds."""
    after = np.array(samples[len(samples) // 3 :])
    seconds, resident = after[:, 0], after[:, 1]
    slope = np.polyfit(seconds - seconds[0], resident, 1)[0] if len(after) > 2 else 0.0
    growth = slope * (seconds[-1] - seconds[0]) / resident.mean()
    ours = name.startswith(("api", "worker"))
    flat = not ours or growth < _MOST_GROWTH
    print(
        f"{name:<22} MiB: {samples[0][1]:6.0f} at first, {resident.mean():6.0f} on average, "
        f"{resident.max():6.0f} at most; {slope * 3_600:+7.1f} an hour{'' if flat else ' GROWS'}",
        flush=True,
    )
    return flat
