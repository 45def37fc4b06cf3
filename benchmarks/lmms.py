"""What the synthesizers of LMMS sound like, by the names that people gave their settings: the drum
machines of DrumSynth, the presets of LMMS, and the banks of ZynAddSubFX.

Needs Debian's packages lmms, lmms-common and zynaddsubfx-data.
"""

import gzip
import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import soundfile

from benchmarks.soundfont import trimmed
from benchmarks.waves import RATE, Random

DRUM_MACHINES = Path("/usr/share/lmms/samples/drumsynth")
PRESETS = Path("/usr/share/lmms/presets")
BANKS = Path("/usr/share/zynaddsubfx/banks")

_DRUM_WORDS = {
    "": r"revers|backwd|loop|test|snare hat|shaker ride|hatopclo",
    "snare": r"snare|snr|sn\b|^s (8bit|linn|reverb|hollow|pitch|spit)",
    "rim": r"\brim ?(shot)?\b|\bstk\b",
    "clap": r"cla?p",
    "cowbell": r"\bcow",
    "open hat": r"open.*hat|hat.*open|\boh\b|hat o|h open|hihat ?o",
    "ride": r"\bride",
    "closed hat": r"hat c|h closed|hihat ?c|\bh{2,3}\b|hat\b|hats\b",
    "crash": r"\bcym",
    "shaker": r"shaa?k|maraca|tamb|\bcab\b",
    "conga": r"bongo|conga|\bcga|timbale",
    "tabla": r"tabla",
    "tom": r"tom\b|\btom|tom\d",
    "kick": r"bass drum|bd\b|kick|\bkik\b|^k ",
}
"""Name of a sound for what its file is called; what comes first wins, "" is left out."""

_TONE_WORDS = {
    "": r"arp|seque|chord|split|readme|descr|perc|kit|rhythm|loop",
    "bass": r"bass(?!oon|y)",
    "pad": r"pad",
    "lead": r"lead",
    "strings": r"string|violin|cello|fiddle",
    "vocal": r"choir|voice|voix|ahh|ooo|soprano",
    "brass": r"brass|trumpet|horn|fanfar",
    "wind": r"flute|reed|clarinet|oboe|bassoon|fagott|ocarina|whistle|sax|pan ?pipe",
    "bell": r"bell|vibe|vibra|chime|marimba|xylo|campane|mallet",
    "keys": r"organ|piano|rhodes|\be ?p\b|clav|harpsichord|accord",
    "guitar": r"guitar|banjo|sitar",
    "pluck": r"pluck|harp\b|pizz",
    "effect": r"\bfx\b",
}

_FOLDERS = {
    "effects": "effect", "misc_fx": "effect", "magnetboy": "effect", "Noises": "effect",
    "Cormi_Noise": "effect", "Bass": "bass", "Brass": "brass", "Choir and Voice": "vocal",
    "Guitar": "guitar", "Organ": "keys", "Pads": "pad", "Plucked": "pluck", "Rhodes": "keys",
    "Reed and Wind": "wind", "Strings": "strings", "SynthPiano": "keys",
}  # fmt: skip
"""Name of what lies in a folder, where the file's own says nothing."""

_BPM, _BAR = 120, 192
_BAR_SECONDS = 2.0
_SLOT_BARS = 2
"""A sound begins every four seconds, so that the one before has died away."""

_AT_ONCE = 8
"""All synthesizers of a song run to its end, so a long song costs the square of its length."""

_KEY_OF_A_SAMPLE = 57
_SHORTEST = 200
_SHORT_HAT = 0.35
"""Seconds; a hat of no other name that is longer may be an open one."""


class Patch(NamedTuple):
    """A setting of a synthesizer, in a file; `key` is the MIDI note it is played at, for as many
    `beats` (half seconds)."""

    source: str
    group: str
    name: str
    path: Path
    key: int
    beats: float


def drum_machines() -> Iterator[Patch]:
    for path in sorted(DRUM_MACHINES.glob("*/*.ds")):
        if name := called(path, _DRUM_WORDS) or called(path, _TONE_WORDS):
            yield Patch("drumsynth", path.parent.name, name, path, _KEY_OF_A_SAMPLE, 8)


def presets(r: Random, notes: int) -> Iterator[Patch]:
    """Each at so many keys and lengths."""
    for source, paths in (("lmms", PRESETS.glob("*/*.xpf")), ("zyn", BANKS.glob("*/*.xiz"))):
        for path in sorted(paths):
            drum = called(path, _DRUM_WORDS) if source == "lmms" else ""
            name = drum or called(path, _TONE_WORDS)
            if not name or (source == "lmms" and not _is_synthesizer(path)):
                continue
            low, high = (28, 46) if name == "bass" else (40, 76)
            for _ in range(1 if drum else notes):
                key = _KEY_OF_A_SAMPLE if drum else int(r.integers(low, high))
                beats = 5 if name in ("pad", "strings") else float(r.choice([0.5, 1, 2, 4]))
                yield Patch(source, path.stem, name, path, key, beats)


def _is_synthesizer(path: Path) -> bool:
    """Not a player of the samples in lmms-common; and a preset of the present form."""
    is_sampler = path.parent.name == "AudioFileProcessor"
    return not is_sampler and b"<instrumenttrack" in path.read_bytes()


def called(path: Path, words: dict[str, str]) -> str:
    """The name of a sound by its file's, else by its folder's; "" where neither tells."""
    title = re.sub(r"[^a-z0-9]+", " ", re.sub(r"^\d+-", "", path.stem).lower()).strip()
    for name, pattern in words.items():
        if re.search(pattern, title):
            return name
    return "" if words is _DRUM_WORDS else _FOLDERS.get(path.parent.name, "")


def played(patches: Sequence[Patch]) -> Iterator[tuple[Patch, np.ndarray]]:
    """Each with its sound `(n,)` mono at RATE; those that are silent, or that LMMS fails on, are
    left out."""
    for first in range(0, len(patches), _AT_ONCE):
        yield from _song(patches[first : first + _AT_ONCE])


def _song(patches: Sequence[Patch]) -> Iterator[tuple[Patch, np.ndarray]]:
    try:
        y = _render(_project(patches))
    except subprocess.CalledProcessError:
        # A few settings crash it: the others play without them.
        if len(patches) > 1:
            for patch in patches:
                yield from _song([patch])
        return
    slot = int(_SLOT_BARS * _BAR_SECONDS * RATE)
    for i, patch in enumerate(patches):
        sound = trimmed(y[i * slot : (i + 1) * slot])
        is_unsure = patch.name == "closed hat" and len(sound) > _SHORT_HAT * RATE
        if len(sound) > _SHORTEST and np.abs(sound).max() > 1e-3 and not is_unsure:
            yield patch, sound


def _project(patches: Sequence[Patch]) -> ET.Element:
    """One track a patch, playing one note when its turn comes."""
    project = ET.Element("lmms-project", version="1.0", type="song", creator="LMMS")
    head = {"bpm": str(_BPM), "timesig_numerator": "4", "timesig_denominator": "4"}
    ET.SubElement(project, "head", head, mastervol="100", masterpitch="0")
    tracks = ET.SubElement(ET.SubElement(project, "song"), "trackcontainer", type="song")
    for turn, patch in enumerate(patches):
        track = ET.SubElement(tracks, "track", type="0", name=patch.path.stem, muted="0")
        track.append(_instrument(patch.path))
        start = str(turn * _SLOT_BARS * _BAR)
        pattern = ET.SubElement(track, "pattern", type="1", muted="0", pos=start, steps="16")
        length = str(round(patch.beats * _BAR / 4))
        ET.SubElement(pattern, "note", pos="0", len=length, key=str(patch.key), vol="100")
    return project


def _instrument(path: Path) -> ET.Element:
    if path.suffix == ".xpf":
        return next(ET.parse(path).getroot().iter("instrumenttrack"))
    track = ET.Element("instrumenttrack", vol="100", pan="0", basenote="57", fxch="0")
    if path.suffix == ".ds":
        instrument = ET.SubElement(track, "instrument", name="audiofileprocessor")
        source = str(path.relative_to(DRUM_MACHINES.parent))
        ET.SubElement(instrument, "audiofileprocessor", src=source, eframe="1", amp="100")
        return track
    instrument = ET.SubElement(track, "instrument", name="zynaddsubfx")
    settings = ET.SubElement(
        ET.SubElement(instrument, "zynaddsubfx", filterfreq="64", fmgain="127"),
        "ZynAddSubFX-data",
        {"version-major": "2", "version-minor": "4"},
    )
    master = ET.SubElement(settings, "MASTER")
    ET.SubElement(master, "par", name="volume", value="80")
    part = ET.SubElement(master, "PART", id="0")
    ET.SubElement(part, "par_bool", name="enabled", value="yes")
    ET.SubElement(part, "par", name="volume", value="96")
    part.append(_zyn_instrument(path))
    return track


def _zyn_instrument(path: Path) -> ET.Element:
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8", "replace")
    instrument = ET.fromstring(text.lstrip()).find("INSTRUMENT")
    return ET.Element("INSTRUMENT") if instrument is None else instrument


def _render(project: ET.Element) -> np.ndarray:
    with TemporaryDirectory() as folder:
        song, wav = Path(folder) / "song.mmp", Path(folder) / "song.wav"
        ET.ElementTree(project).write(song)
        # It asks for a screen, and for a home to keep its settings in.
        room = {"QT_QPA_PLATFORM": "offscreen", "HOME": folder, "PATH": "/usr/bin"}
        command = ["lmms", "--allowroot", "render", song, "-o", wav, "-f", "wav", "-s", str(RATE)]
        subprocess.run(command, check=True, capture_output=True, env=room)
        y, _ = soundfile.read(wav, dtype="float32")
    return y.mean(axis=1)
