"""What authentication, permissions and limits cost a request: `python -m benchmarks.sign_in`.

Starts `samplemind serve` and fills it with 50 sounds; then, on the same databases, an API process
without sign-in and limits and one with sign-in and every limit counted, and loads both in turns
with the same list. The exit code is 1 where the medians differ by more than a tenth.
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
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from benchmarks.graphql import QUERIES, fill
from benchmarks.load import Load, load
from benchmarks.report import machine
from tests.server import SAMPLEMIND, Server, running_server

_MOST = 0.10

# Every limit is counted, and none is reached.
_SIGNING_IN = {
    "SAMPLEMIND_AUTH_REQUIRED": "true",
    "SAMPLEMIND_RATE_LIMIT": "2000000000",
    "SAMPLEMIND_REQUEST_LIMIT": "2000000000",
    "SAMPLEMIND_ADDRESS_RATE_LIMIT": "2000000000",
    "SAMPLEMIND_ADDRESS_REQUEST_LIMIT": "2000000000",
}
_REGISTER = """mutation { registerUser(input: {
    email: "ada@example.org", username: "Ada", password: "correct horse battery"
}) { accessToken user { role } } }"""
_KEY = """mutation { createApiKey(input: {name: "benchmark"}) { secret } }"""


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sign_in", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="turns for each way (9)")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a turn (2)")
    parser.add_argument("--connections", type=int, default=4, help="open at once (4)")
    asked = parser.parse_args()
    where = machine()  # before, so that its load is that of others
    with (
        tempfile.TemporaryDirectory(prefix="samplemind-benchmark-") as folder,
        running_server(Path(folder) / "data", []) as server,
    ):
        await fill(server)
        without = {"SAMPLEMIND_RATE_LIMIT": "0"}
        with _api(server, without) as plain, _api(server, _SIGNING_IN) as url:
            token = _ask(url, _REGISTER)["registerUser"]["accessToken"]
            key = _ask(url, _KEY, token)["createApiKey"]["secret"]
            ways = {
                "nobody signs in": (plain, ""),
                "access token": (url, token),
                "API key": (url, key),
            }
            print(", ".join(f"{name} {value}" for name, value in where.items()))
            name, query = next(iter(QUERIES.items()))
            print(f"\n{name}, {asked.connections} connections")
            body = json.dumps({"query": query}).encode()
            answers = [_ask(address, query, bearer) for address, bearer in ways.values()]
            assert answers[0] == answers[1] == answers[2], "they do not answer the same"
            turns: dict[str, list[Load]] = {way: [] for way in ways}
            for _ in range(asked.rounds):
                for way, (address, bearer) in ways.items():
                    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
                    turn = await load(address, body, asked.connections, asked.seconds, headers)
                    turns[way].append(turn)
    return 0 if _report(turns) <= _MOST else 1


@contextlib.contextmanager
def _api(server: Server, given: Mapping[str, str]) -> Iterator[str]:
    """The address of an API process with these settings, on the databases of the server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    outer = {k: v for k, v in server.process("api").environ().items() if "SAMPLEMIND_" in k}
    env = {**os.environ, **outer, **given, "SAMPLEMIND_PORT": str(port)}
    log = (server.data_dir / f"api-{port}.log").open("w")
    process = subprocess.Popen([SAMPLEMIND, "api"], env=env, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/health/ready").raise_for_status()
                break
            except httpx.HTTPError:
                assert process.poll() is None, "it did not start"
                assert time.monotonic() < deadline, "it does not answer"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/graphql"
    finally:
        process.terminate()
        process.wait()
        log.close()


def _ask(url: str, query: str, bearer: str = "") -> dict[str, Any]:
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    answer = httpx.post(url, json={"query": query}, headers=headers, timeout=60).json()
    assert "errors" not in answer, answer
    return answer["data"]


def _report(turns: dict[str, list[Load]]) -> float:
    """Prints a table; answers by which share the slower way's median is above that of nobody."""
    base = [turn.percentile(50) for turn in turns["nobody signs in"]]
    dearest = 0.0
    for way, loads in turns.items():
        p50s = [turn.percentile(50) for turn in loads]
        shares = [ours / without - 1 for ours, without in zip(p50s, base, strict=True)]
        share = statistics.median(shares)
        dearest = max(dearest, share)
        print(
            f"  {way:<16} p50 {statistics.median(p50s):6.2f} ms   {share:+.1%} "
            f"({min(shares):+.1%} to {max(shares):+.1%})"
        )
    return dearest


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
