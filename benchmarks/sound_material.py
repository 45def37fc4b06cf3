"""Gather the sounds that benchmarks/fit_sounds.py learns from:

    python -m benchmarks.sound_material MANIFEST.csv MATERIAL [--jobs N] [--each N]

They are the named sounds of a manifest (columns path, source, kind, label), as they are and
processed; notes of the General MIDI soundfonts of this machine and of freepats (freepats.py); the
settings of LMMS's synthesizers (lmms.py); spoken words (voices.py); sounds and loops that are
synthesised; and the phrases and beats that key and tempo are learnt from (tonal_loops.py,
drum_loops.py, played_music.py). MATERIAL becomes a folder of .npz: what the analysis measures of
each sound, with its name, its source and its group (the kit or patch it is from).
"""

import argparse
import csv
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr

from benchmarks import freepats, lmms, loops, played_music
from benchmarks import soundfont as midi
from benchmarks.drum_loops import drum_loops
from benchmarks.synthesis import ONE_SHOTS, processed
from benchmarks.tonal_loops import tonal_sounds
from benchmarks.voices import spoken
from benchmarks.waves import RATE, Random, log_uniform
from samplemind.audio.decode import OpenSound
from samplemind.audio.descriptor import descriptor
from samplemind.audio.features import Features
from samplemind.audio.hearing import mel_attack, mel_windows
from samplemind.audio.spectrum import SAMPLE_RATE
from samplemind.domain.errors import DomainError

NAMES = {"hat_closed": "closed hat", "hat_open": "open hat"}
"""Of a manifest, where they differ from ours."""

PHRASES = {
    **dict.fromkeys(("bass", "roots"), "bass loop"),
    **dict.fromkeys(("pad", "stab", "parallel", "arp", "lead", "riff", "full"), "melodic loop"),
}
"""Of the families of benchmarks/phrases.py those that are loops."""

LONGEST = 20.0
"""Seconds of a sound that are used."""


KITS = "hydrogen-drumkits"
"""The source of a manifest whose hits are played as beats."""


class Sound(NamedTuple):
    """`y: (n,)` mono at RATE; `group` tells the kit or patch within the source."""

    source: str
    group: str
    name: str
    kind: str
    y: np.ndarray


def recorded(manifest: Path, r: Random, *, variants: int) -> Iterator[Sound]:
    """The named sounds of a manifest; of the short ones also `variants` that are processed."""
    with manifest.open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        path = Path(row["path"])
        name = NAMES.get(row["label"], row["label"]) or (
            "" if row["kind"] == "ONE_SHOT" else "full track"
        )
        y = read(path)
        if not name or not len(y):
            continue
        # A kit is a collection of its own; other folders only sort one.
        group = path.parent.name if "drumkits" in path.parts else row["source"]
        yield Sound(row["source"], group, name, row["kind"], y)
        for _ in range(variants if row["kind"] in ("ONE_SHOT", "LOOP") else 0):
            varied = resampled(r, y) if r.random() < 0.6 else y
            if r.random() < 0.25 and row["kind"] == "ONE_SHOT":
                varied = varied * np.exp(
                    -np.arange(len(y))[: len(varied)] / RATE / log_uniform(r, 0.05, 1)
                )
            yield Sound(row["source"], group, name, "PROCESSED", processed(r, varied))


def read(path: Path) -> np.ndarray:
    try:
        with OpenSound(path) as sound:
            y = np.concatenate([block.mean(axis=0) for block in sound.blocks()])
    except DomainError:
        return np.zeros(0)
    return soxr.resample(y, sound.sample_rate, RATE)[: int(LONGEST * RATE)]


def resampled(r: Random, y: np.ndarray) -> np.ndarray:
    """Higher or lower, by up to five semitones; never longer."""
    faster = log_uniform(r, 1, 1.35)
    return np.interp(np.arange(0, len(y) - 1, faster), np.arange(len(y)), y)


def sampled(r: Random) -> Iterator[Sound]:
    """Single notes of every kit and program of the soundfonts, some of them processed."""
    for source, path in midi.soundfonts().items():
        yield from kits(source, path, r)
        for family, programs in midi.PROGRAMS.items():
            for program in programs:
                low, high = (26, 46) if family == "bass" else (40, 84)
                notes = [(int(r.integers(low, high)), int(r.integers(60, 120))) for _ in range(4)]
                held = 2.0 if family == "pad" else float(r.choice([0.25, 0.6, 1.5]))
                for y in midi.single_notes(path, 0, program, notes, held, RATE):
                    y = processed(r, y) if len(y) and r.random() < 0.6 else y
                    yield Sound(source, f"{source} {program}", family, "ONE_SHOT", y)


def kits(source: str, path: Path, r: Random) -> Iterator[Sound]:
    keys = [(name, key) for name, keys in midi.DRUM_KEYS.items() for key in keys]
    seen: set[float] = set()
    for kit in midi.KITS:
        for velocity in (115, int(r.integers(50, 90))):
            notes = [(key, velocity) for _, key in keys]
            hits = midi.single_notes(path, midi.DRUMS, kit, notes, 0.6, RATE)
            for (name, _), y in zip(keys, hits, strict=True):
                # A kit that a soundfont lacks sounds as another.
                mark = round(float(np.abs(y).sum()), 1)
                if mark in seen:
                    continue
                seen.add(mark)
                yield Sound(source, f"{source} kit {kit}", name, "ONE_SHOT", y)
                if len(y) and r.random() < 0.6:
                    yield Sound(source, f"{source} kit {kit}", name, "ONE_SHOT", processed(r, y))


def patches(r: Random) -> Iterator[Sound]:
    """The notes of freepats, as they are and processed."""
    for patch, name, y in freepats.notes(r):
        yield Sound(freepats.SOURCE, patch, name, "ONE_SHOT", y)
        for _ in range(2):
            yield Sound(freepats.SOURCE, patch, name, "ONE_SHOT", processed(r, resampled(r, y)))


def patched(r: Random) -> Iterator[Sound]:
    """The synthesizers of LMMS by their settings, as they are and processed."""
    for patch, y in lmms.played(list(lmms.drum_machines())):
        group = f"{patch.source} {patch.group}"
        yield Sound(patch.source, group, patch.name, "ONE_SHOT", y)
        for _ in range(2):
            yield Sound(patch.source, group, patch.name, "ONE_SHOT", processed(r, resampled(r, y)))
    for patch, y in lmms.played(list(lmms.presets(r, notes=1))):
        y = processed(r, y) if r.random() < 0.6 else y
        yield Sound(patch.source, f"{patch.source} {patch.group}", patch.name, "ONE_SHOT", y)


def voiced(r: Random, each: int) -> Iterator[Sound]:
    for _ in range(4 * each):
        y = spoken(r, words=1)
        yield Sound("voices", "word", "vocal", "ONE_SHOT", processed(r, y))
        if r.random() < 0.3:
            y = spoken(r, words=int(r.integers(3, 7)))
            yield Sound("voices", "phrase", "vocal", "LOOP", processed(r, y))


def synthesised(r: Random, each: int) -> Iterator[Sound]:
    for _ in range(each):
        for name, makers in ONE_SHOTS.items():
            maker = makers[r.integers(len(makers))]
            yield Sound("synthesis", maker.__name__, name, "ONE_SHOT", processed(r, maker(r)))


def looped(r: Random, each: int) -> Iterator[Sound]:
    hits = loops.random_hits(r, 80)
    makers: dict[str, tuple[str, Callable[[], np.ndarray]]] = {
        "drums": ("drum loop", lambda: loops.drum_loop(r, hits)),
        "more drums": ("drum loop", lambda: loops.drum_loop(r, hits)),
        "bass": ("bass loop", lambda: loops.bass_loop(r)),
        "riff": ("melodic loop", lambda: loops.riff(r)),
        "chords": ("melodic loop", lambda: loops.chords(r)),
        "track": ("full track", lambda: loops.full_track(r, hits)),
    }
    for _ in range(each):
        for group, (name, make) in makers.items():
            yield Sound("loops", group, name, "LOOP", processed(r, make()))
        yield phrase(r)


def phrase(r: Random) -> Sound:
    """Two to four bars of a program of a soundfont, in one voice or in chords."""
    fonts = midi.soundfonts()
    family = str(r.choice(list(midi.PROGRAMS)))
    low, high = (26, 45) if family == "bass" else (45, 80)
    program, step = int(r.choice(midi.PROGRAMS[family])), 15 / r.uniform(80, 176)
    end, root, in_chords = (
        16 * int(r.choice([2, 4])),
        int(r.integers(low, low + 12)),
        r.random() < 0.4,
    )
    events, at = [midi.program(0, 0, program)], 0
    while at < end:
        length = int(r.choice([4, 8, 16] if in_chords and family != "bass" else [1, 2, 2, 4]))
        key = loops.scale_key(r, root, low, high)
        third, fifth = ((3, 7), (4, 7), (7, 12))[r.integers(3)]
        keys = (key, key + third, key + fifth) if in_chords and family != "bass" else (key,)
        if r.random() > 0.15:
            velocity = int(r.integers(70, 115))
            for each in keys:
                events += midi.note(at * step, 0.9 * length * step, 0, each, velocity)
        at += length
    font = str(r.choice(list(fonts)))
    y = midi.render(events, fonts[font], RATE, gain=0.2)[: int(end * step * RATE)]
    name = {"bass": "bass loop", "vocal": "vocal"}.get(family, "melodic loop")
    return Sound("phrases", family, name, "LOOP", processed(r, y))


def composed(r: Random, each: int) -> Iterator[Sound]:
    """Phrases by a synthesiser and by the soundfonts."""
    fonts = tuple(midi.soundfonts().values())
    for sound in tonal_sounds(each // 4, fonts, seed=int(r.integers(2**31))):
        if name := PHRASES.get(sound.phrase.family):
            y = processed(r, at_rate(sound.y))
            yield Sound("phrases", sound.phrase.family, name, "LOOP", y)


def drummed(manifest: Path, r: Random, each: int) -> Iterator[Sound]:
    """Beats played with the hits of the kits of a manifest, and with those of the soundfonts."""
    hits: dict[str, list[Path]] = {}
    with manifest.open() as file:
        for row in csv.DictReader(file):
            if row["source"] == KITS:
                hits.setdefault(row["label"], []).append(Path(row["path"]))
    for loop in drum_loops(hits, each // 4, seed=int(r.integers(2**31))):
        y = processed(r, at_rate(loop.features.y))
        yield Sound("beats", loop.style, "drum loop", "LOOP", y)
    for piece in played_music.loops(each // 25, seed=int(r.integers(2**31))):
        if piece.style.startswith("stem"):
            y = processed(r, at_rate(piece.features.y))
            yield Sound("beats", piece.style, "drum loop", "LOOP", y)


def at_rate(y: np.ndarray) -> np.ndarray:
    return soxr.resample(y[: int(LONGEST * SAMPLE_RATE)], SAMPLE_RATE, RATE)


def measure(sounds: Iterator[Sound], path: Path) -> int:
    """Writes what is measured of the sounds; returns their number."""
    rows, descriptors, attacks, windows, owners = [], [], [], [], []
    for sound in sounds:
        if len(sound.y) < 200 or not np.abs(sound.y).max() > 1e-4:
            continue
        y = soxr.resample(sound.y.astype(np.float32), RATE, SAMPLE_RATE)
        features = Features(np.ascontiguousarray(y), len(sound.y) / RATE)
        mels = mel_windows(features.y)
        windows.append(mels.astype(np.float16))
        owners += [len(rows)] * len(mels)
        attacks.append(mel_attack(features.y).astype(np.float16))
        descriptors.append(descriptor(features))
        rows.append((sound.source, sound.group, sound.name, sound.kind))
    np.savez(
        path,
        rows=np.array(rows),
        descriptors=np.array(descriptors),
        attacks=np.array(attacks),
        windows=np.concatenate(windows),
        owners=np.array(owners),
    )
    return len(rows)


def gather(what: str, manifest: Path, each: int, seed: int, folder: Path) -> tuple[str, int]:
    r = np.random.default_rng(seed)
    sounds = {
        "recorded": lambda: recorded(manifest, r, variants=2),
        "sampled": lambda: sampled(r),
        "patches": lambda: patches(r),
        "patched": lambda: patched(r),
        "voiced": lambda: voiced(r, each),
        "synthesised": lambda: synthesised(r, each),
        "looped": lambda: looped(r, each),
        "composed": lambda: composed(r, each),
        "drummed": lambda: drummed(manifest, r, each),
    }[what]()
    return what, measure(chain(sounds), folder / f"{what} {seed}.npz")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifest", type=Path)
    parser.add_argument("material", type=Path)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--each", type=int, default=50, help="sounds of a sort, in each of 4 parts")
    arguments = parser.parse_args()
    arguments.material.mkdir(parents=True, exist_ok=True)
    parts = ["recorded", "sampled", "patched", "voiced", *["synthesised", "looped"] * 4]
    parts += ["composed", "drummed", "patches"]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        work = [
            pool.submit(gather, what, arguments.manifest, arguments.each, seed, arguments.material)
            for seed, what in enumerate(parts)
        ]
        for done in as_completed(work):
            what, count = done.result()
            print(f"{what}: {count} sounds")


if __name__ == "__main__":
    main()
