"""Loops, played twice by their loop points: no click, and the beat goes on."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from samplemind.audio.analyze import analyze
from samplemind.domain.analysis import AnalysisLevel, Findings, LoopPoints, SampleKind
from tests.audio.conftest import Analyze
from tests.audio.made_chunks import smpl, with_chunk
from tests.sounds import RATE, drum_loop, hat, kick, note, place, silence, snare, tone, write

SONIC_PI = Path("/usr/share/sonic-pi/samples")
LOOPS = sorted(SONIC_PI.glob("loop_*.flac"))
TRIMO = Path("/usr/share/hydrogen/data/drumkits/Audiophob/122557__anillogic__trimo-c3.wav")
BAR = 2.0
"""Seconds of a bar at 120 BPM."""


def loop_of(found: Findings) -> LoopPoints:
    assert found.loop is not None
    return found.loop


def repeated(y: np.ndarray, points: LoopPoints, rate: int = RATE) -> tuple[np.ndarray, int]:
    """The loop `(n, channels)` twice, as a player does it, and the frame of the seam."""
    start, end = (round(at * rate) for at in (points.start_seconds, points.end_seconds))
    passage = y[start:end].astype(np.float64)
    if points.crossfade_seconds:
        fade = round(points.crossfade_seconds * rate)
        rising = np.linspace(0, 1, fade)[:, None]
        passage[:fade] *= rising
        passage[-fade:] *= rising[::-1]
    return np.concatenate([passage, passage]), len(passage)


def clicks_at(y: np.ndarray, seam: int) -> bool:
    """Whether the waveform breaks at the seam more than it does anywhere else."""
    breaks = np.abs(np.diff(y, 2, axis=0)).max(axis=1)
    at_seam = breaks[seam - 2 : seam].max()
    elsewhere = np.concatenate([breaks[: seam - 10], breaks[seam + 10 :]]).max()
    return bool(at_seam > 1.05 * elsewhere + 1e-3)


@pytest.mark.skipif(not LOOPS, reason="needs sonic-pi-samples")
@pytest.mark.parametrize("path", LOOPS, ids=lambda path: path.stem)
def test_real_loops_go_on(path: Path) -> None:
    found = analyze(path, AnalysisLevel.DETAILED)
    if found.kind is not SampleKind.LOOP or found.tempo is None:
        assert found.loop is None
        return
    points = loop_of(found)
    y, rate = soundfile.read(path, always_2d=True)
    twice, seam = repeated(y, points, rate)
    assert not clicks_at(twice, seam)
    assert points.beats is not None
    assert seam / rate == pytest.approx(points.beats * 60 / found.tempo.bpm, abs=0.006)


def test_a_loop_that_is_cut_to_its_beats_stays_whole(heard: Analyze) -> None:
    assert loop_of(heard(drum_loop(120, 2))) == LoopPoints(0.0, 2 * BAR, 8, 2, None)


def test_bars_are_not_known_of_few_beats(heard: Analyze) -> None:
    points = loop_of(heard(drum_loop(120, 2)[: 3 * RATE]))
    assert (points.beats, points.bars) == (6, None)


def test_four_beats_are_a_bar(heard: Analyze) -> None:
    points = loop_of(heard(drum_loop(120, 1)))
    assert (points.beats, points.bars) == (4, 1)


@pytest.mark.parametrize("lead", [0.03, 0.2])
def test_silence_around_it_is_left_out(heard: Analyze, lead: float) -> None:
    y = np.concatenate([silence(lead), drum_loop(120, 2), silence(0.37)])
    points = loop_of(heard(y))
    assert points.start_seconds == pytest.approx(lead, abs=0.01)
    assert points.end_seconds - points.start_seconds == pytest.approx(2 * BAR, abs=1e-3)
    assert points.beats == 8


@pytest.mark.parametrize("tail", [0.4, 0.9])
def test_a_tail_is_left_out(heard: Analyze, tail: float) -> None:
    rings = 0.4 * note(110, 2 * BAR + tail, 3.0)
    y = place([(0, drum_loop(120, 2)), (0, rings), (2 * BAR, 0.7 * kick())], 2 * BAR + tail)
    points = loop_of(heard(y))
    assert points.start_seconds < 0.01
    assert points.end_seconds - points.start_seconds == pytest.approx(2 * BAR, abs=1e-3)
    twice, seam = repeated(y[:, None], points)
    assert not clicks_at(twice, seam)


def test_a_pickup_is_left_out(heard: Analyze) -> None:
    hits = [(0.0, snare()), (0.25, snare()), *((0.5 + at, hit) for at, hit in _bars(3))]
    y = place(hits, 0.5 + 3 * BAR + 0.2)
    found = heard(y)
    points = loop_of(found)
    assert found.downbeats is not None
    assert found.downbeats[0] == pytest.approx(0.5, abs=0.04)
    assert points.start_seconds == pytest.approx(0.5, abs=0.04)
    assert points.bars == 3


def test_a_waveform_that_does_not_meet_itself_needs_a_crossfade(heard: Analyze) -> None:
    # A held tone through the whole: 4.2 periods are left over where it begins again.
    y = place([(0, drum_loop(120, 2)), (0, tone(110.05, 2 * BAR, 0.9))], 2 * BAR)
    y = np.concatenate([y[100:], y[:100]])[: len(y)]
    points = loop_of(heard(y))
    clean, seam = repeated(y[:, None], points)
    assert points.crossfade_seconds == 0.005
    assert not clicks_at(clean, seam)


class TestFromTheFile:
    @pytest.fixture
    def wav(self, tmp_path: Path) -> Path:
        return tmp_path / "sound.wav"

    def test_right_points_are_preferred(self, wav: Path) -> None:
        with_chunk(write(wav, drum_loop(120, 2)), b"smpl", smpl([(0, int(BAR * RATE) - 1)]))
        points = loop_of(analyze(wav, AnalysisLevel.DETAILED))
        assert (points.start_seconds, points.end_seconds) == (0.0, BAR)
        assert (points.beats, points.bars) == (4, 1)

    @pytest.mark.parametrize(
        "loop", [(0, 3 * RATE // 2 + 999), (0, 10 * RATE), (5, 9)], ids=["no beats", "late", "tiny"]
    )
    def test_wrong_ones_are_not(self, wav: Path, loop: tuple[int, int]) -> None:
        with_chunk(write(wav, drum_loop(120, 2)), b"smpl", smpl([loop]))
        assert loop_of(analyze(wav, AnalysisLevel.DETAILED)).end_seconds == 2 * BAR

    def test_a_held_note_may_have_them(self, wav: Path) -> None:
        period = RATE // 441
        with_chunk(write(wav, note(441, 1, 9)), b"smpl", smpl([(40 * period, 400 * period - 1)]))
        found = analyze(wav, AnalysisLevel.DETAILED)
        assert found.kind is SampleKind.ONE_SHOT
        points = loop_of(found)
        assert points.start_seconds == pytest.approx(40 / 441)
        assert points.end_seconds == pytest.approx(400 / 441)
        assert (points.beats, points.bars) == (None, None)

    @pytest.mark.skipif(not TRIMO.exists(), reason="needs hydrogen-drumkits")
    def test_a_real_one(self) -> None:
        points = loop_of(analyze(TRIMO, AnalysisLevel.DETAILED))
        rate = soundfile.info(TRIMO).samplerate
        assert points.start_seconds == pytest.approx(3_570 / rate)
        assert points.end_seconds == pytest.approx(20_436 / rate)


def _bars(count: int) -> list[tuple[float, np.ndarray]]:
    """Kick on one, snare on two and four, hats in eighths."""
    hits = []
    for beat in range(4 * count):
        at = beat * BAR / 4
        hits += [(at, 0.3 * hat()), (at + BAR / 8, 0.2 * hat())]
        if beat % 4 == 0:
            hits += [(at, kick()), (at + BAR / 8, 0.8 * kick())]
        elif beat % 2:
            hits.append((at, snare()))
    return hits
