"""What is measured, of a server that is started, used and stopped as by a user."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import sounds
from benchmarks.figure import Figure
from benchmarks.memory import memory
from tests.server import Server, running_server

_WARM_START_FLOOR = 15.0
_ONE_SHOT_FLOOR = 1.0
_BATCH_FLOOR = 40.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How many sounds of each sort."""

    one_shots: int = 30
    tracks: int = 5
    batch: int = 130


async def measure(folder: Path, plan: Plan, say: Callable[[str], None]) -> list[Figure]:
    data_dir = folder / "data"
    say("Starting in an empty folder ...")
    began = time.perf_counter()
    with running_server(data_dir, []):
        cold = time.perf_counter() - began
    say("Starting again ...")
    began = time.perf_counter()
    with running_server(data_dir, []) as server:
        warm = time.perf_counter() - began
        say(f"{plan.one_shots} one-shots ...")
        one_shots = [await _one(server, sounds.one_shot(seed)) for seed in range(plan.one_shots)]
        say(f"{plan.tracks} tracks ...")
        tracks = [await _one(server, sounds.track(seed)) for seed in range(plan.tracks)]
        say(f"A batch of {plan.batch} ...")
        batch = await _batch(server, plan.batch)
        held = memory(server.pid, data_dir)
    return [
        Figure("cold start", "s", cold, note="an empty data directory"),
        Figure("warm start", "s", warm, floor=_WARM_START_FLOOR),
        Figure.of_many("one-shot of 1 s, upload to analysed", "s", one_shots, _ONE_SHOT_FLOOR),
        Figure.of_many("track of 3 min, upload to analysed", "s", tracks, None),
        *batch,
        *held,
    ]


async def _one(server: Server, content: bytes) -> float:
    """Seconds from the start of the upload until a subscription says that it is analysed."""
    began = time.perf_counter()
    payload = server.upload(content, level="STANDARD")
    assert payload["errors"] == [], payload
    analysis = await server.analyzed(payload["audioFile"]["id"])
    seconds = time.perf_counter() - began
    assert analysis["status"] == "SUCCEEDED", analysis
    return seconds


async def _batch(server: Server, count: int) -> list[Figure]:
    """From asking for the batch job to its last event; the sounds are uploaded before."""
    chosen, source = sounds.batch(count)
    ids = []
    for filename, content in chosen:
        payload = server.upload(content, filename)
        assert payload["errors"] == [], payload
        ids.append(payload["audioFile"]["id"])
    began = time.perf_counter()
    ended = await server.batch(audioFileIds=ids, level="STANDARD")
    seconds = time.perf_counter() - began
    assert ended["completed"] == count, ended
    floor = _BATCH_FLOOR if count == Plan().batch else None
    return [
        Figure(f"batch of {count} files", "s", seconds, floor=floor, note=source),
        Figure("batch, files a second", "/s", count / seconds),
    ]
