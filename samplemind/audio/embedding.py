"""One vector that says how a sound sounds, made so that its cosine has reasons.

The vector has four parts: timbre, envelope, pitch and rhythm. Each is of a fixed length, so the
cosine of two vectors is a weighted mean of the cosines of their parts (`reasons` takes it apart).
"""

import numpy as np

from samplemind.audio.descriptor import COLOUR
from samplemind.audio.features import Features
from samplemind.audio.hearing import Hearing
from samplemind.audio.onsets import ONSET_RATE
from samplemind.domain.analysis import SampleKind

WEIGHTS = {"timbre": 0.86, "envelope": 0.06, "pitch": 0.04, "rhythm": 0.04}
"""Shares of the cosine; sum 1."""

_HEARD, _TAKEN_FOR, _SPECTRUM = 4, 1, 1
"""Shares of the timbre: the network's vector, the names it gives, and the plain spectrum."""

_LAGS = np.geomspace(0.1, 2, 24)
"""Seconds after which a rhythm may repeat itself."""


def embedding(features: Features, kind: SampleKind, hearing: Hearing) -> tuple[float, ...]:
    """Unit vector of EMBEDDING_DIMENSIONS; the cosine of two is how alike they sound.

    Silence has one too.
    """
    standard = hearing.standard
    parts = {
        "timbre": np.concatenate(
            [
                _HEARD**0.5 * hearing.vector,
                (_TAKEN_FOR * hearing.shares) ** 0.5,
                _SPECTRUM**0.5 * _unit(standard[COLOUR]),
            ]
        ),
        "envelope": _unit(standard[COLOUR.stop :]),
        "pitch": _pitch(features),
        "rhythm": _rhythm(features, kind),
    }
    vector = np.concatenate([WEIGHTS[name] ** 0.5 * _unit(part) for name, part in parts.items()])
    return tuple(vector.tolist())


def _pitch(features: Features) -> np.ndarray:
    """`(13,)`: the pitch classes as far as the sound is tonal, and how far it is not."""
    tonal = features.tonal
    tonality = float(np.clip((tonal.peakiness - 0.15) / 0.3, 0, 1))
    return np.append(tonality * _unit(tonal.chroma.sum(axis=0)), (1 - tonality**2) ** 0.5)


def _rhythm(features: Features, kind: SampleKind) -> np.ndarray:
    """`(26,)`: how the onsets repeat themselves; that they do not; that it is a one-shot."""
    if kind is SampleKind.ONE_SHOT:
        return np.eye(1, 26, 25)[0]
    correlation = features.onsets.correlation
    known = np.interp(_LAGS * ONSET_RATE, np.arange(len(correlation)), correlation, right=0.0)
    known = np.maximum(known, 0)
    pulse = min(1.0, float(known.max()))
    return np.concatenate([pulse * _unit(known), [(1 - pulse**2) ** 0.5, 0.0]])


def _unit(vector: np.ndarray) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else np.eye(1, len(vector))[0]
