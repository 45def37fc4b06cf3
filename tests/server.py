"""A real server, as a user starts it, and a small client for the tests that drive it."""

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import websockets

UPLOAD = """
mutation ($file: Upload!, $tags: [String!], $analyze: AnalyzeOptions) {
  uploadAudio(input: {file: $file, tags: $tags, analyze: $analyze}) {
    audioFile { id filename format sizeBytes sha256 durationSeconds sampleRate channels tags
                metadata uploadedAt }
    analysis { id status level }
    errors { code message field }
  }
}
"""

# One for all: to make one takes longer than most requests.
HTTP = httpx.Client(timeout=60, limits=httpx.Limits(max_keepalive_connections=0))

SAMPLEMIND = Path(sys.executable).with_name("samplemind")


@dataclass(frozen=True)
class Server:
    """`sounds` lie on disk; `url` is without a path."""

    url: str
    data_dir: Path
    pid: int
    sounds: list[Path]

    def process(self, part: str) -> psutil.Process:
        """The process of a part that `serve` started: api or worker."""
        for child in psutil.Process(self.pid).children():
            if child.cmdline()[-1] == part:
                return child
        raise AssertionError(f"no {part} process")

    def post(self, query: str, **variables: Any) -> httpx.Response:
        body = {"query": query, "variables": variables}
        return HTTP.post(f"{self.url}/graphql", json=body)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data; fails on any error."""
        answer = self.post(query, **variables).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def refused(self, query: str, **variables: Any) -> dict[str, Any]:
        """The first error; fails where there is none."""
        return self.post(query, **variables).json()["errors"][0]

    def upload(
        self,
        content: bytes | Path,
        filename: str | None = None,
        *,
        tags: list[str] | None = None,
        level: str | None = None,
    ) -> dict[str, Any]:
        """The payload of uploadAudio."""
        if isinstance(content, Path):
            filename = filename or content.name
            content = content.read_bytes()
        analyze = {"level": level} if level else None
        variables = {"file": None, "tags": tags, "analyze": analyze}
        answer = HTTP.post(
            f"{self.url}/graphql",
            data={
                "operations": json.dumps({"query": UPLOAD, "variables": variables}),
                "map": '{"0": ["variables.file"]}',
            },
            files={"0": (filename or "sound.wav", content)},
            headers={"apollo-require-preflight": "true"},
        ).json()
        assert "errors" not in answer, answer
        return answer["data"]["uploadAudio"]

    def blob(self, file: dict[str, Any]) -> Path:
        """Where the bytes of a file are, of which `sha256` was asked."""
        return self.data_dir / "blobs" / "local" / file["sha256"][:2] / file["sha256"]

    @contextlib.contextmanager
    def without_bytes(self, *files: dict[str, Any]) -> Iterator[None]:
        """Their bytes are away meanwhile, and back afterwards: others share the server."""
        contents = {self.blob(file): self.blob(file).read_bytes() for file in files}
        for blob in contents:
            blob.unlink()
        try:
            yield
        finally:
            for blob, content in contents.items():
                blob.write_bytes(content)

    async def watch(self, query: str, **variables: Any) -> AsyncGenerator[dict[str, Any]]:
        """The data of a subscription's events until the server completes it."""
        address = self.url.replace("http", "ws") + "/graphql"
        async with websockets.connect(address, subprotocols=[_PROTOCOL]) as socket:
            await socket.send('{"type": "connection_init"}')
            assert json.loads(await socket.recv()) == {"type": "connection_ack"}
            payload = {"query": query, "variables": variables}
            await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
            async for message in socket:
                event = json.loads(message)
                if event["type"] == "complete":
                    return
                assert event["type"] == "next", event
                assert "errors" not in event["payload"], event
                yield event["payload"]["data"]

    async def analyzed(self, audio_file_id: str) -> dict[str, Any]:
        """Waits until the newest analysis of a file has ended; its status and failure."""
        query = """subscription ($id: ID!) {
            analysisUpdated(audioFileId: $id) { id status failure { code message } }
        }"""
        events = self.watch(query, id=audio_file_id)
        async with contextlib.aclosing(events):
            async for event in events:
                analysis = event["analysisUpdated"]
                if analysis["status"] not in ("QUEUED", "RUNNING"):
                    return analysis
        raise AssertionError("the subscription ended")

    async def batch(self, **chosen: Any) -> dict[str, Any]:
        """Makes a batch job of `chosen` (the mutation's input) and waits for its end."""
        payload = self.ask(
            """mutation ($input: CreateBatchJobInput!) {
                createBatchJob(input: $input) { batchJob { id } errors { code message } }
            }""",
            input=chosen,
        )["createBatchJob"]
        assert payload["errors"] == [], payload
        progress: dict[str, Any] = {}
        async for event in self.watch(
            """subscription ($id: ID!) {
                batchProgress(batchId: $id) { batchJob { id status total completed failed } }
            }""",
            id=payload["batchJob"]["id"],
        ):
            progress = event["batchProgress"]["batchJob"]
        return progress


_PROTOCOL = websockets.Subprotocol("graphql-transport-ws")


@contextlib.contextmanager
def running_server(data_dir: Path, sounds: list[Path], **env: str) -> Iterator[Server]:
    """`samplemind serve` on a free port, stopped as Ctrl-C does."""
    env = {
        **os.environ,
        "SAMPLEMIND_DATA_DIR": str(data_dir),
        "SAMPLEMIND_PORT": "0",
        **env,
    }
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "stderr.log").open("w") as log:
        process = subprocess.Popen(
            [SAMPLEMIND, "serve"], env=env, stdout=subprocess.PIPE, stderr=log, text=True
        )
        try:
            assert process.stdout is not None
            said = ""
            for line in process.stdout:
                said += line
                if found := re.search(r"Open\s+(http://\S+)/graphql", line):
                    break
            else:
                raise AssertionError(f"the server did not start:\n{said}")
            yield Server(found[1], data_dir, process.pid, sounds)
        finally:
            process.terminate()
            process.communicate(timeout=30)
