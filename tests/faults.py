"""A proxy before an HTTP server that fails as networks and servers do."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# An answer without a body, no answer, a closed connection, an answer that breaks off, none at all.
BUSY, BROKEN, DROP, CUT, STALL = "503", "500", "drop", "cut", "stall"

_CUT_BYTES = 100_000


@dataclass
class Faults:
    """`next` are what happens to the next requests, one each; `always` to all that follow."""

    url: str = ""
    next: list[str] = field(default_factory=list)
    always: str | None = None
    requests: list[str] = field(default_factory=list)
    """The first line of each."""


@contextlib.asynccontextmanager
async def faulty(url: str) -> AsyncIterator[Faults]:
    """Passes every request on to the server at `url`, but for what it is told."""
    state, target, leaving = Faults(), urlsplit(url), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            writer.close()
            return
        state.requests.append(head.split(b"\r\n")[0].decode())
        fault = state.next.pop(0) if state.next else state.always
        if fault == STALL:
            await leaving.wait()
        if fault in (BUSY, BROKEN):
            # What is sent is read first, as servers do.
            length = re.search(rb"(?i)content-length: *(\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            writer.write(f"HTTP/1.1 {fault} No\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
        if fault and fault != CUT:
            writer.close()
            return
        # One request a connection, so that each is seen.
        head = re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head)
        head = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        there, to_it = await asyncio.open_connection(target.hostname, target.port)
        to_it.write(head)
        up = asyncio.create_task(_pump(reader, to_it))
        await _pump(there, writer, _CUT_BYTES if fault == CUT else None)
        up.cancel()
        for each in (to_it, writer):
            each.transport.abort() if fault else each.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    state.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield state
    finally:
        leaving.set()
        listening.close()


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None = None
) -> None:
    passed = 0
    with contextlib.suppress(ConnectionError):
        while (data := await reader.read(65_536)) and (most is None or passed < most):
            writer.write(data)
            await writer.drain()
            passed += len(data)
