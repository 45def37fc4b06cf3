"""A relay between the command and the server: a network that can be cut."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass
class Relay:
    """`cuts` is how many WebSockets are still to be cut, each after the server's first progress."""

    url: str = ""
    cuts: int = 0
    sockets: int = 0
    is_mute: bool = False
    """Whether WebSockets are let through but hear nothing."""


@contextlib.asynccontextmanager
async def relay(server_url: str, **how: int | bool) -> AsyncIterator[Relay]:
    """Passes everything on to the server, but for what `how` (the fields of Relay) says."""
    state = Relay(**how)  # pyright: ignore[reportArgumentType]
    target = urlsplit(server_url)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            writer.close()
            return
        # Without compression, so that the messages can be read on the way.
        head = re.sub(rb"(?i)sec-websocket-extensions:[^\r]*\r\n", b"", head)
        is_socket = b"upgrade: websocket" in head.lower()
        state.sockets += is_socket
        from_server, to_server = await asyncio.open_connection(target.hostname, target.port)
        to_server.write(head)
        up = asyncio.create_task(_pump(reader, to_server))
        try:
            while data := await from_server.read(65_536):
                if is_socket and state.is_mute:
                    continue
                writer.write(data)
                await writer.drain()
                if is_socket and state.cuts and b"batchProgress" in data:
                    state.cuts -= 1
                    return
        except ConnectionError:
            return
        finally:
            up.cancel()
            to_server.transport.abort()
            writer.transport.abort()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    state.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield state
    finally:
        listening.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
