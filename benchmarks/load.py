"""A closed loop of HTTP requests over connections that stay open, light enough not to be what
is measured: one request and one answer at a time on each connection."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

import numpy as np


@dataclass(frozen=True, slots=True)
class Load:
    """What a stretch of load gave: `seconds` of it, and how long each answer took, in seconds."""

    seconds: float
    latencies: np.ndarray

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency in ms that `share` per cent of the answers stay below."""
        return float(np.percentile(self.latencies, share)) * 1_000


async def load(
    url: str,
    body: bytes,
    connections: int,
    seconds: float,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Load:
    """Posts the JSON `body` to `url` for that long. Raises AssertionError for any answer that is
    not 200."""
    address = urlsplit(url)
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    request = (
        f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    ).encode() + body
    began = time.perf_counter()
    found = await asyncio.gather(
        *(_connection(address.port or 80, request, began + seconds) for _ in range(connections))
    )
    return Load(time.perf_counter() - began, np.concatenate(found))


async def _connection(port: int, request: bytes, until: float) -> np.ndarray:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    latencies = []
    while (asked := time.perf_counter()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        await reader.readexactly(_length(head))
        latencies.append(time.perf_counter() - asked)
    writer.close()
    return np.array(latencies)


def _length(head: bytes) -> int:
    lower = head.lower()
    start = lower.index(b"content-length:") + 15
    return int(lower[start : lower.index(b"\r\n", start)])
