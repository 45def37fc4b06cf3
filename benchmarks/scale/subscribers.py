"""Many who watch one API process live, while batches run: nobody misses anything."""

import asyncio
import json
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import websockets

from benchmarks import sounds
from benchmarks.scale.processes import api, worker
from samplemind.local import running_parts
from tests.server import Server

_BATCHES, _FILES = 4, 25
_OF_FILES = 5
"""Every fifth subscriber watches one file, the others a batch."""

_AT_ONCE = 50
_SECONDS = 240
_MIB = 1024**2
_PROTOCOL = websockets.Subprotocol("graphql-transport-ws")

_CREATE = """mutation ($input: CreateBatchJobInput!) {
  createBatchJob(input: $input) { batchJob { id } errors { code message } }
}"""
_PROGRESS = """subscription ($id: ID!) { batchProgress(batchId: $id, afterSequence: 0) {
  sequence batchJob { status updatedAt } item { status }
} }"""
_UPDATES = "subscription ($id: ID!) { analysisUpdated(audioFileId: $id) { id status } }"


@dataclass
class _Heard:
    """What one subscriber was told, and how long after it happened, in seconds."""

    numbers: list[int] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)


def measure(count: int, folder: Path) -> bool:
    """Prints what was received, how late and in how much memory; whether nothing was missed."""
    # A socket at either end, and those of the databases.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 3 * count), hard), hard))
    with running_parts(folder / "subscribers") as settings, api(settings) as (url, pid):
        server = Server(url, settings.data_dir, pid, [])
        files = [
            server.upload(content, name)["audioFile"]["id"]
            for name, content in sounds.batch(_BATCHES * _FILES)[0]
        ]
        batches = [_create(server, files[start::_BATCHES]) for start in range(_BATCHES)]
        memory = [_resident(pid)]
        heard = asyncio.run(_watch(settings, server, count, batches, files, memory))
        time.sleep(2)
        memory.append(_resident(pid))
    return _report(heard, memory)


async def _watch(
    settings: Any,
    server: Server,
    count: int,
    batches: Sequence[str],
    files: Sequence[str],
    memory: list[float],
) -> tuple[list[_Heard], list[_Heard]]:
    """Subscribes all before there is a worker, then has one do the batches."""
    ready, doors = asyncio.Semaphore(0), asyncio.Semaphore(_AT_ONCE)
    of_batches, of_files = [], []
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            if number % _OF_FILES:
                of_batches.append(_Heard())
                watching = _progress(batches[number % _BATCHES], of_batches[-1])
            else:
                of_files.append(_Heard())
                watching = _updates(files[number // _OF_FILES % len(files)], of_files[-1])
            group.create_task(_subscribe(server.url, *watching, ready, doors))
        for _ in range(count):
            await ready.acquire()
        memory.append(_resident(server.pid))
        print(f"{count:,} subscribers are there", flush=True)
        # The databases would end with another thread than this; a worker does not.
        starting = worker(settings, 1, server.url)
        await asyncio.to_thread(starting.__enter__)
    memory.append(_resident(server.pid))
    await asyncio.to_thread(starting.__exit__, None, None, None)
    return of_batches, of_files


def _progress(batch: str, heard: _Heard) -> tuple[str, str, Any]:
    def hear(data: dict[str, Any]) -> bool:
        change = data["batchProgress"]
        happened = datetime.fromisoformat(change["batchJob"]["updatedAt"])
        heard.delays.append(time.time() - happened.timestamp())
        heard.numbers.append(change["sequence"])
        return False

    return _PROGRESS, batch, hear


def _updates(file: str, heard: _Heard) -> tuple[str, str, Any]:
    def hear(data: dict[str, Any]) -> bool:
        heard.statuses.append(data["analysisUpdated"]["status"])
        return heard.statuses[-1] == "SUCCEEDED"

    return _UPDATES, file, hear


async def _subscribe(
    url: str, query: str, id_: str, hear: Any, ready: asyncio.Semaphore, doors: asyncio.Semaphore
) -> None:
    """Until the server completes it, or `hear` has heard enough."""
    address = url.replace("http", "ws") + "/graphql"
    async with asyncio.timeout(_SECONDS):
        await doors.acquire()
        async with websockets.connect(
            address, subprotocols=[_PROTOCOL], compression=None, open_timeout=60
        ) as socket:
            await socket.send('{"type": "connection_init"}')
            await socket.recv()
            payload = {"query": query, "variables": {"id": id_}}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            is_first = True
            async for text in socket:
                message = json.loads(text)
                if message["type"] == "complete":
                    return
                assert message["type"] == "next", message
                assert "errors" not in message["payload"], message
                enough = hear(message["payload"]["data"])
                if is_first:
                    # It listens now.
                    doors.release()
                    ready.release()
                    is_first = False
                if enough:
                    return


def _create(server: Server, ids: Sequence[str]) -> str:
    chosen = {"audioFileIds": list(ids), "level": "STANDARD"}
    payload = server.ask(_CREATE, input=chosen)["createBatchJob"]
    assert payload["errors"] == [], payload
    return payload["batchJob"]["id"]


def _resident(pid: int) -> float:
    return psutil.Process(pid).memory_info().rss / _MIB


def _report(heard: tuple[list[_Heard], list[_Heard]], memory: Sequence[float]) -> bool:
    of_batches, of_files = heard
    # Made, then RUNNING and SUCCEEDED of each file.
    whole = list(range(1, 2 + 2 * _FILES))
    complete = sum(each.numbers == whole for each in of_batches)
    in_order = sum(
        each.statuses == [s for s in ("QUEUED", "RUNNING", "SUCCEEDED") if s in each.statuses]
        and each.statuses[-1] == "SUCCEEDED"
        for each in of_files
    )
    every_step = sum(len(each.statuses) == 3 for each in of_files)
    # The first event is of before: it was told when the subscriber came.
    delays = np.concatenate([each.delays[1:] for each in of_batches]) * 1_000
    print(
        f"batchProgress: {complete:,} of {len(of_batches):,} received all {len(whole)} changes "
        f"in order\nanalysisUpdated: {in_order:,} of {len(of_files):,} received the end after what "
        f"came before it, {every_step:,} every step\n"
        f"{len(delays):,} events after they happened, ms: p50 {np.percentile(delays, 50):.0f}, "
        f"p99 {np.percentile(delays, 99):.0f}, most {delays.max():.0f}"
    )
    without, subscribed, after, left = memory
    each = (subscribed - without) / (len(of_batches) + len(of_files)) * 1_024
    print(
        f"memory of the API, MiB: {without:.0f} without subscribers, {subscribed:.0f} with all of "
        f"them ({each:.0f} KiB each), {after:.0f} at the end, {left:.0f} when all had left",
        flush=True,
    )
    return complete == len(of_batches) and in_order == len(of_files)
