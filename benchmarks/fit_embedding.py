"""Fit samplemind/audio/model.npz: what standardises a descriptor, and what names a one-shot.

    fit_embedding.py            # reads Debian's sounds, renders notes with fluidsynth

    apt-get install sonic-pi-samples lmms-common hydrogen-drumkits fluidsynth fluid-soundfont-gm

The one-shots of the three packages are named by their file names. Instruments are sparse there, so
notes of the General MIDI programs are played and named by their family. Prints how many names are
right on collections left out.
"""

import re
import struct
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
from scipy.optimize import minimize

from samplemind.audio.analyze import listen
from samplemind.audio.embedding import descriptor
from samplemind.domain.errors import DomainError

SHARE = Path("/usr/share")
FOLDERS = ("sonic-pi/samples", "lmms/samples", "hydrogen/data/drumkits")
SOUNDFONT = SHARE / "sounds/sf2/FluidR3_GM.sf2"
MODEL = Path(__file__).parents[1] / "samplemind/audio/model.npz"
RATE = 44_100
SECONDS_A_NOTE = 2.0

# The first pattern that the lower-case file name matches names it.
NAMES = (
    ("loop", r"^loop_|break|beat|jungle|house_loop|_hihat0|rave_|techno_(bass|synth)|tb303|briff"),
    ("rim", r"rim|sidestick|side_stick|stick"),
    ("clap", r"clap|snap"),
    ("cowbell", r"cowbell"),
    ("shaker", r"shaker|maraca|cabasa|tambourine|tamb"),
    ("ride", r"ride"),
    ("crash", r"crash|splash|china|cymbal_(hard|soft)|elec_cymbal"),
    ("open hat", r"(hat|hh|hihat).*(open|op)|open.*(hat|hh)|cymbal_open|hatswish"),
    ("closed hat", r"hat|hh|cymbal_(closed|pedal)"),
    ("tom", r"tom"),
    ("kick", r"kick|bassdrum|^bd|_bd|drum_bass|kd_|kik"),
    ("snare", r"snare|^sn|^sd|_sd|_sn"),
    ("conga", r"conga|bongo"),
    ("bass", r"^bass|bass\d|_bass_"),
    ("pad", r"pad|string|choir|ambient|^ambi_|chorus|drone"),
    ("guitar", r"guit"),
)

FAMILIES = (
    ("keys", range(8)),
    ("bell", range(8, 16)),
    ("keys", range(16, 24)),
    ("guitar", range(24, 32)),
    ("bass", range(32, 40)),
    ("strings", range(40, 52)),
    ("pad", range(52, 55)),
    ("brass", range(56, 64)),
    ("lead", range(64, 80)),
    ("lead", range(80, 88)),
    ("pad", range(88, 96)),
)
BASS_NOTES = (28, 33, 38, 43)
NOTES = (45, 52, 60, 67, 74)


def packaged() -> list[tuple[str, str, Path]]:
    """(collection, name, path) of the one-shots that Debian packages."""
    found = []
    for folder in FOLDERS:
        for path in sorted((SHARE / folder).rglob("*")):
            stem = path.stem.lower()
            name = next((name for name, pattern in NAMES if re.search(pattern, stem)), None)
            if path.suffix in (".flac", ".wav", ".ogg") and name not in (None, "loop"):
                kit = path.parent.name if "hydrogen" in folder else folder
                found.append((kit, name, path))
    return found


def played() -> Iterator[tuple[str, str, np.ndarray]]:
    """(program, family, stereo samples) of single notes, rendered in one go."""
    notes = [
        (family, program, note)
        for family, programs in FAMILIES
        for program, note in product(programs, BASS_NOTES if family == "bass" else NOTES)
    ]
    # 480 ticks are half a second at MIDI's own tempo; a note is held for 1.25 seconds of its slot.
    track = b"".join(
        bytes([0, 0xC0, program, 0, 0x90, note, 100])
        + bytes([0x89, 0x30, 0x80, note, 0, 0x85, 0x50, 0xB0, 120, 0])
        for _, program, note in notes
    )
    track += b"\x00\xff\x2f\x00"
    midi = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track))
    with TemporaryDirectory() as folder:
        (Path(folder) / "notes.mid").write_bytes(midi + track)
        command = ["fluidsynth", "-niq", "-R", "0", "-r", str(RATE), "-F", "notes.wav", SOUNDFONT]
        subprocess.run([*command, "notes.mid"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        y, _ = soundfile.read(Path(folder) / "notes.wav", dtype="float32")
    slot = int(SECONDS_A_NOTE * RATE)
    for i, (family, program, _) in enumerate(notes):
        yield f"program {program}", family, y[i * slot : (i + 1) * slot]


def collect() -> tuple[list[str], list[str], np.ndarray]:
    groups, names, rows = [], [], []

    def add(group: str, name: str, path: Path) -> None:
        try:
            features = listen(path, with_loudness=False).features
        except DomainError:  # lmms has a file in a codec that nothing reads any more
            return
        if not features.is_silent and features.seconds < 20:
            groups.append(group)
            names.append(name)
            rows.append(descriptor(features))

    for group, name, path in packaged():
        add(group, name, path)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "note.wav"
        for group, name, y in played():
            soundfile.write(path, y, RATE)
            add(group, name, path)
    return groups, names, np.array(rows)


def fit(
    x: np.ndarray, y: np.ndarray, classes: int, penalty: float = 15.0
) -> tuple[np.ndarray, np.ndarray]:
    """Multinomial logistic regression of `y: (n,)` on `x: (n, d)`, with a quadratic penalty.

    Returns weights `(classes, d)` and biases `(classes,)`.
    """
    n, d = x.shape
    truth = np.eye(classes)[y]
    # Rare classes count more, by the root of how rare they are.
    count = (n / classes / np.maximum(truth.sum(axis=0), 1)) ** 0.5 @ truth.T

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = flat[:-classes].reshape(classes, d), flat[-classes:]
        logits = x @ weights.T + bias
        logits -= logits.max(axis=1, keepdims=True)
        share = np.exp(logits)
        share /= share.sum(axis=1, keepdims=True)
        error = (share - truth) * count[:, None]
        total = -(count * np.log(share[np.arange(n), y] + 1e-12)).sum()
        total += penalty / 2 * np.square(weights).sum()
        gradient = np.append((error.T @ x + penalty * weights).ravel(), error.sum(axis=0))
        return total, gradient

    flat = minimize(loss, np.zeros(classes * (d + 1)), jac=True, method="L-BFGS-B").x
    return flat[:-classes].reshape(classes, d), flat[-classes:]


def main() -> None:
    groups, names, raw = collect()
    labels = sorted(set(names))
    y = np.array([labels.index(name) for name in names])
    mean, scale = raw.mean(axis=0), np.maximum(raw.std(axis=0), 1e-6)
    x = np.clip((raw - mean) / scale, -4, 4)
    order = {group: i for i, group in enumerate(dict.fromkeys(groups))}
    fold = np.array([order[group] % 6 for group in groups])
    right = np.zeros(len(y), bool)
    for left_out in range(6):
        weights, bias = fit(x[fold != left_out], y[fold != left_out], len(labels))
        right[fold == left_out] = (
            np.argmax(x[fold == left_out] @ weights.T + bias, axis=1) == y[fold == left_out]
        )
    for i, label in enumerate(labels):
        print(f"{label:12s} {np.sum(y == i):4d} {right[y == i].mean():.2f}")
    print(f"{'all':12s} {len(y):4d} {right.mean():.2f}")
    weights, bias = fit(x, y, len(labels))
    tables = {"mean": mean, "scale": scale, "weights": weights, "bias": bias}
    tables = {name: table.astype(np.float32) for name, table in tables.items()}
    np.savez_compressed(MODEL, names=np.array(labels), **tables)


if __name__ == "__main__":
    main()
