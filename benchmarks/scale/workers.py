"""Files a second with one worker and with more, and what each file costs where."""

import asyncio
import contextlib
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import redis

from benchmarks import sounds
from benchmarks.scale.processes import api, parts_of, worker
from samplemind.local import running_parts
from samplemind.settings import Settings
from tests.server import Server

_FILES = 130
_TRACKS = 20
_FLOOR = 1.8


@dataclass(frozen=True, slots=True)
class _Turn:
    """`cpu` has the seconds of processor time by part, `commands` those that Redis was sent."""

    rate: float
    cpu: Mapping[str, float]
    commands: Mapping[str, int]


def measure(counts: Sequence[int], folder: Path, turns: int) -> bool:
    """Prints a table for short samples and one for tracks; whether the most workers are as much
    faster as they have to be, on tracks: of samples so short, half is what the databases do, and
    on one machine they share its cores with the workers."""
    samples, source = sounds.batch(_FILES)
    tracks = [(f"track-{seed}.wav", sounds.track(seed)) for seed in range(_TRACKS)]
    ratios = [
        _measure(counts, folder / name, turns, chosen, what)
        for name, chosen, what in (
            ("samples", samples, source),
            ("tracks", tracks, "made tracks of three minutes"),
        )
    ]
    return (min(counts), max(counts)) != (1, 2) or ratios[-1] >= _FLOOR


def _measure(
    counts: Sequence[int],
    folder: Path,
    turns: int,
    chosen: Sequence[tuple[str, bytes]],
    what: str,
) -> float:
    """How many times as fast the most workers are as the least, the median of the turns."""
    found: dict[int, list[_Turn]] = {count: [] for count in counts}
    with running_parts(folder) as settings, api(settings) as (url, pid):
        server = Server(url, settings.data_dir, pid, [])
        ids = [server.upload(content, name)["audioFile"]["id"] for name, content in chosen]
        for turn in range(turns + 1):
            for count in counts:
                measured = _turn(settings, server, count, ids)
                # The first of each warms the disk and what is compiled.
                found[count] += [measured] if turn else []
    size = len(chosen)
    print(f"\n{size} of {what} a batch, level STANDARD; workers of one process; {turns} turns")
    for count, measured in found.items():
        rates = [turn.rate for turn in measured]
        spread = f"({min(rates):.2f} to {max(rates):.2f})"
        print(f"{count} workers: {statistics.median(rates):6.2f} files/s {spread}")
        medians = {
            name: statistics.median(turn.cpu[name] for turn in measured) / size * 1_000
            for name in measured[0].cpu
        }
        print("  processor time a file, ms:", _listed(medians))
    commands = found[counts[0]][-1].commands
    each = {name: number / size for name, number in commands.items() if number >= size / 2}
    print(f"  commands to Redis a file: {_listed(each)}")
    least, most = min(counts), max(counts)
    ratios = [b.rate / a.rate for a, b in zip(found[least], found[most], strict=True)]
    ratio = statistics.median(ratios)
    print(
        f"{most} against {least}: {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f})", flush=True
    )
    return ratio


def _turn(settings: Settings, server: Server, count: int, ids: list[str]) -> _Turn:
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(worker(settings, 1, server.url)) for _ in range(count)]
        _wait_for(settings, count)
        parts = {**parts_of(settings.data_dir), "api": server.pid}
        with _counting(settings, parts, workers) as spent:
            began = time.perf_counter()
            ended = asyncio.run(server.batch(audioFileIds=ids, level="STANDARD"))
            seconds = time.perf_counter() - began
    assert ended["completed"] == len(ids), ended
    return _Turn(len(ids) / seconds, *spent)


def _wait_for(settings: Settings, count: int) -> None:
    """Until so many workers are there, and idle."""
    with redis.Redis.from_url(settings.redis_url) as client:
        while len(set(client.scan_iter("samplemind:worker:*"))) < count:
            time.sleep(0.1)
    time.sleep(2)


@contextlib.contextmanager
def _counting(
    settings: Settings, parts: dict[str, int], workers: list[int]
) -> Iterator[list[dict]]:
    """Fills what it yields with processor seconds and commands, of meanwhile."""
    client = redis.Redis.from_url(settings.redis_url)
    groups = {name: [pid] for name, pid in parts.items()} | {"workers": workers}
    cpu, commands = _cpu(groups), _commands(client)
    spent: list[dict] = []
    yield spent
    after = _commands(client)
    spent += [
        {name: seconds - cpu[name] for name, seconds in _cpu(groups).items()},
        {name: calls - commands.get(name, 0) for name, calls in after.items()},
    ]
    client.close()


def _cpu(groups: Mapping[str, list[int]]) -> dict[str, float]:
    def of(pid: int) -> float:
        process = psutil.Process(pid)
        times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
        return sum(each.user + each.system for each in times)

    return {name: sum(map(of, pids)) for name, pids in groups.items()}


def _commands(client: redis.Redis) -> dict[str, int]:
    stats = client.info("commandstats")
    return {name.removeprefix("cmdstat_"): each["calls"] for name, each in stats.items()}


def _listed(figures: Mapping[str, float]) -> str:
    ordered = sorted(figures.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {number:.1f}" for name, number in ordered)
