"""What a small network hears: a vector in which sounds of one sort lie together, and the sort.

The network and all that belongs to it are one file, sounds.onnx, made by benchmarks/fit_sounds.py;
its metadata say what it was trained on, and under which licences.
"""

import importlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from samplemind.audio.descriptor import descriptor
from samplemind.audio.features import Features
from samplemind.audio.spectrum import mel_filters, power_blocks

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

FRAME, HOP, FRAMES, MELS = 2_048, 512, 100, 64
WINDOW = FRAMES * HOP
"""Samples that the network hears at once: 2.3 s."""

ATTACK_FRAME, ATTACK_HOP, ATTACK_FRAMES, ATTACK_MELS = 512, 128, 64, 32
"""How it begins is heard more finely, for 0.4 s: claps and snares differ in hundredths."""

_MOST_WINDOWS = 4
_LEAD = 128
_QUIET = 1e-3
_RANGE = 80.0
"""dB below the loudest value of a window, which become 0..1."""


class Hearing(NamedTuple):
    """`vector: (96,)` of length 1; `shares: (names,)`, sum 1, one for each of `names()`;
    `standard: (122,)` the descriptor with each dimension at mean 0 and deviation 1 over the sounds
    of the training, within -4..4."""

    vector: np.ndarray
    shares: np.ndarray
    standard: np.ndarray


def hear(features: Features) -> Hearing:
    """The network's answer for up to four windows of the sound, as one."""
    asked = {
        "mel": mel_windows(features.y),
        "attack": mel_attack(features.y)[None],
        "descriptor": descriptor(features),
    }
    return Hearing(*map(np.asarray, _session().run(None, asked)))


def names() -> tuple[str, ...]:
    """What the shares are of."""
    metadata = _session().get_modelmeta().custom_metadata_map
    return tuple(metadata["names"].split(","))


def mel_windows(y: np.ndarray) -> np.ndarray:
    """`(windows, MELS, FRAMES)` float32, 0..1, of `y: (n,)` float32 at SAMPLE_RATE.

    A sound of up to three seconds is one window; longer ones have one at each end, or four spread
    evenly. Short sounds are followed by silence.
    """
    y = y[max(0, _beginning(y) - _LEAD) :]
    last = len(y) - WINDOW
    count = 1 if last < 0.3 * WINDOW else 2 if last < 2 * WINDOW else _MOST_WINDOWS
    starts = np.linspace(0, max(last, 0), count).astype(int) if count > 1 else np.zeros(1, int)
    pieces = (y[start : start + WINDOW] for start in starts)
    return np.stack([_level(piece, FRAME, HOP, FRAMES, MELS) for piece in pieces])


def mel_attack(y: np.ndarray) -> np.ndarray:
    """`(ATTACK_MELS, ATTACK_FRAMES)` float32, 0..1: the beginning of `y`, in the like manner."""
    start = max(0, _beginning(y) - _LEAD)
    piece = y[start : start + ATTACK_FRAMES * ATTACK_HOP]
    return _level(piece, ATTACK_FRAME, ATTACK_HOP, ATTACK_FRAMES, ATTACK_MELS)


def _beginning(y: np.ndarray) -> int:
    """Index of the first sample that is not quiet; 0 where all are."""
    limit = _QUIET * max(float(y.max()), -float(y.min()))
    # Piece by piece: an hour of sound has eighty million samples.
    for start in range(0, len(y), WINDOW):
        is_loud = np.abs(y[start : start + WINDOW]) > limit
        if is_loud.any():
            return start + int(np.argmax(is_loud))
    return 0


def _level(piece: np.ndarray, frame: int, hop: int, frames: int, mels: int) -> np.ndarray:
    """`(mels, frames)` float32: dB below the loudest value, as 0..1."""
    # What follows a short sound is silence: it need not be transformed.
    mel = np.concatenate(
        [power @ mel_filters(frame, mels) for power in power_blocks(piece, frame, hop)]
    )[:frames]
    decibels = 10 * np.log10(np.maximum(mel, 1e-10 * max(float(mel.max()), 1e-10)))
    level = np.maximum(decibels - decibels.max(), -_RANGE) / _RANGE + 1
    return np.pad(level, ((0, frames - len(level)), (0, 0))).T.astype(np.float32)


@cache
def _session() -> "InferenceSession":
    # Its import costs a fifth of a second, which a BASIC analysis need not pay.
    onnxruntime = importlib.import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    # One thread: a worker process has one core.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    model = files("samplemind.audio").joinpath("sounds.onnx").read_bytes()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
