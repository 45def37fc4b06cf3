"""How well prompts find, on folders of known sounds: `python -m benchmarks.search_words FOLDER…`.

Starts the databases alone, analyses the one-shots and loops of each folder's `manifest.csv` and
stores them under numbers for names, so that only what is heard can be found. No AI is asked.

`right` is the share of the first ten that the manifest calls what was asked for; `newest` the same
where the labels filter and nothing ranks. For words that describe, `rank` is where the first ten
lie on average among the sounds of that label, by the measurement that the word is about: 0 is the
most extreme, 0.5 chance.
"""

import argparse
import asyncio
import hashlib
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.manifest import Known, read
from resolvers.scope import Scope
from resolvers.search import Found, search_audio
from samplemind.audio import ENGINE_VERSION
from samplemind.audio.analyze import describe
from samplemind.domain.analysis import Analysis, AnalysisLevel, AnalysisStatus, Findings
from samplemind.domain.audio_file import AudioFacts, AudioFile
from samplemind.domain.errors import DomainError
from samplemind.domain.ids import new_id, now
from samplemind.domain.library import AudioFileOrder
from samplemind.domain.paging import Window
from samplemind.domain.user import Role, User
from samplemind.local import running_parts
from samplemind.parts import Parts
from samplemind.settings import Settings
from samplemind.words.parser import understand

_FIRST = 10
_OWNER = User("benchmark", "benchmark", "benchmark@example.org", Role.USER, now())

_NAMED = {
    "closed hi hat": "hat_closed",
    "open hats": "hat_open",
    "kick drum": "kick",
    "snares": "snare",
    "claps": "clap",
    "crash cymbal": "crash",
    "ride": "ride",
    "cowbell": "cowbell",
    "shaker": "shaker",
    "floor tom": "tom",
    "rimshot": "rim",
    "bass one-shot": "bass",
    "pads": "pad",
    "drum loop": "drum loop",
}
"""Prompts, and what manifests call it."""

Measure = Callable[[Findings], float]


def _centroid(findings: Findings) -> float:
    return findings.spectral.centroid_hz if findings.spectral else 0.0


def _flatness(findings: Findings) -> float:
    return findings.spectral.flatness if findings.spectral else 0.0


_DESCRIBED: dict[str, tuple[Measure, bool]] = {
    "dark": (_centroid, False),
    "bright": (_centroid, True),
    "noisy": (_flatness, True),
}
"""Words, by what they are measured, and whether more of it is more of the word."""

_OF = {"kick": "kick", "snare": "snare", "tom": "tom", "crash": "crash", "closed hat": "hat_closed"}


@dataclass(frozen=True, slots=True)
class Sound:
    known: Known
    findings: Findings


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search_words", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    folders: list[Path] = parser.parse_args().folders
    with (
        tempfile.TemporaryDirectory(prefix="samplemind-benchmark-") as folder,
        running_parts(Path(folder)) as settings,
    ):
        asyncio.run(_measure(settings, read(folders)))


async def _measure(settings: Settings, known: Sequence[Known]) -> None:
    parts = Parts.open(settings)
    await parts.store.prepare()
    sounds = await _fill(parts, known)
    print(f"{len(sounds)} sounds")
    print(f"\n{'':<24}{'right':>8}{'newest':>8}{'ms':>8}")
    shares: list[tuple[float, float]] = []
    for prompt, label in _NAMED.items():
        found, seconds = await _search(parts, prompt)
        right = _share(sounds, [row.value.audio_file for row in found.page.rows], label)
        newest = _share(sounds, await _newest(parts, prompt), label)
        shares.append((right, newest))
        print(f"{prompt:<24}{right:>8.2f}{newest:>8.2f}{1_000 * seconds:>8.0f}")
    means = [statistics.mean(column) for column in zip(*shares, strict=True)]
    print(f"{'mean':<24}{means[0]:>8.2f}{means[1]:>8.2f}")
    print(f"\n{'':<24}{'right':>8}{'rank':>8}")
    described: list[tuple[float, float]] = []
    for word, (measure, is_more) in _DESCRIBED.items():
        for name, label in _OF.items():
            found, _ = await _search(parts, f"{word} {name}")
            files = [row.value.audio_file for row in found.page.rows]
            rank = _rank(sounds, files, found, measure, is_more=is_more)
            described.append((_share(sounds, files, label), rank))
            print(f"{f'{word} {name}':<24}{described[-1][0]:>8.2f}{rank:>8.2f}")
    means = [statistics.mean(column) for column in zip(*described, strict=True)]
    print(f"{'mean':<24}{means[0]:>8.2f}{means[1]:>8.2f}")
    await parts.close()


async def _search(parts: Parts, prompt: str) -> tuple[Found, float]:
    began = time.perf_counter()
    found = await search_audio(Scope(parts, _OWNER), prompt, Window(_FIRST))
    return found, time.perf_counter() - began


async def _newest(parts: Parts, prompt: str) -> list[AudioFile]:
    filter_, order = understand(prompt).filter, AudioFileOrder()
    page = await parts.store.audio_files.page(_OWNER.id, Window(_FIRST), order, filter_)
    return [row.value for row in page.rows]


def _share(sounds: dict[str, Sound], files: list[AudioFile], label: str) -> float:
    hits = sum(sounds[file.id].known.label == label for file in files)
    return hits / max(len(files), 1)


def _rank(
    sounds: dict[str, Sound],
    files: list[AudioFile],
    found: Found,
    measure: Measure,
    *,
    is_more: bool,
) -> float:
    """Among all that the filter leaves."""
    wanted = {*(found.understood.filter.labels or ())}
    among = [
        measure(sound.findings)
        for sound in sounds.values()
        if wanted & {label.name for label in sound.findings.labels}
    ]
    values = [measure(sounds[file.id].findings) for file in files]
    beyond = (
        sum(other > value if is_more else other < value for other in among) / len(among)
        for value in values
    )
    return statistics.mean(beyond)


async def _fill(parts: Parts, known: Sequence[Known]) -> dict[str, Sound]:
    sounds: dict[str, Sound] = {}
    # So that the newest are of no one source.
    for each in sorted(known, key=_by_chance):
        if each.kind not in ("ONE_SHOT", "LOOP"):
            continue
        try:
            facts, findings = await asyncio.to_thread(describe, each.path, AnalysisLevel.STANDARD)
        except DomainError:
            continue
        file = _file(len(sounds), each.path.stat().st_size, facts)
        run = Analysis(
            id=new_id(),
            owner_id=_OWNER.id,
            audio_file_id=file.id,
            level=AnalysisLevel.STANDARD,
            status=AnalysisStatus.SUCCEEDED,
            engine_version=ENGINE_VERSION,
            queued_at=now(),
            findings=findings,
        )
        await parts.store.audio_files.add(file)
        await parts.store.analyses.add([run])
        await parts.vectors.put(file, findings)
        await parts.store.audio_files.set_analysis(run)
        sounds[file.id] = Sound(each, findings)
    return sounds


def _file(number: int, size: int, facts: AudioFacts) -> AudioFile:
    id_ = new_id()
    plain = AudioFacts(facts.format, facts.duration_seconds, facts.sample_rate, facts.channels, {})
    return AudioFile(
        id=id_,
        owner_id=_OWNER.id,
        filename=f"{number}.wav",
        size_bytes=size,
        sha256=hashlib.sha256(id_.encode()).hexdigest(),
        facts=plain,
        tags=(),
        uploaded_at=now(),
    )


def _by_chance(known: Known) -> str:
    """The same each time."""
    return hashlib.sha256(str(known.path).encode()).hexdigest()


if __name__ == "__main__":
    main()
