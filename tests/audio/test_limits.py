"""How much of a sound is read, whatever it claims."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from samplemind.audio.analyze import analyze
from samplemind.audio.decode import OpenSound, probe
from samplemind.audio.sources import BLOCK
from samplemind.audio.waveform import peaks
from samplemind.domain.analysis import AnalysisLevel
from samplemind.domain.errors import DomainError, SoundTooLarge, SoundTooLong, SoundUnsupported
from samplemind.domain.sound_limits import SoundLimits
from tests.audio.conftest import Analyze
from tests.sounds import CONTAINERS, RATE, kick, noise, stereo, tone, write

Read = Callable[[Path, SoundLimits], object]

READINGS: dict[str, Read] = {
    "probe": lambda path, limits: probe(path, "sound", limits),
    "peaks": lambda path, limits: peaks(path, RATE, 10, limits),
    "analyze": lambda path, limits: analyze(path, AnalysisLevel.BASIC, limits),
}

LIMITS = {
    "seconds": (SoundLimits(seconds=0.9), SoundLimits(seconds=1.2), SoundTooLong),
    "bytes": (
        SoundLimits(decoded_bytes=8 * 40_000),
        SoundLimits(decoded_bytes=8 * 60_000),
        SoundTooLarge,
    ),
    "channels": (SoundLimits(channels=1), SoundLimits(channels=2), SoundUnsupported),
    "highest": (
        SoundLimits(highest_rate=40_000),
        SoundLimits(highest_rate=48_000),
        SoundUnsupported,
    ),
    "lowest": (SoundLimits(lowest_rate=50_000), SoundLimits(lowest_rate=44_100), SoundUnsupported),
}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("container", CONTAINERS)
def test_no_reading_passes_a_limit(
    tmp_path: Path, container: str, limit: str, reading: str
) -> None:
    rate = 48_000 if container == "opus" else RATE
    path = write(tmp_path / "sound", stereo(tone(440, 48_000 / RATE))[:rate], container, rate)
    below, enough, error = LIMITS[limit]
    READINGS[reading](path, enough)
    with pytest.raises(error):
        READINGS[reading](path, below)


def test_a_bomb_is_left_where_the_limit_is_passed(tmp_path: Path) -> None:
    path = tmp_path / "long.flac"
    soundfile.write(path, np.zeros(20 * BLOCK, np.int16), 48_000)
    with OpenSound(path, limits=SoundLimits(seconds=BLOCK / 48_000)) as sound:
        blocks = sound.blocks()
        assert next(blocks).shape == (1, BLOCK)
        with pytest.raises(SoundTooLong, match=r"Upload it in parts"):
            next(blocks)


def test_refused_files_are_closed(tmp_path: Path) -> None:
    path = write(tmp_path / "sound.wav", tone(440, 0.1))
    descriptors = Path("/proc/self/fd") if Path("/proc").exists() else Path("/dev/fd")
    before = len(list(descriptors.iterdir()))
    for _ in range(20):
        with pytest.raises(DomainError):
            probe(path, "sound", SoundLimits(highest_rate=8_000))
    assert len(list(descriptors.iterdir())) <= before + 1


class TestFlac:
    """STREAMINFO counts the samples in 36 bits; 0 leaves it open."""

    def claiming(self, path: Path, samples: int) -> Path:
        content = bytearray(path.read_bytes())
        content[21] = content[21] & 0xF0 | samples >> 32
        content[22:26] = (samples % 2**32).to_bytes(4, "big")
        path.write_bytes(content)
        return path

    @pytest.mark.parametrize("seconds", [0.5, 1.5 * BLOCK / RATE])
    @pytest.mark.parametrize("claimed", [0, 2**36 - 1])
    def test_all_of_it_is_read(self, tmp_path: Path, seconds: float, claimed: int) -> None:
        path = write(tmp_path / "sound.flac", noise(seconds), "flac")
        with OpenSound(path) as sound:
            honest = np.concatenate(list(sound.blocks()), axis=1)
        with OpenSound(self.claiming(path, claimed)) as sound:
            found = np.concatenate(list(sound.blocks()), axis=1)
            facts = sound.facts()
        np.testing.assert_allclose(found, honest, atol=1e-4)
        assert facts.duration_seconds == honest.shape[1] / RATE
        assert ("truncated" in facts.metadata) == bool(claimed)


class TestSamples:
    @pytest.mark.parametrize("value", [1e38, -1e38, 1e20])
    def test_floats_that_are_no_sound_count_as_zero(self, heard: Analyze, value: float) -> None:
        broken, plain = kick(), kick()
        broken[1_000:1_100], plain[1_000:1_100] = value, 0
        assert heard(broken) == heard(plain)

    def test_floats_in_the_scale_of_integers_are_sound(self, tmp_path: Path) -> None:
        path = write(tmp_path / "sound.wav", kick() * np.float32(2**31), "wavfloat")
        with OpenSound(path) as sound:
            [block] = sound.blocks()
        assert np.abs(block).max() > 2**30
