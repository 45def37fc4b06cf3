"""The server as the commands see it: its public GraphQL API over HTTP and WebSocket."""

import asyncio
import io
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Self

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

Json = dict[str, Any]

# A long file is decoded before its upload is answered.
_TIMEOUT = httpx.Timeout(15, read=600, pool=None)

# What is waited before each new try on a lost connection; after the last the server is gone.
_PAUSES = (0.5, 1, 2, 4, 8)

# What a proxy says while the server behind it restarts.
_GATEWAY = (502, 503, 504)

_UPLOAD = """
mutation Upload($input: UploadAudioInput!) {
  uploadAudio(input: $input) { audioFile { id } errors { code message } }
}
"""
_WATCH = """
subscription Watch($id: ID!, $after: Int) {
  batchProgress(batchId: $id, afterSequence: $after) {
    sequence
    batchJob { status total completed failed finishedAt }
  }
}
"""


class NoServer(Exception):
    """No SampleMind server answers, or none any more. The message says what to do."""


class Refused(Exception):
    """The server answered no: `code` for programs, `message` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Client:
    """A server by the address that stands before /graphql, and a key to sign in with. Raises
    NoServer and Refused.

    What is lost on the way is sent again, so only what may be repeated is to be sent.
    """

    def __init__(self, address: str, api_key: str | None = None) -> None:
        self._address = address
        self._signed_in = {"authorization": f"Bearer {api_key}"} if api_key else {}
        self._http = httpx.AsyncClient(timeout=_TIMEOUT, headers=self._signed_in)
        self._has_answered = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def execute(self, query: str, **variables: Any) -> Json:
        """The data of a query or a mutation."""
        return await self._send(lambda: self._post(json={"query": query, "variables": variables}))

    async def upload(self, path: Path, tags: Sequence[str], on_sent: Callable[[int], None]) -> str:
        """Stores the file, read while it is sent, and answers its id. `on_sent` hears how many
        bytes more are on their way; fewer than none where they have to be sent again."""
        variables = {"input": {"file": None, "tags": list(tags)}}
        # Names that are no text in UTF-8 exist on Linux; a header cannot hold them.
        name = os.fsencode(path.name).decode("utf-8", "replace")

        async def post() -> httpx.Response:
            with _Watched(path, on_sent) as file:
                try:
                    return await self._post(
                        data={
                            "operations": json.dumps({"query": _UPLOAD, "variables": variables}),
                            "map": json.dumps({"0": ["variables.input.file"]}),
                        },
                        files={"0": (name, file, "application/octet-stream")},
                    )
                except httpx.LocalProtocolError:
                    raise Refused("CHANGED", "The file changed while it was read.") from None
                except httpx.TransportError:
                    on_sent(-file.done)
                    raise

        data = await self._send(post)
        return payload(data["uploadAudio"])["audioFile"]["id"]

    async def watch(self, batch_id: str) -> AsyncIterator[Json]:
        """The batch job now and after each change until it has ended, also over lost
        connections."""
        last: int | None = None
        pauses = iter(_PAUSES)
        while True:
            try:
                async for progress in self._subscribe(_WATCH, {"id": batch_id, "after": last}):
                    last, pauses = progress["batchProgress"]["sequence"], iter(_PAUSES)
                    batch = progress["batchProgress"]["batchJob"]
                    yield batch
                    if batch["finishedAt"]:
                        return
            except (OSError, WebSocketException):
                pass
            pause = next(pauses, None)
            if pause is None:
                raise self._gone()
            await asyncio.sleep(pause)

    async def _post(self, **content: Any) -> httpx.Response:
        headers = {"apollo-require-preflight": "true", "accept": "application/json"}
        return await self._http.post(f"{self._address}/graphql", headers=headers, **content)

    async def _send(self, post: Callable[[], Awaitable[httpx.Response]]) -> Json:
        pauses = iter(_PAUSES)
        while True:
            try:
                response = await post()
            except httpx.InvalidURL:
                raise self._gone() from None
            except httpx.TransportError:
                response = None
            if response is not None and response.status_code not in _GATEWAY:
                return self._data(response)
            pause = next(pauses, None)
            # A server that never answered is not running: waiting does not help.
            if pause is None or not self._has_answered:
                raise self._gone()
            await asyncio.sleep(pause)

    def _data(self, response: httpx.Response) -> Json:
        try:
            body = response.json()
            errors, data = body.get("errors"), body.get("data")
        except (ValueError, AttributeError):
            errors, data = None, None
        if errors:
            self._has_answered = True
            raise _refusal(errors)
        if isinstance(data, dict):
            self._has_answered = True
            return data
        if not self._has_answered:
            raise NoServer(
                f"{self._address} answers (HTTP {response.status_code}), but not as a SampleMind "
                "server does. Is the address right?"
            )
        raise Refused(f"HTTP_{response.status_code}", response.reason_phrase or "No GraphQL.")

    async def _subscribe(self, query: str, variables: Json) -> AsyncIterator[Json]:
        """One subscription over one connection (graphql-transport-ws)."""
        address = "ws" + self._address.removeprefix("http") + "/graphql"
        protocol = Subprotocol("graphql-transport-ws")
        async with connect(address, subprotocols=[protocol], max_size=None) as socket:
            opening = {"type": "connection_init", "payload": self._signed_in}
            await socket.send(json.dumps(opening))
            async for text in socket:
                message = json.loads(text)
                match message["type"]:
                    case "connection_ack":
                        operation = {"query": query, "variables": variables}
                        subscribe = {"id": "1", "type": "subscribe", "payload": operation}
                        await socket.send(json.dumps(subscribe))
                    case "ping":
                        await socket.send(json.dumps({"type": "pong"}))
                    case "next":
                        if errors := message["payload"].get("errors"):
                            raise _refusal(errors)
                        yield message["payload"]["data"]
                    case "error":
                        raise _refusal(message["payload"])
                    case "complete":
                        return

    def _gone(self) -> NoServer:
        if self._has_answered:
            return NoServer(
                f"The server at {self._address} does not answer any more. Once it does, the same "
                "command goes on from there."
            )
        return NoServer(
            f"No server answers at {self._address}: start one with ./start_api.sh, or name "
            "another with --url."
        )


def payload(answer: Json) -> Json:
    """The answer of a mutation. Raises Refused where it holds errors."""
    if answer["errors"]:
        raise _refusal(answer["errors"])
    return answer


def _refusal(errors: Sequence[Json]) -> Refused:
    first = errors[0]
    code = first.get("code") or (first.get("extensions") or {}).get("code") or "ERROR"
    if code == "UNAUTHENTICATED":
        return Refused(code, f"{first['message']} Here, give an API key with --api-key.")
    return Refused(code, first["message"])


class _Watched(io.FileIO):
    """A file that tells how much of it has been read."""

    def __init__(self, path: Path, on_read: Callable[[int], None]) -> None:
        super().__init__(path)
        self._on_read = on_read
        self.done = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size) or b""
        self.done += len(data)
        self._on_read(len(data))
        return data
