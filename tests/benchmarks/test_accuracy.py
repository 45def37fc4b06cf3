"""benchmarks/accuracy: what it counts as right, and that it runs."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import manifest, scores
from benchmarks.accuracy import calibration
from benchmarks.manifest import COLUMNS, BadManifest, Known
from tests.sounds import MAJOR_CADENCE, cadence, drum_loop, hat, kick, note, write

ROOT = Path(__file__).parents[2]


def known(pack: str = "", **facts: Any) -> Known:
    nothing = dict.fromkeys(("kind", "tempo", "key", "metre", "label"))
    return Known(Path("x"), "source", pack, **(nothing | facts))


def folder(where: Path, rows: list[dict[str, str]], columns: tuple[str, ...] = COLUMNS) -> Path:
    where.mkdir(exist_ok=True)
    with (where / "manifest.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, columns, restval="")
        table.writeheader()
        table.writerows(rows)
    return where


class TestTempo:
    @pytest.mark.parametrize(
        ("bpm", "acc1", "acc2", "exact"),
        [
            (120.0, 1, 1, 1),
            (120.1, 1, 1, 1),
            (120.2, 1, 1, 0),
            (124.7, 1, 1, 0),
            (125.0, 0, 0, 0),
            (61.0, 0, 1, 0),
            (40.0, 0, 1, 0),
            (240.0, 0, 1, 0),
            (360.0, 0, 1, 0),
            (90.0, 0, 0, 0),
        ],
    )
    def test_a_loop_of_120(self, bpm: float, acc1: int, acc2: int, exact: int) -> None:
        loop, answer = known(tempo=120.0, kind="LOOP"), {"tempo": {"bpm": bpm}}
        assert scores.tempo_acc1(loop, answer) == acc1
        assert scores.tempo_acc2(loop, answer) == acc2
        assert scores.tempo_exact(loop, answer) == exact

    def test_no_answer_is_wrong_and_no_question_is_none(self) -> None:
        assert scores.tempo_acc1(known(tempo=120.0), {"tempo": None}) == 0
        assert scores.tempo_acc1(known(tempo=120.0), {}) == 0
        assert scores.tempo_acc1(known(), {"tempo": {"bpm": 120.0}}) is None
        assert scores.tempo_exact(known(tempo=120.0), {"tempo": {"bpm": 120.0}}) is None


class TestKey:
    # As mir_eval.key.weighted_score answers (0.8.2); 0 for all that is not listed.
    WEIGHTED = (
        ("MAJOR", {"C MAJOR": 1, "G MAJOR": 0.5, "A MINOR": 0.3, "C MINOR": 0.2}),
        ("MINOR", {"C MINOR": 1, "G MINOR": 0.5, "D# MAJOR": 0.3, "C MAJOR": 0.2}),
    )

    @pytest.mark.parametrize(("mode", "worth"), WEIGHTED)
    def test_the_keys_around_c(self, mode: str, worth: dict[str, float]) -> None:
        for tonic in ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"):
            for found in ("MAJOR", "MINOR"):
                answer = {"key": {"tonic": tonic, "mode": found}}
                expected = worth.get(f"{tonic} {found}", 0)
                assert scores.key_weighted(known(key=(0, mode)), answer) == expected
                assert scores.key_exact(known(key=(0, mode)), answer) == (expected == 1)

    def test_no_answer_is_wrong(self) -> None:
        assert scores.key_weighted(known(key=(0, "MAJOR")), {}) == 0
        assert scores.key_weighted(known(), {}) is None

    @pytest.mark.parametrize(("name", "expected"), [("C", 0), ("Cb", 11), ("F#", 6), ("B♭", 10)])
    def test_names_of_tonics(self, name: str, expected: int) -> None:
        assert manifest.pitch_class(name) == expected

    def test_what_is_no_tonic(self) -> None:
        with pytest.raises(ValueError, match="H"):
            manifest.pitch_class("H")


class TestLabels:
    def test_names_are_folded(self) -> None:
        answer = {"labels": [{"name": name} for name in ("a", "closed hat", "b", "kick")]}
        assert scores.label_first(known(label="hat_closed"), answer) == 0
        assert scores.label_in_three(known(label="hat_closed"), answer) == 1
        assert scores.label_in_three(known(label="kick"), answer) == 0

    def test_neighbours_come_from_other_packs(self) -> None:
        def sound(pack: str, label: str) -> Known:
            return known(pack, label=label)

        # Each kick of pack 1 is nearest to its own pack's; outside, to five kicks and ten hats.
        sounds = [sound("1", "kick")] * 12 + [sound("2", "kick")] * 12 + [sound("2", "hat")] * 5
        vectors = [[1.0, 0.0]] * 12 + [[0.9, 0.2]] * 5 + [[0.0, 1.0]] * 7 + [[0.9, 0.3]] * 5
        scored = scores.same_class(sounds, [{"embedding": v} for v in vectors])
        assert scored[:12] == [0.5] * 12
        assert scored[-5:] == [None] * 5  # no hats elsewhere

    def test_of_one_pack_all_but_the_sound_itself(self) -> None:
        sounds = [known(label="kick")] * 11
        assert scores.same_class(sounds, [{"embedding": [1.0]}] * 11) == [1.0] * 11
        assert scores.same_class(sounds[1:], [{"embedding": [1.0]}] * 10) == [None] * 10


class TestIntervals:
    def test_wilsons(self) -> None:
        # Brown, Cai and DasGupta, "Interval estimation for a binomial proportion" (2001).
        assert scores.interval([1.0] * 10) == pytest.approx((0.722, 1.0), abs=1e-3)
        assert scores.interval([1.0, 0.0] * 5) == pytest.approx((0.237, 0.763), abs=1e-3)

    def test_confidence_beside_how_often_it_is_right(self) -> None:
        answers = [{"tempo": {"bpm": bpm, "confidence": 0.9}} for bpm in (120.0, 120.0, 60.0)]
        answers += [{"tempo": {"bpm": 60.0, "confidence": 0.1}}, {}]
        found = calibration([known(tempo=120.0)] * 5, answers)
        assert [(f.name, f.sounds, f.values["SampleMind"][0]) for f in found] == [
            ("tempo right where 0.10 sure", 1, 0),
            ("tempo right where 0.90 sure", 3, pytest.approx(2 / 3)),
        ]


class TestManifest:
    def test_a_pack_is_the_source_or_the_kit(self, tmp_path: Path) -> None:
        kit = tmp_path / "drumkits" / "808"
        kit.mkdir(parents=True)
        for path in (kit / "kick.wav", tmp_path / "loop.wav"):
            path.touch()
        rows = [
            {"path": str(kit / "kick.wav"), "source": "h", "kind": "one_shot", "label": "kick"},
            {"path": "loop.wav", "source": "l", "tempo": "90.5", "key": "Bb", "mode": "minor"},
        ]
        kick, loop = manifest.read([folder(tmp_path, rows)])
        assert (kick.pack, kick.kind, kick.label, kick.tempo) == ("h/808", "ONE_SHOT", "kick", None)
        assert (loop.path, loop.pack) == (tmp_path / "loop.wav", "l")
        assert (loop.tempo, loop.key, loop.kind) == (90.5, (10, "MINOR"), None)

    def test_what_is_missing_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(BadManifest, match=r"manifest\.csv is missing"):
            manifest.read([tmp_path])
        with pytest.raises(BadManifest, match="no column metre, label"):
            manifest.read([folder(tmp_path, [], COLUMNS[:-2])])
        with pytest.raises(BadManifest, match=r"line 2: there is no .*gone\.wav"):
            manifest.read([folder(tmp_path, [{"path": "gone.wav"}])])
        (tmp_path / "x.wav").touch()
        with pytest.raises(BadManifest, match="line 2: could not convert"):
            manifest.read([folder(tmp_path, [{"path": "x.wav", "tempo": "fast"}])])


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.accuracy", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


class TestCommand:
    def test_it_measures_a_folder(self, tmp_path: Path) -> None:
        loop = {"kind": "LOOP", "source": "loops"}
        sounds = {
            "beat.wav": (drum_loop(120, 4), loop | {"tempo": "120"}),
            "wrong.wav": (drum_loop(100, 4), loop | {"tempo": "130"}),
            "song.wav": (cadence(9, MAJOR_CADENCE), loop | {"key": "A", "mode": "major"}),
            "kick.wav": (kick(), {"kind": "ONE_SHOT", "source": "hits", "label": "kick"}),
        }
        for name, (y, _) in sounds.items():
            write(tmp_path / name, y)
        folder(tmp_path, [{"path": name} | row for name, (_, row) in sounds.items()])
        (tmp_path / "broken.wav").write_bytes(b"no sound")
        hits = folder(tmp_path / "hits", [{"path": "../broken.wav", "source": "x", "kind": "LOOP"}])
        done = run(tmp_path, hits, "--json", "--jobs", "2")
        assert done.returncode == 0, done.stderr
        assert "broken.wav: NOT_AUDIO" in done.stderr
        assert "SampleMind: 5 of 5" in done.stderr
        figures = {(f["name"], f["source"]): f for f in json.loads(done.stdout)["figures"]}
        tempo = figures["tempo within 4 %", "loops"]
        assert (tempo["sounds"], tempo["values"]["SampleMind"]["mean"]) == (2, 0.5)
        assert tempo["values"]["SampleMind"]["low"] < 0.5 < tempo["values"]["SampleMind"]["high"]
        assert figures["key exact", "all"]["values"]["SampleMind"]["mean"] == 1
        assert figures["kind", "x"]["values"]["SampleMind"]["mean"] == 0
        assert ("tempo within 4 %", "hits") not in figures

    def test_one_table(self, tmp_path: Path) -> None:
        for i, y in enumerate((hat(), kick(), note(220, 1))):
            write(tmp_path / f"{i}.wav", y)
        rows = [{"path": f"{i}.wav", "source": "hits", "kind": "ONE_SHOT"} for i in range(3)]
        lines = run(folder(tmp_path, rows)).stdout.splitlines()
        assert [line.split() for line in lines] == [
            ["source", "n", "SampleMind"],
            ["kind", "all", "3", "1.000", "(0.44-1.00)"],
            ["hits", "3", "1.000", "(0.44-1.00)"],
        ]

    def test_what_is_wrong_is_said(self, tmp_path: Path) -> None:
        done = run(tmp_path)
        assert done.returncode == 2
        assert "manifest.csv is missing" in done.stderr
        done = run(folder(tmp_path, []), "--peers", "nobody")
        assert done.returncode == 2
        assert "has no nobody" in done.stderr
