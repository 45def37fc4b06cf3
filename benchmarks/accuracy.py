"""How often the analysis is right: `python -m benchmarks.accuracy FOLDER...`

Each folder has a manifest.csv with the columns path (absolute, or relative to it), source, kind,
tempo, key, mode, metre and label; what is not known is empty. Every figure is a mean over sounds,
0 to 1, with its 95 % confidence interval. Sounds that the analysis was fitted on flatter it.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import manifest, peers, scores
from benchmarks.manifest import BadManifest, Known
from benchmarks.scores import Answer, Score
from samplemind.cli.processes import LISTENING, listen_in_processes
from samplemind.domain.analysis import AnalysisLevel

OURS = "SampleMind"
ALL = "all"

SCORES: dict[str, Score] = {
    "tempo within 4 %": scores.tempo_acc1,
    "tempo within 4 %, or its half, double, third, triple": scores.tempo_acc2,
    "tempo of loops within 0.1 BPM": scores.tempo_exact,
    "key, MIREX weighted": scores.key_weighted,
    "key exact": scores.key_exact,
    "metre": scores.metre,
    "kind": scores.kind,
    "label first": scores.label_first,
    "label among three": scores.label_in_three,
}
SAME_CLASS = "same label among the 10 nearest"

PEERS_ANSWER = {
    "librosa": {*list(SCORES)[:5], SAME_CLASS},
    "essentia": {*list(SCORES)[:5]},
}

CONFIDENCES: dict[str, tuple[Score, Callable[[Answer], float | None]]] = {
    "tempo": (scores.tempo_acc1, lambda answer: _confidence(answer.get("tempo"))),
    "key": (scores.key_exact, lambda answer: _confidence(answer.get("key"))),
    "metre": (scores.metre, lambda answer: _confidence(answer.get("timeSignature"))),
    "label": (
        scores.label_first,
        lambda answer: next((label["score"] for label in answer.get("labels", ())), None),
    ),
}
BINS = 5
TELL_EVERY = 20


@dataclass(frozen=True, slots=True)
class Figure:
    """`values` holds (mean, low, high) of each engine that answers the question."""

    name: str
    source: str
    sounds: int
    values: dict[str, tuple[float, float, float]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument(
        "--peers",
        nargs="*",
        metavar="NAME[=PYTHON]",
        help="also ask librosa and essentia, with the Python that has them; without a name, "
        "those that this one has",
    )
    parser.add_argument("--cache", type=Path, help="a file that keeps what the peers answered")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    arguments = parser.parse_args()
    try:
        known = manifest.read(arguments.folders)
        asked = _peers(arguments.peers)
    except BadManifest as error:
        parser.error(str(error))
    answers = {OURS: _ask(OURS, LISTENING, known, arguments.jobs)}
    for name, python in asked.items():
        answers[name] = _ask_peer(name, python, known, arguments.jobs, arguments.cache)
    figures = [*measure(known, answers), *calibration(known, answers[OURS])]
    if arguments.json:
        print(json.dumps({"figures": [_as_json(figure) for figure in figures]}, indent=2))
    else:
        print(as_table(figures, list(answers)))
    return 0


def measure(known: Sequence[Known], answers: dict[str, list[Answer]]) -> list[Figure]:
    """Each figure over all sounds that ask for it, and over those of each source."""
    figures = []
    for name in (*SCORES, SAME_CLASS):
        scored = {
            engine: scores.same_class(known, given)
            if name == SAME_CLASS
            else list(map(SCORES[name], known, given))
            for engine, given in answers.items()
            if name in PEERS_ANSWER.get(engine, {name})
        }
        for source in (ALL, *sorted({sound.source for sound in known})):
            values = {
                engine: [
                    score
                    for sound, score in zip(known, each, strict=True)
                    if score is not None and source in (ALL, sound.source)
                ]
                for engine, each in scored.items()
            }
            if values[OURS]:
                figures.append(_figure(name, source, values))
    return figures


def calibration(known: Sequence[Known], answers: Sequence[Answer]) -> list[Figure]:
    """How often answers of like confidence are right, beside their mean confidence."""
    figures = []
    for name, (score, confidence) in CONFIDENCES.items():
        judged = [
            (sure, right)
            for sound, answer in zip(known, answers, strict=True)
            if (sure := confidence(answer)) is not None
            and (right := score(sound, answer)) is not None
        ]
        for bin_ in range(BINS):
            within = [pair for pair in judged if min(int(pair[0] * BINS), BINS - 1) == bin_]
            if within:
                mean = sum(sure for sure, _ in within) / len(within)
                label = f"{name} right where {mean:.2f} sure"
                figures.append(_figure(label, ALL, {OURS: [right for _, right in within]}))
    return figures


def _figure(name: str, source: str, values: dict[str, list[float]]) -> Figure:
    return Figure(
        name,
        source,
        len(values[OURS]),
        {
            engine: (sum(each) / len(each), *scores.interval(each))
            for engine, each in values.items()
        },
    )


def _confidence(found: Answer | None) -> float | None:
    return found["confidence"] if found else None


def _peers(asked: list[str] | None) -> dict[str, str]:
    """The peers to ask, each with its Python. Raises BadManifest for one that is not there."""
    if asked is None:
        return {}
    if not asked:
        return {name: sys.executable for name in peers.PEERS if _is_there(name, sys.executable)}
    chosen = {}
    for name, _, python in (each.partition("=") for each in asked):
        chosen[name] = python or sys.executable
        if name not in peers.PEERS or not _is_there(name, chosen[name]):
            raise BadManifest(f"--peers: {chosen[name]} has no {name}")
    return chosen


def _is_there(name: str, python: str) -> bool:
    return not subprocess.run([*_peer(name, python), "--check"], capture_output=True).returncode


def _peer(name: str, python: str) -> list[str]:
    return [python, "-P", str(Path(peers.__file__)), name]


def _ask_peer(
    name: str, python: str, known: Sequence[Known], jobs: int, cache: Path | None
) -> list[Answer]:
    """As `_ask`; what the cache knows is not asked again."""
    kept = json.loads(cache.read_text()) if cache and cache.exists() else {}
    answers: dict[str, Answer] = kept.setdefault(name, {})
    new = [sound for sound in known if str(sound.path) not in answers]
    for sound, answer in zip(new, _ask(name, _peer(name, python), new, jobs), strict=True):
        answers[str(sound.path)] = answer
    if cache and new:
        cache.write_text(json.dumps(kept))
    return [answers[str(sound.path)] for sound in known]


def _ask(name: str, command: Sequence[str], known: Sequence[Known], jobs: int) -> list[Answer]:
    """What is answered to each sound, {} where it could not be read; progress on stderr."""
    if not known:
        return []
    paths = [sound.path for sound in known]
    answers = listen_in_processes(paths, AnalysisLevel.DETAILED, jobs, command)
    return [answer if "failure" not in answer else {} for answer in _told(name, paths, answers)]


def _told(name: str, paths: Sequence[Path], answers: Iterator[Answer]) -> Iterator[Answer]:
    for count, (path, answer) in enumerate(zip(paths, answers, strict=True), 1):
        if failure := answer.get("failure"):
            print(f"\r{path}: {failure['code']}: {failure['message']}", file=sys.stderr)
        if count % TELL_EVERY == 0 or count == len(paths):
            print(f"\r{name}: {count} of {len(paths)}", end="", file=sys.stderr, flush=True)
        yield answer
    print(file=sys.stderr)


def as_table(figures: Sequence[Figure], engines: Sequence[str]) -> str:
    rows = [("", "source", "n", *engines)]
    previous = ""
    for figure in figures:
        cells = (_cell(figure.values.get(engine)) for engine in engines)
        name = "" if figure.name == previous else figure.name
        rows.append((name, figure.source, str(figure.sounds), *cells))
        previous = figure.name
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place == 2 else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _cell(value: tuple[float, float, float] | None) -> str:
    if value is None:
        return ""
    mean, low, high = value
    return f"{mean:.3f} ({low:.2f}-{high:.2f})"


def _as_json(figure: Figure) -> dict[str, object]:
    return {
        "name": figure.name,
        "source": figure.source,
        "sounds": figure.sounds,
        "values": {
            engine: {"mean": mean, "low": low, "high": high}
            for engine, (mean, low, high) in figure.values.items()
        },
    }


if __name__ == "__main__":
    sys.exit(main())
