"""How fast the API answers lists, beside a plain Strawberry app: `python -m benchmarks.graphql`.

Starts `samplemind serve` as a user does, fills it with real sounds, starts a plain Strawberry app
of the same shape (benchmarks/plain_strawberry.py) on the same documents, sees that both give the
same data, then loads them in turns. The exit code is 1 where ours is not twice as fast.

"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from benchmarks import sounds
from benchmarks.load import Load, load
from benchmarks.report import machine
from tests.server import Server, running_server

_FLOOR = 2.0
_FILES = 50

QUERIES = {
    "50 files × 10 fields": """{
  audioFiles(first: 50) { edges { node {
    id filename format sizeBytes sha256 durationSeconds sampleRate channels tags uploadedAt
  } } }
}""",
    "50 files, owner, analysis, labels": """{
  audioFiles(first: 50) { edges { node {
    id filename
    owner { username role }
    analysis { kind tempo { bpm confidence } key { tonic mode } labels { name score } }
  } } }
}""",
}


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.graphql", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="turns for each server (7)")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a turn (3)")
    parser.add_argument("--connections", type=int, default=16, help="open at once (16)")
    asked = parser.parse_args()
    where = machine()  # before, so that its load is that of others
    slowest = float("inf")
    with (
        tempfile.TemporaryDirectory(prefix="samplemind-benchmark-") as folder,
        running_server(Path(folder) / "data", []) as server,
    ):
        await fill(server)
        with _plain(server) as plain:
            print(", ".join(f"{key} {value}" for key, value in where.items()))
            for name, query in QUERIES.items():
                body = json.dumps({"query": query}).encode()
                addresses = {"SampleMind": f"{server.url}/graphql", "plain Strawberry": plain}
                _see_that_both_agree(list(addresses.values()), body)
                turns: dict[str, list[Load]] = {each: [] for each in addresses}
                for _ in range(asked.rounds):
                    for each, address in addresses.items():
                        turn = await load(address, body, asked.connections, asked.seconds)
                        turns[each].append(turn)
                slowest = min(slowest, _report(name, turns))
    return 0 if slowest >= _FLOOR else 1


async def fill(server: Server) -> None:
    chosen, _ = sounds.batch(_FILES)
    for filename, content in chosen:
        assert server.upload(content, filename, tags=["benchmark", "drums"])["errors"] == []
    ended = await server.batch(filter={}, level="STANDARD")
    assert ended["completed"] == len(chosen), ended


@contextlib.contextmanager
def _plain(server: Server) -> Iterator[str]:
    """The address of a plain Strawberry app over the server's documents."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}/graphql"
    documents = server.process("api").environ()["SAMPLEMIND_MONGO_URL"]
    process = subprocess.Popen(
        (sys.executable, "-m", "benchmarks.plain_strawberry", str(port)),
        env={**os.environ, "SAMPLEMIND_MONGO_URL": documents},
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                httpx.post(url, json={"query": "{ __typename }"}).raise_for_status()
                break
            except httpx.TransportError:
                assert process.poll() is None, "it did not start"
                assert time.monotonic() < deadline, "it does not answer"
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def _see_that_both_agree(addresses: Sequence[str], body: bytes) -> None:
    json_type = {"content-type": "application/json"}
    ours, plain = (httpx.post(url, content=body, headers=json_type).json() for url in addresses)
    assert ours["data"] == plain["data"], "the two servers do not answer the same"
    assert len(ours["data"]["audioFiles"]["edges"]) == _FILES


def _report(name: str, turns: dict[str, list[Load]]) -> float:
    """Prints a table; answers by how much ours is faster, the median over the turns."""
    print(f"\n{name}")
    for each, loads in turns.items():
        rates = [turn.rate for turn in loads]
        p50, p99 = (statistics.median(turn.percentile(p) for turn in loads) for p in (50, 99))
        print(
            f"  {each:<17} {statistics.median(rates):6.0f} requests/s "
            f"({min(rates):.0f} to {max(rates):.0f})   p50 {p50:.1f} ms   p99 {p99:.1f} ms"
        )
    ours, plain = turns.values()
    ratios = [a.rate / b.rate for a, b in zip(ours, plain, strict=True)]
    ratio = statistics.median(ratios)
    print(f"  ratio {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f}), floor {_FLOOR:g}")
    return ratio


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
