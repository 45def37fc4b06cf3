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
    ("hat_open", r"(hat|hh|hihat).*(open|op)|open.*(hat|hh)|cymbal_open|hatswish"),
    ("hat_closed", r"hat|hh|cymbal_(closed|pedal)"),
    ("tom", r"tom"),
    ("kick", r"kick|bassdrum|^bd|_bd|drum_bass|kd_|kik"),
    ("snare", r"snare|^sn|^sd|_sd|_sn"),
    ("conga", r"conga|bongo"),
    ("percussion", r"^perc_|^tabla|^elec_(wood|tick|pop|blip|ping)|woodblock|claves|triangle"),
    ("bass", r"^bass|bass\d|_bass_"),
    ("pad", r"pad|string|choir|ambient|^ambi_|chorus|drone"),
    ("guitar", r"guit"),
)

FAMILIES = (
    ("keys", range(8)),
    ("bell", range(8, 16)),
    ("organ", range(16, 24)),
    ("guitar", range(24, 32)),
    ("bass", range(32, 40)),
    ("strings", range(40, 52)),
    ("vocal", range(52, 55)),
    ("brass", range(56, 64)),
    ("woodwind", range(64, 80)),
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


def note_file(program: int, note: int, folder: Path) -> Path:
    """One rendered note, held for 1.2 seconds."""
    held = struct.pack(">BBB", 0xC0, program, 0)[:2]
    track = b"\x00" + held + b"\x00" + bytes([0x90, note, 100])
    track += b"\x89\x30" + bytes([0x80, note, 0]) + b"\x86\x20" + b"\xff\x2f\x00"
    midi = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(track))
    (folder / "note.mid").write_bytes(midi + track)
    path = folder / "note.wav"
    subprocess.run(
        ["fluidsynth", "-niq", "-r", "44100", "-F", path, SOUNDFONT, folder / "note.mid"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    y, rate = soundfile.read(path)
    soundfile.write(path, y[: int(SECONDS_A_NOTE * rate)], rate)
    return path


def collect() -> tuple[list[str], list[str], np.ndarray]:
    groups, names, rows = [], [], []
    for group, name, path in packaged():
        try:
            features, _ = listen(path, with_loudness=False)
        except DomainError:  # lmms has a file in a codec that nothing reads any more
            continue
        if not features.is_silent and features.seconds < 20:
            groups.append(group)
            names.append(name)
            rows.append(descriptor(features))
    with TemporaryDirectory() as folder:
        for name, programs in FAMILIES:
            notes = BASS_NOTES if name == "bass" else NOTES
            for program, note in product(programs, notes):
                features, _ = listen(note_file(program, note, Path(folder)), with_loudness=False)
                if not features.is_silent:
                    groups.append(f"program {program}")
                    names.append(name)
                    rows.append(descriptor(features))
    return groups, names, np.array(rows)


def fit(
    x: np.ndarray, y: np.ndarray, classes: int, penalty: float = 3.0
) -> tuple[np.ndarray, np.ndarray]:
    """Multinomial logistic regression of `y: (n,)` on `x: (n, d)`, with a quadratic penalty.

    Returns weights `(classes, d)` and biases `(classes,)`.
    """
    n, d = x.shape
    truth = np.eye(classes)[y]
    # Rare classes count more, by the root of how rare they are.
    count = (n / classes / truth.sum(axis=0)) ** 0.5 @ truth.T

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
