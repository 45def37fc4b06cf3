"""What a file claims is believed as far as the sound bears it out."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from samplemind.audio.analyze import analyze
from samplemind.audio.claims import Claims, tempo_by
from samplemind.audio.kind import model, sample_kind, traits
from samplemind.domain.analysis import AnalysisLevel, Findings, Mode, SampleKind, Tempo
from samplemind.domain.audio_file import AudioFacts
from tests.audio.conftest import features_of
from tests.audio.made_chunks import acid, basc, smpl, with_chunk
from tests.sounds import (
    RATE,
    clicks,
    drum_loop,
    hat,
    kick,
    note,
    place,
    silence,
    snare,
    tone,
    write,
)

Claiming = Callable[..., Findings]
TOM = Path("/usr/share/hydrogen/data/drumkits/Audiophob/86335__zgump__tom-0105.wav")


@pytest.fixture
def claiming(tmp_path: Path) -> Claiming:
    """Analyses a signal in a WAV file that has the chunks beside it."""

    def run(y: np.ndarray, level: AnalysisLevel = AnalysisLevel.BASIC, **chunks: bytes) -> Findings:
        is_aiff = "basc" in chunks
        path = write(tmp_path / "sound", y, "aiff" if is_aiff else "wav16")
        for name, content in chunks.items():
            with_chunk(path, name.encode(), content)
        return analyze(path, level)

    return run


def bpm_of(found: Findings) -> float:
    assert found.tempo is not None
    return found.tempo.bpm


def test_a_tag_cannot_pass_for_a_chunk() -> None:
    tags = {"acid": "8 beats", "smpl": ["a", "b"]}
    assert Claims.of(AudioFacts("flac", 4.0, RATE, 2, tags)) == Claims()


class TestTempo:
    def test_a_claim_that_fits_is_exact_and_sure(self, claiming: Claiming) -> None:
        # Cut 30 ms late: its length alone says 119.1 BPM.
        y = np.concatenate([drum_loop(120, 2), silence(0.03)])
        found = claiming(y, acid=acid(8, 120.0))
        assert found.tempo is not None
        assert found.tempo.bpm == 120.0
        assert found.tempo.confidence > 0.95

    def test_the_octave_is_the_makers(self, claiming: Claiming) -> None:
        loop = drum_loop(150, 2)
        for beats, bpm in ((8, 150.0), (4, 75.0)):
            assert bpm_of(claiming(loop, acid=acid(beats, bpm))) == bpm

    def test_a_tail_is_allowed(self, claiming: Claiming) -> None:
        y = place([(0, drum_loop(133, 2)), (8 * 60 / 133, note(220, 1.0))], 8 * 60 / 133 + 0.9)
        assert bpm_of(claiming(y, acid=acid(8, 133.0))) == 133.0

    @pytest.mark.parametrize(
        ("beats", "bpm"), [(16, 120.0), (8, 97.0), (8, 60.0), (4, 170.0), (7, 105.0), (0, 111.0)]
    )
    def test_a_lie_is_ignored(self, claiming: Claiming, beats: int, bpm: float) -> None:
        loop = drum_loop(120, 2)
        found = claiming(loop, acid=acid(beats, bpm))
        assert found == claiming(loop)
        assert bpm_of(found) == pytest.approx(120, abs=0.1)

    def test_beats_alone_have_the_tempo_of_the_length(self, claiming: Claiming) -> None:
        assert bpm_of(claiming(drum_loop(126, 4), basc=basc(16))) == pytest.approx(126, abs=0.01)

    def test_where_nothing_is_heard_the_length_has_to_fit_a_round_tempo(self) -> None:
        sound = Claims(bpm=128.0, beats=8)
        found = tempo_by(sound, None, (3.75,))
        assert found is not None
        assert (found.bpm, found.confidence, found.alternatives) == (128.0, 0.9, ())
        assert tempo_by(sound, None, (3.9,)) is None
        assert tempo_by(Claims(bpm=127.4, beats=8), None, (8 * 60 / 127.4,)) is None

    def test_what_is_heard_plainly_stays(self) -> None:
        heard = Tempo(100.0, 0.95, (50.0,))
        claim = Claims(bpm=75.0, beats=6)
        assert tempo_by(claim, heard, (4.8,)) == heard
        unsure = Tempo(100.0, 0.6, (50.0,))
        found = tempo_by(claim, unsure, (4.8,))
        assert found is not None
        assert (found.bpm, found.alternatives) == (75.0, (100.0, 50.0))

    def test_a_tracks_tempo_is_exact_where_it_is_heard(self, claiming: Claiming) -> None:
        y = clicks(100, 40)
        assert bpm_of(claiming(y, acid=acid(0, 100.2))) == 100.2
        assert bpm_of(claiming(y, acid=acid(0, 140.0))) == pytest.approx(100, abs=0.2)

    def test_a_one_shot_has_none(self, claiming: Claiming) -> None:
        assert claiming(kick(), acid=acid(1, 150.0)).tempo is None


@pytest.fixture(scope="module")
def undecided() -> np.ndarray:
    """Two seconds of which the sound itself says neither: drums so faint that they may be room."""
    found = [
        place([(0, kick()), (second, gain * snare()), (1.7, gain * hat())], 2.0)
        for second in np.linspace(0.4, 1.5, 12)
        for gain in np.geomspace(0.01, 0.3, 12)
    ]
    odds = [abs(model().loop_odds(traits(features_of(y)))) for y in found]
    assert min(odds) < 0.25
    return found[int(np.argmin(odds))]


class TestKind:
    @pytest.mark.parametrize(
        ("claims", "kind"),
        [
            (Claims(is_one_shot=False), SampleKind.LOOP),
            (Claims(is_one_shot=True), SampleKind.ONE_SHOT),
            (Claims(120.0, 4, is_one_shot=False), SampleKind.LOOP),
        ],
    )
    def test_flags_tip_the_scales(
        self, undecided: np.ndarray, claims: Claims, kind: SampleKind
    ) -> None:
        assert sample_kind(features_of(undecided), claims) is kind

    def test_beats_count_where_they_make_bars_of_the_length(self) -> None:
        def odds(bpm: float, beats: int, seconds: float) -> float:
            return Claims(bpm, beats, is_one_shot=False, metre=(4, 4)).loop_odds(seconds)

        plain = Claims(is_one_shot=False).loop_odds(2.0)
        assert odds(120.0, 4, 2.0) > plain
        assert odds(60.0, 2, 2.0) > plain
        others = [(90.0, 3, 2.0), (120.0, 8, 2.0), (123.4, 4, 240 / 123.4), (30.0, 4, 8.0)]
        assert [odds(*each) for each in others] == [plain] * 4

    def test_they_do_not_overrule_what_is_plain(self, claiming: Claiming) -> None:
        assert claiming(drum_loop(120, 2), acid=acid(0, 0, one_shot=True)).kind is SampleKind.LOOP
        y = np.concatenate([snare(), silence(1.7)])
        assert claiming(y, acid=acid(4, 120.0)).kind is SampleKind.ONE_SHOT

    def test_a_loop_may_be_as_long_as_a_track(self, claiming: Claiming) -> None:
        y = drum_loop(120, 16)
        assert claiming(y).kind is SampleKind.TRACK
        found = claiming(y, acid=acid(64, 120.0))
        assert (found.kind, bpm_of(found)) == (SampleKind.LOOP, 120.0)
        assert claiming(y, acid=acid(64, 140.0)).kind is SampleKind.TRACK

    @pytest.mark.skipif(not TOM.exists(), reason="needs hydrogen-drumkits")
    def test_a_real_tom_that_says_it_is_a_loop_of_four_beats(self) -> None:
        assert analyze(TOM, AnalysisLevel.BASIC).kind is SampleKind.ONE_SHOT


class TestKey:
    @pytest.mark.parametrize(("root", "tonic"), [(45, "A"), (64, "E"), (61, "A")])
    def test_a_root_decides_where_the_notes_do_not(
        self, claiming: Claiming, root: int, tonic: str
    ) -> None:
        fifths = sum((note(220 * 1.5**n, 2) for n in range(3)), np.zeros(1))
        key = claiming(0.4 * fifths, acid=acid(0, 0, root=root)).key
        assert key is not None
        assert key.tonic == tonic

    def test_nor_does_it_make_a_key_of_a_drum(self, claiming: Claiming) -> None:
        assert claiming(snare(), acid=acid(0, 0, one_shot=True, root=57)).key is None

    def test_a_wrong_root_does_not_move_a_plain_key(self, claiming: Claiming) -> None:
        y = np.concatenate([note(hertz, 0.5, 0.4) for hertz in (220, 262, 330, 247, 220, 330, 220)])
        plain = claiming(np.tile(y, 4))
        lied = claiming(np.tile(y, 4), acid=acid(0, 0, root=61))
        assert plain.key is not None
        assert lied.key is not None
        assert (lied.key.tonic, lied.key.mode) == (plain.key.tonic, plain.key.mode)

    def test_what_samplers_write_unasked_is_no_root(self, claiming: Claiming) -> None:
        y = tone(220, 1)
        assert claiming(y, smpl=smpl(note=60)).key == claiming(y).key
        assert claiming(y, smpl=smpl(note=57)).key != claiming(y).key

    def test_apple_loops_say_the_mode_too(self, claiming: Claiming) -> None:
        octave = 0.5 * (note(220, 2) + note(440, 2))
        for scale, mode in ((1, Mode.MINOR), (2, Mode.MAJOR)):
            key = claiming(octave, basc=basc(0, 57, scale, loops=False)).key
            assert key is not None
            assert (key.tonic, key.mode) == ("A", mode)


def test_a_metre_that_is_claimed_counts_for_more(claiming: Claiming) -> None:
    y = drum_loop(120, 4)
    plain = claiming(y, AnalysisLevel.DETAILED).time_signature
    claimed = claiming(y, AnalysisLevel.DETAILED, acid=acid(16, 120.0, metre=(3, 4))).time_signature
    sure = claiming(y, AnalysisLevel.DETAILED, acid=acid(16, 120.0)).time_signature
    assert plain is not None
    assert claimed is not None
    assert sure is not None
    assert (claimed.numerator, sure.numerator) == (4, 4)
    assert claimed.confidence < plain.confidence < sure.confidence
