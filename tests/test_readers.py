"""Processes that read files for the API: what happens to one happens to nothing else."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile

from samplemind.audio.decode import probe
from samplemind.audio.waveform import peaks
from samplemind.domain.errors import (
    EmptyUpload,
    NotAudio,
    ReadingFailed,
    ReadingTimeout,
    SoundTooLong,
)
from samplemind.readers import Readers
from samplemind.settings import Settings
from tests.sounds import CONTAINERS, noise, stereo, tone, write

Make = Callable[..., Readers]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes Readers by settings, and closes them."""
    async with contextlib.AsyncExitStack() as stack:

        def make(**settings: Any) -> Readers:
            readers = Readers(Settings(**settings))
            stack.push_async_callback(readers.close)
            return readers

        yield make


@pytest.fixture
def short(tmp_path: Path) -> Path:
    return write(tmp_path / "short.wav", tone(440, 0.2))


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """10 MB of MP3 that unpack to three hours of silence, but for some seconds."""
    path = tmp_path_factory.mktemp("bomb") / "endless.mp3"
    soundfile.write(path, np.zeros(60 * 24_000), 24_000, "MPEG_LAYER_III", format="MP3")
    minute = path.read_bytes()
    path.write_bytes(minute * 179)
    return path


def processes() -> list[psutil.Process]:
    """The reading processes of this one."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if "samplemind.audio.reader" in child.cmdline():
                found.append(child)
    return found


async def reading(path: Path) -> psutil.Process:
    """The process that reads this file, once one does."""
    while True:
        for process in processes():
            with contextlib.suppress(psutil.Error):  # it may end meanwhile
                if str(path) in [file.path for file in process.open_files()]:
                    return process
        await asyncio.sleep(0.01)  # nothing tells of files being opened


@pytest.mark.parametrize("container", CONTAINERS)
async def test_facts_and_peaks_are_those_of_the_decoder(
    make: Make, tmp_path: Path, container: str
) -> None:
    y = stereo(tone(440, 1) + noise(1, 0.1))
    path = write(tmp_path / "sound", y, container, 48_000)
    readers = make()
    facts = await readers.facts(path, "sound")
    assert facts == probe(path, "sound")
    frames = round(facts.duration_seconds * facts.sample_rate)
    assert await readers.peaks(path, frames, 100) == peaks(path, frames, 100).tolist()


async def test_refusals_come_with_their_code(make: Make, tmp_path: Path, short: Path) -> None:
    readers, text, empty = make(max_audio_seconds=0.1), tmp_path / "text", tmp_path / "empty"
    text.write_text("not a sound")
    empty.touch()
    for path, error in ((text, NotAudio), (empty, EmptyUpload), (short, SoundTooLong)):
        with pytest.raises(error, match=r"“name\.wav”"):
            await readers.facts(path, "name.wav")
    with pytest.raises(FileNotFoundError):
        await readers.peaks(tmp_path / "missing", 1, 1)
    assert len(processes()) == 1


async def test_one_that_crashes_takes_nothing_with_it(
    make: Make, short: Path, endless: Path
) -> None:
    readers = make()
    asked = asyncio.create_task(readers.facts(endless, "endless.mp3"))
    (await reading(endless)).send_signal(signal.SIGSEGV)
    others = [readers.facts(short, "short.wav") for _ in range(10)]
    assert [facts.channels for facts in await asyncio.gather(*others)] == [1] * 10
    with pytest.raises(ReadingFailed, match=r"“endless.mp3” .* ended by SIGSEGV"):
        await asked
    assert (await readers.facts(short, "short.wav")).channels == 1


async def test_one_that_is_killed_while_it_waits_is_replaced(make: Make, short: Path) -> None:
    readers = make()
    await readers.warm_up()
    [waiting] = processes()
    waiting.kill()
    assert (await readers.facts(short, "short.wav")).channels == 1


async def test_what_hangs_or_takes_too_long_is_given_up(
    make: Make, short: Path, endless: Path
) -> None:
    readers = make(max_reading_seconds=0.3)
    asked = asyncio.create_task(readers.facts(endless, "endless.mp3"))
    process = await reading(endless)
    process.suspend()
    with pytest.raises(ReadingTimeout, match=r"longer than 0.3 s"):
        await asked
    assert not process.is_running()
    with pytest.raises(ReadingTimeout):
        await readers.facts(endless, "endless.mp3")
    assert (await readers.facts(short, "short.wav")).channels == 1


async def test_whoever_leaves_frees_the_process(make: Make, short: Path, endless: Path) -> None:
    readers = make()
    asked = asyncio.create_task(readers.facts(endless, "endless.mp3"))
    process = await reading(endless)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not process.is_running()
    assert (await readers.facts(short, "short.wav")).channels == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits address space")
async def test_one_without_memory_says_so_and_is_replaced(
    make: Make, tmp_path: Path, short: Path
) -> None:
    wide = write(tmp_path / "wide.wav", np.zeros((100, 64), np.float32))
    readers = make(max_process_bytes=32 * 1024**2, max_channels=64)
    with pytest.raises(ReadingFailed, match="ran out of memory"):
        await readers.peaks(wide, 100, 10)
    assert (await readers.facts(short, "short.wav")).channels == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits address space")
def test_memory_is_limited_for_this_process_alone() -> None:
    def allocate() -> str:
        script = """
            from samplemind.memory_limit import limit_memory
            limit_memory(100 * 1024**2)
            print(len(bytearray(50 * 1024**2)))
            bytearray(200 * 1024**2)
        """
        command = [sys.executable, "-c", textwrap.dedent(script)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr

    assert allocate().endswith("MemoryError\n")
    assert len(bytearray(200 * 1024**2)) == 200 * 1024**2


@pytest.mark.parametrize("is_busy", [False, True])
def test_none_outlives_the_api(tmp_path: Path, endless: Path, short: Path, is_busy: bool) -> None:
    """Killed, it can end nothing itself."""
    path = short
    if is_busy:
        path = tmp_path / "days"
        path.write_bytes(endless.read_bytes() * 10)
    script = f"""
        import asyncio, psutil
        from pathlib import Path
        from samplemind.readers import Readers
        from samplemind.settings import Settings

        async def main():
            readers = Readers(Settings(max_reading_seconds=1, max_audio_seconds=1e6))
            await readers.warm_up()
            [reader] = psutil.Process().children()
            print(reader.pid, flush=True)
            await readers.facts(Path({str(path)!r}), "sound")
            await asyncio.sleep(60)

        asyncio.run(main())
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as api:
        assert api.stdout
        reader = psutil.Process(int(api.stdout.readline()))
        while is_busy and str(path) not in [file.path for file in reader.open_files()]:
            time.sleep(0.01)  # nothing tells of files being opened
        api.kill()
    assert not psutil.wait_procs([reader], timeout=6)[1]


async def test_secrets_are_kept_from_it(
    make: Make, short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAMPLEMIND_SECRET", "s" * 32)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s" * 32)
    await make().facts(short, "short.wav")
    [process] = processes()
    assert "s" * 32 not in process.environ().values()
    assert os.environ["PATH"] == process.environ()["PATH"]
