"""How fast the analysis is, in one thread: `python -m benchmarks.speed` (some minutes).

Times are the processor's and not the clock's, so that other work on the machine disturbs them
little; only the cold start is on the clock. The exit code is 1 where a floor is missed.
"""

import os

# Before numpy comes in, which reads them once.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import soundfile

from benchmarks import peer_speed, sounds
from benchmarks.figure import Figure
from benchmarks.report import as_json, as_table, machine
from samplemind.audio.analyze import analyze, listen, warm_up
from samplemind.audio.beats import beat_times
from samplemind.audio.decode import OpenSound
from samplemind.audio.embedding import embedding
from samplemind.audio.features import Features
from samplemind.audio.fingerprint import fingerprint
from samplemind.audio.hearing import hear
from samplemind.audio.key import musical_key
from samplemind.audio.kind import sample_kind
from samplemind.audio.labels import labels
from samplemind.audio.loudness import LoudnessMeter
from samplemind.audio.spectral import spectral_features
from samplemind.audio.tempo import tempo
from samplemind.domain.analysis import AnalysisLevel, SampleKind

BASIC, STANDARD, DETAILED = AnalysisLevel.BASIC, AnalysisLevel.STANDARD, AnalysisLevel.DETAILED

TRACK_SECONDS = 180
TRACKS_AN_HOUR = 3_600 // TRACK_SECONDS
ONE_SHOTS_A_RUN = 5
COLD_STARTS = 5
BPM = 120.0

TRACK_FLOOR = TRACK_SECONDS * 1_000 / 200
ONE_SHOT_FLOOR = 20.0
COLD_FLOOR = 2_000.0
"""In ms; the first is 200 times real time."""

WORKER_FLOOR, HOUR_FLOOR = 450.0, 1_024.0
"""In MiB."""

STAGES: dict[str, Callable[[Features], Any]] = {
    "onset strength": lambda it: (it.onsets.correlation, it.onsets.band_correlations),
    "timbre": lambda it: it.timbre.mfcc,
    "notes": lambda it: it.tonal.chroma,
    "kind": sample_kind,
    "tempo": lambda it: tempo(it.onsets, ()),
    "key": lambda it: musical_key(it, SampleKind.TRACK),
    "averages of the spectrum": spectral_features,
    "network": hear,
    "network, labels": lambda it: labels(it, SampleKind.TRACK, hear(it)),
    "network, embedding": lambda it: embedding(it, SampleKind.TRACK, hear(it)),
    "fingerprint": fingerprint,
    "beats": lambda it: beat_times(it.onsets.novelty, BPM),
}
"""What follows the pass over the file, in the order in which each may use what came before."""

# The most MiB that a process with all that a worker has ever held. Only Linux tells it without what
# its parent held before the fork.
_MEMORY = """
import sys
from pathlib import Path
import samplemind.jobs.worker
from samplemind.audio.analyze import analyze
from samplemind.domain.analysis import AnalysisLevel
for path in sys.argv[1:]:
    analyze(Path(path), AnalysisLevel.DETAILED)
print(int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024)
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="of each figure (default: 9)")
    parser.add_argument("--no-hour", action="store_true", help="without the FLAC of an hour")
    parser.add_argument(
        "--peers",
        nargs="+",
        metavar="NAME[=PYTHON]",
        default=[],
        help="librosa or essentia, with the Python that has it",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    arguments = parser.parse_args()
    where = machine()  # before, so that its load is that of others
    with tempfile.TemporaryDirectory(prefix="samplemind-speed-") as folder:
        one, wav, flac, mp3 = write_sounds(Path(folder))
        warm_up()
        figures = [
            *levels(one, wav, [flac, mp3], arguments.runs),
            *stages(wav, arguments.runs),
            *(peer(named, wav, arguments.runs) for named in arguments.peers),
            cold_start(one),
            *memory([one, wav, flac, mp3], None if arguments.no_hour else Path(folder)),
        ]
    if arguments.json:
        print(json.dumps(as_json(where, figures), indent=2))
    else:
        print(as_table(where, figures))
    return 0 if all(figure.is_good for figure in figures) else 1


def write_sounds(folder: Path) -> list[Path]:
    """A one-shot; a track of 3 minutes, stereo at 44.1 kHz: WAV, FLAC and MP3 of 320 kbit/s."""
    one, wav = folder / "one.wav", folder / "track.wav"
    one.write_bytes(sounds.one_shot(0))
    wav.write_bytes(sounds.track(0, TRACK_SECONDS))
    flac, mp3 = wav.with_suffix(".flac"), wav.with_suffix(".mp3")
    y, rate = soundfile.read(wav, dtype="float32")
    soundfile.write(flac, y, rate)
    # libsndfile 1.2 writes noise where it is given the 16 bits of a stereo sound.
    soundfile.write(mp3, y, rate, bitrate_mode="CONSTANT", compression_level=0)
    return [one, wav, flac, mp3]


def levels(one: Path, wav: Path, others: Sequence[Path], runs: int) -> Iterator[Figure]:
    """Whole analyses, as a worker that is warm does them."""
    for path in (wav, *others):
        name, floor = f"3 min, {path.suffix[1:]}, {STANDARD}", TRACK_FLOOR
        yield _of_track(name, [_cpu(analyze, path, STANDARD) for _ in range(runs)], floor)
    for level in (BASIC, DETAILED):
        times = [_cpu(analyze, wav, level) for _ in range(runs)]
        yield _of_track(f"3 min, wav, {level}", times)
    times = [_cpu(analyze, one, STANDARD) for _ in range(runs * ONE_SHOTS_A_RUN)]
    yield Figure.of_many(f"one-shot of 1 s, {STANDARD}", "ms", times, ONE_SHOT_FLOOR)


def stages(path: Path, runs: int) -> Iterator[Figure]:
    """What each part of the analysis takes of it."""
    times: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[..., Any], *arguments: Any) -> None:
        times.setdefault(name, []).append(_cpu(work, *arguments))

    for _ in range(runs):
        timed("decode", _decode, path)
        timed("decode, mix, resample", listen_only, path)
        timed("decode, loudness", _loudness, path)
        features = listen_only(path)
        for name, work in STAGES.items():
            timed(name, work, features)
    for name, each in times.items():
        yield _of_track(f"- {name}", each)


def listen_only(path: Path) -> Features:
    return listen(path, with_loudness=False).features


def _decode(path: Path) -> None:
    with OpenSound(path) as sound:
        for _ in sound.blocks():
            pass


def _loudness(path: Path) -> None:
    with OpenSound(path) as sound:
        meter = LoudnessMeter(sound.sample_rate, 2)
        for block in sound.blocks():
            meter.push(block)
    meter.result()


def peer(named: str, path: Path, runs: int) -> Figure:
    """Another library and STANDARD in turns; the note tells how many times longer it takes."""
    name, _, python = named.partition("=")
    command = [python or sys.executable, "-P", peer_speed.__file__, name]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        theirs, ours = [], []
        for _ in range(runs + 1):
            print(json.dumps(str(path)), file=process.stdin, flush=True)
            theirs.append(1_000 * float(process.stdout.readline()))
            ours.append(_cpu(analyze, path, STANDARD))
        process.stdin.close()
    # The first one compiles what it needs.
    figure = _of_track(f"{name}, the like of STANDARD", theirs[1:])
    ratio = figure.value / Figure.of_many("", "", ours, None).value
    return replace(figure, note=f"{figure.note}, {ratio:.1f} times SampleMind")


def cold_start(one: Path) -> Figure:
    """From nothing to the answer of the command line, by the clock."""
    command = [sys.executable, "-m", "samplemind", "analyze", str(one), "--json"]
    # Where it is set, every start compiles everything again.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    times = []
    for _ in range(1 + COLD_STARTS):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
        times.append(1_000 * (time.perf_counter() - began))
    return Figure.of_many("samplemind analyze one.wav --json, cold", "ms", times[1:], COLD_FLOOR)


def memory(paths: Sequence[Path], folder: Path | None) -> Iterator[Figure]:
    """What a process that analyses at level DETAILED holds; an hour's FLAC goes into `folder`."""
    if not Path("/proc/self/status").exists():
        return
    yield Figure("most memory of a worker", "MiB", _most_memory(paths), floor=WORKER_FLOOR)
    if folder:
        y, rate = soundfile.read(paths[1], dtype="int16")
        path = folder / "hour.flac"
        with soundfile.SoundFile(path, "w", rate, 2, "PCM_16") as file:
            for _ in range(TRACKS_AN_HOUR):
                file.write(y)
        yield Figure("the same for an hour", "MiB", _most_memory([path]), floor=HOUR_FLOOR)


def _most_memory(paths: Sequence[Path]) -> float:
    command = [sys.executable, "-c", _MEMORY, *map(str, paths)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _cpu(work: Callable[..., Any], *arguments: Any) -> float:
    """Milliseconds of the processor."""
    began = time.process_time()
    work(*arguments)
    return 1_000 * (time.process_time() - began)


def _of_track(name: str, times: Sequence[float], floor: float | None = None) -> Figure:
    figure = Figure.of_many(name, "ms", times, floor)
    return replace(figure, note=f"{1_000 * TRACK_SECONDS / figure.value:.0f}x real time")


if __name__ == "__main__":
    sys.exit(main())
