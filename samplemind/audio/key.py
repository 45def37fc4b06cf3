"""Key: the tonic and mode that the notes of a sound speak for."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

from samplemind.audio.claims import NO_CLAIMS, Claims
from samplemind.audio.features import ENVELOPE_HOP, Features
from samplemind.audio.key_facts import FITS, facts
from samplemind.audio.spectrum import SAMPLE_RATE
from samplemind.domain.analysis import TONICS, Mode, MusicalKey, SampleKind

_TONAL = 0.25
"""Peakiness below which the spectrum is that of drums or noise."""

_ENTROPY, _AGREEMENT = 2.1, 0.35
"""Nats of the pitch class profile (2.48 is a flat one) above which the peaks have to agree on a
tuning: those of cymbals and of drum loops are many, and lie anywhere."""

_DEEP, _CLEAR = 68.0, 0.4
"""A bass that slides agrees on nothing either: its peaks lie below this MIDI note on average, and
are clearer (peakiness) than those of a drum loop."""

_KICK, _HELD = 48.0, 0.2
"""MIDI note below which the peaks of a loop lie on average, by power, if all that rings in it are
kicks; then it is loud (within 20 dB of the peak) for less of its length than a bass line."""

_CYMBAL, _CYMBAL_AGREEMENT = 74.0, 0.4
"""MIDI note above which a one-shot's peaks lie on average, if it is one; they agree on little."""

_FEW, _MANY = 6, 8
"""Partials a frame. Kicks and toms have a pitch too, of few partials; a plucked bass has many."""

_PLUCKED_AGREEMENT = 0.5

_LONGEST_BLOW, _SHORTEST_NOTE = 0.7, 0.25
"""Seconds within 20 dB of the peak: what has few partials has to last longer to be a note."""

_SCALE_FROM, _SCALE_UNTIL = 6.0, 60.0
_SCALE_A_SECOND = 1.2
"""Seconds between which the fit with the scale counts more and more beside the network: a tune says
by its scale what a riff can only say by its root."""

_ROOT_ODDS, _MODE_ODDS = 5.0, 2.0
"""How many times likelier a tonic is that the file claims, and its mode: not so many that a wrong
one is believed against what is plainly heard."""

# What the network takes for a neighbour is half right: the weights of MIREX's score.
_FIFTH, _RELATIVE, _PARALLEL = 0.5, 0.3, 0.2


class Model(NamedTuple):
    """Constants fitted by benchmarks/fit_key.py: one hidden layer beside a linear part.

    For each tonic it sees the same facts, turned: `hidden: (facts, units)`, `bias: (units,)`,
    `out: (units, 2)`, `linear: (facts, 2)`, `offset: (2,)`; the columns are major and minor.
    `sharpness` scales utilities so that shares are what they promise on sounds left out.
    """

    hidden: np.ndarray
    bias: np.ndarray
    out: np.ndarray
    linear: np.ndarray
    offset: np.ndarray
    sharpness: float

    def utility(self, seen: np.ndarray) -> np.ndarray:
        """`(..., 24)` of the twelve major, then the twelve minor keys, for facts `(..., 12, n)`."""
        active = np.tanh(seen @ self.hidden + self.bias)
        modes = active @ self.out + seen @ self.linear + self.offset
        return np.swapaxes(modes, -1, -2).reshape(*modes.shape[:-2], 24)


@cache
def model() -> Model:
    with files("samplemind.audio").joinpath("key.npz").open("rb") as file, np.load(file) as data:
        tables = {name: data[name] for name in Model._fields}
    return Model(**{**tables, "sharpness": float(tables["sharpness"])})


def musical_key(
    features: Features, kind: SampleKind, claims: Claims = NO_CLAIMS
) -> MusicalKey | None:
    """None where nothing is tonal: drums, noise, and what is too short to be a note.

    A loop has few notes, which fit many keys; which of them is the root, a small network tells from
    what sounds lowest, first, longest and strongest. The longer the sound, the more the fit of its
    profile with the scales decides. A root that the file claims is one more piece of evidence. The
    confidence is the share of the answer.
    """
    if features.is_silent or not is_tonal(features, kind):
        return None
    share = shares(model(), facts(features.tonal), features.seconds) * claimed(claims)
    share /= share.sum()
    best = int(np.argmax(worth(share)))
    mode = Mode.MAJOR if best < 12 else Mode.MINOR
    return MusicalKey(TONICS[best % 12], mode, confidence=float(share[best]))


def is_tonal(features: Features, kind: SampleKind) -> bool:
    """False for drums and noise, also those that ring."""
    tonal = features.tonal
    if tonal.peakiness < _TONAL or not len(tonal.pitch):
        return False
    height = float(np.average(tonal.pitch, weights=tonal.magnitude))
    entropy = -float(np.sum(tonal.profile * np.log(tonal.profile + 1e-9)))
    slides = height < _DEEP and tonal.peakiness > _CLEAR
    if entropy > _ENTROPY and tonal.agreement < _AGREEMENT and not slides:
        return False
    sustained = _sustained_seconds(features)
    if kind is not SampleKind.ONE_SHOT:
        # Kicks that ring at one pitch, and silence between them.
        # By power, since what the hats and the noise of the snare have of peaks is faint.
        centre = float(np.average(tonal.pitch, weights=np.square(tonal.magnitude)))
        return centre > _KICK or sustained > _HELD * features.seconds
    if height > _CYMBAL and tonal.agreement < _CYMBAL_AGREEMENT:
        return False
    partials = len(tonal.pitch) / tonal.frames
    if partials < _FEW:
        return sustained > _LONGEST_BLOW
    is_plucked = partials > _MANY and tonal.agreement > _PLUCKED_AGREEMENT
    return is_plucked or sustained > _SHORTEST_NOTE


def shares(model: Model, seen: np.ndarray, seconds: float) -> np.ndarray:
    """`(24,)`, sum 1: how likely each key is by the facts `seen: (12, n)`."""
    weight = _SCALE_A_SECOND * (np.clip(seconds, _SCALE_FROM, _SCALE_UNTIL) - _SCALE_FROM)
    utility = model.sharpness * (model.utility(seen) + weight * scale_fits(seen))
    share = np.exp(utility - utility.max())
    return share / share.sum()


def claimed(claims: Claims) -> np.ndarray:
    """`(24,)`: how many times likelier each key is for what the file claims."""
    odds = np.ones((2, 12))
    if claims.root is not None:
        odds[:, claims.root] *= _ROOT_ODDS
        if claims.mode is not None:
            odds[int(claims.mode is Mode.MINOR), claims.root] *= _MODE_ODDS
    return odds.ravel()


def scale_fits(seen: np.ndarray) -> np.ndarray:
    """`(24,)`: the part of the facts that tells how the profile fits the keys."""
    return seen[:, FITS].T.ravel()


def worth(share: np.ndarray) -> np.ndarray:
    """`(24,)`: what each answer is worth on average, when key i is true with `share[i]`.

    An answer a fifth above the truth, its relative or its parallel is not quite wrong: it mixes.
    """
    major, minor = share[:12], share[12:]
    return np.concatenate(
        [
            major + _FIFTH * np.roll(major, 7) + _RELATIVE * np.roll(minor, 3) + _PARALLEL * minor,
            minor + _FIFTH * np.roll(minor, 7) + _RELATIVE * np.roll(major, -3) + _PARALLEL * major,
        ]
    )


def _sustained_seconds(features: Features) -> float:
    """How long the envelope stays within 20 dB of its peak."""
    loud = features.envelope > 0.1 * features.envelope.max()
    return float(np.count_nonzero(loud)) * ENVELOPE_HOP / SAMPLE_RATE
