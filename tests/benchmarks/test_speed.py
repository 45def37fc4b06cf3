"""benchmarks/speed: that each figure is measured, on sounds short enough for a test."""

import sys
from pathlib import Path

import pytest

from benchmarks import speed
from tests.sounds import MAJOR_CADENCE, cadence, kick, stereo, write


@pytest.fixture
def song(tmp_path: Path) -> Path:
    return write(tmp_path / "song.wav", stereo(cadence(0, MAJOR_CADENCE)))


def test_levels_and_stages(song: Path, tmp_path: Path) -> None:
    one = write(tmp_path / "one.wav", kick())
    figures = [*speed.levels(one, song, [], 2), *speed.stages(song, 2)]
    assert len({figure.name for figure in figures}) == len(figures) == 4 + 3 + len(speed.STAGES)
    assert all(0 <= (f.least or 0) <= f.value <= (f.most or 0) for f in figures)
    assert "x real time" in figures[0].note
    # Its floor is for three minutes, and this is a quarter of one.
    assert figures[0].is_good
    by_name = {figure.name: figure.value for figure in figures}
    assert by_name[f"3 min, wav, {speed.STANDARD}"] > by_name["- decode"] > 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the high-water mark")
def test_memory_is_of_the_process_that_analyses(song: Path) -> None:
    ballast = bytearray(b"x") * 2**29
    (figure,) = speed.memory([song], None)
    assert 50 < figure.value < speed.WORKER_FLOOR
    del ballast
