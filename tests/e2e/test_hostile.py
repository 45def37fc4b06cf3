"""Files that mean harm, through a running server: what docs/security.md promises of them."""

import asyncio
import contextlib
import signal
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile
from mutagen.id3 import APIC, ID3, TIT2, TXXX

from tests.e2e import sounds
from tests.server import HTTP, Server, running_server

_LONGEST = 120
_PATIENCE = 10


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with low limits, and two workers."""
    limits = {
        "SAMPLEMIND_MAX_AUDIO_SECONDS": str(_LONGEST),
        "SAMPLEMIND_MAX_DECODED_BYTES": str(128 * 1024**2),
        "SAMPLEMIND_MAX_ANALYSIS_SECONDS": str(_PATIENCE),
        "SAMPLEMIND_WORKERS": "2",
    }
    with running_server(tmp_path_factory.mktemp("strict"), [], **limits) as server:
        yield server


def _minutes_of_mp3(minutes: int) -> bytes:
    """Silence, 60 kB a minute."""
    one = sounds.encoded(np.zeros(60 * 24_000), "MP3", rate=24_000)
    return one * minutes


def _wav(
    channels: int = 1,
    rate: int = 44_100,
    bits: int = 16,
    claimed: int | None = None,
    data: bytes = bytes(20_000),
    form: int = 1,
) -> bytes:
    """A header that says whatever it likes."""
    block = channels * bits // 8
    fmt = struct.pack("<HHIIHH", form, channels, rate, rate * block % 2**32, block % 2**16, bits)
    size = len(data) if claimed is None else claimed
    body = b"WAVEfmt " + struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", size) + data
    return b"RIFF" + struct.pack("<I", (len(body)) % 2**32) + body


def _flac_claiming(samples: int) -> bytes:
    """STREAMINFO counts samples in 36 bits from its 108th."""
    content = bytearray(sounds.encoded(sounds.tone(), "FLAC"))
    content[21] = content[21] & 0xF0 | samples >> 32
    content[22:26] = (samples % 2**32).to_bytes(4, "big")
    return bytes(content)


_REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "an MP3 that unpacks to hours": (lambda: _minutes_of_mp3(170), "SOUND_TOO_LONG"),
    "a FLAC of samples beyond number": (
        lambda: sounds.encoded(np.zeros((100 * 48_000, 8)), "FLAC", rate=48_000),
        "SOUND_TOO_LARGE",
    ),
    "no channels": (lambda: _wav(channels=0), "NO_DECODABLE_SOUND"),
    "65,535 channels": (lambda: _wav(channels=65_535), "NO_DECODABLE_SOUND"),
    "1,024 channels": (lambda: _wav(channels=1_024), "SOUND_UNSUPPORTED"),
    "1 Hz": (lambda: _wav(rate=1), "SOUND_UNSUPPORTED"),
    "10 MHz": (lambda: _wav(rate=10_000_000), "SOUND_UNSUPPORTED"),
    "0 Hz": (lambda: _wav(rate=0), "NO_DECODABLE_SOUND"),
    "2³²-1 Hz": (lambda: _wav(rate=2**32 - 1), "NO_DECODABLE_SOUND"),
    "samples of no bits": (lambda: _wav(bits=0), "NO_DECODABLE_SOUND"),
}


@pytest.mark.parametrize("what", _REFUSED)
def test_what_goes_beyond_a_limit_is_refused_at_once(strict: Server, what: str) -> None:
    make, code = _REFUSED[what]
    content = make()
    api = strict.process("api").pid
    began = time.perf_counter()
    payload = strict.upload(content, level="STANDARD")
    assert time.perf_counter() - began < 10
    [error] = payload["errors"]
    assert error["code"] == code, error
    assert payload["audioFile"] is None
    assert strict.process("api").pid == api


_LIARS: dict[str, Callable[[], bytes]] = {
    "a WAV of 4 GB": lambda: _wav(claimed=0xFFFFFFF0),
    "a WAV of unknown length": lambda: _wav(claimed=0xFFFFFFFF),
    "a FLAC of 2³⁶-1 samples": lambda: _flac_claiming(2**36 - 1),
    "a FLAC of no samples": lambda: _flac_claiming(0),
}


@pytest.mark.parametrize("what", _LIARS)
async def test_a_length_is_measured_and_not_believed(strict: Server, what: str) -> None:
    payload = strict.upload(_LIARS[what](), level="STANDARD")
    assert payload["errors"] == []
    assert payload["audioFile"]["durationSeconds"] < 1
    assert (await strict.analyzed(payload["audioFile"]["id"]))["status"] == "SUCCEEDED"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38, 3e-45])
async def test_samples_that_are_no_sound(strict: Server, value: float) -> None:
    y = sounds.tone(seconds=0.5).astype(np.float32)
    y[1_000:2_000] = value
    payload = strict.upload(sounds.encoded(y, subtype="FLOAT"), level="DETAILED")
    assert payload["errors"] == []
    assert (await strict.analyzed(payload["audioFile"]["id"]))["status"] == "SUCCEEDED"


def test_tags_are_text_and_little_of_it(strict: Server, tmp_path: Path) -> None:
    path = tmp_path / "tagged.mp3"
    soundfile.write(path, sounds.tone(), sounds.RATE, format="MP3")
    script = "<script>alert(1)</script>"
    tags = ID3()
    tags.add(TIT2(encoding=3, text=f"\x1b]0;owned\x07{script}\u202e\x00"))
    tags.add(APIC(encoding=3, mime="image/png", type=3, desc="", data=bytes(8 * 1024**2)))
    for number in range(90):
        values = ["x" * 3_000] * 60
        tags.add(TXXX(encoding=3, desc=f"$where.{number}", text=values))
    tags.save(path)
    assert path.stat().st_size > 20 * 1024**2

    payload = strict.upload(path)

    assert payload["errors"] == []
    metadata = payload["audioFile"]["metadata"]
    assert metadata["title"] == f"]0;owned{script}"
    assert "$where.0" in metadata
    assert len(str(metadata)) < 100_000
    answer = strict.post(
        "query ($id: ID!) { node(id: $id) { ... on AudioFile { metadata } } }",
        id=payload["audioFile"]["id"],
    )
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["data"]["node"]["metadata"] == metadata


def test_a_page_in_disguise_is_served_as_what_it_is(strict: Server) -> None:
    """HTML behind a WAV header, under a name of HTML: no browser may run it."""
    data = b"<html><script>alert(1)</script></html>" * 100
    payload = strict.upload(_wav(data=data), '"><script>.html\r\nX-Evil: 1')
    file = payload["audioFile"]
    query = "query ($id: ID!) { node(id: $id) { ... on AudioFile { url } } }"
    answer = HTTP.get(strict.ask(query, id=file["id"])["node"]["url"])
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "x-evil" not in answer.headers
    assert "<" not in answer.headers["content-disposition"]


class TestWorkers:
    """Analyses that take a worker's process down, or hang in it."""

    async def test_one_that_crashes_it_fails_by_itself(self, strict: Server) -> None:
        main = strict.process("worker").pid
        victim, sha256 = _upload_long(strict)
        others = [_upload_short(strict) for _ in range(5)]
        for _ in range(3):
            process = await _found(strict, sha256)
            process.send_signal(signal.SIGSEGV)
            await asyncio.to_thread(psutil.wait_procs, [process], timeout=5)
        analysis = await strict.analyzed(victim)
        assert (analysis["status"], analysis["failure"]["code"]) == ("FAILED", "WORKER_LOST")
        for other in others:
            assert (await strict.analyzed(other))["status"] == "SUCCEEDED"
        assert strict.process("worker").pid == main

    async def test_one_that_hangs_is_given_up(self, strict: Server) -> None:
        main = strict.process("worker").pid
        victim, sha256 = _upload_long(strict)
        process = await _found(strict, sha256)
        process.suspend()
        other = _upload_short(strict)
        assert (await strict.analyzed(other))["status"] == "SUCCEEDED"
        analysis = await strict.analyzed(victim)
        assert (analysis["status"], analysis["failure"]["code"]) == ("FAILED", "ANALYSIS_TIMEOUT")
        assert f"{_PATIENCE} s" in analysis["failure"]["message"]
        assert not psutil.wait_procs([process], timeout=5)[1]
        assert strict.process("worker").pid == main


def _upload_long(server: Server) -> tuple[str, str]:
    """Some seconds of work for a worker: its id and hash."""
    content = sounds.encoded(sounds.noise(60, channels=8))
    payload = server.upload(content, level="DETAILED")
    assert payload["errors"] == []
    return payload["audioFile"]["id"], payload["audioFile"]["sha256"]


def _upload_short(server: Server) -> str:
    payload = server.upload(sounds.encoded(sounds.tone()), level="STANDARD")
    assert payload["errors"] == []
    return payload["audioFile"]["id"]


async def _found(server: Server, sha256: str) -> psutil.Process:
    while True:
        if process := _analysing(server, sha256):
            return process
        await asyncio.sleep(0.005)  # nothing tells of a process that takes a task up


def _analysing(server: Server, sha256: str) -> psutil.Process | None:
    """The worker's process that has the bytes of this file open."""
    for process in server.process("worker").children():
        with contextlib.suppress(psutil.Error):
            if any(file.path.endswith(sha256) for file in process.open_files()):
                return process
    return None
