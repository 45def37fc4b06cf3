"""Key: the scale that the pitch classes of a sound fit best."""

import numpy as np

from samplemind.audio.features import Features
from samplemind.domain.analysis import TONICS, Mode, MusicalKey, SampleKind

# Albrecht and Shanahan, "The use of large corpora to train a new type of key-finding algorithm",
# Music Perception 31 (2013).
_MAJOR = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
_MINOR = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)

_TONAL = 0.3
"""Peakiness below which the spectrum is that of drums or noise."""

_SOUNDING = 0.35
"""Share of the strongest pitch class from which another counts as a note of its own."""


def musical_key(features: Features, kind: SampleKind) -> MusicalKey | None:
    """None where nothing is tonal (drums, noise) or too few notes sound to tell a key.

    One note, with its harmonics, is in many keys: a loop has to have two, a one-shot a chord.
    """
    if features.is_silent or features.tonal.peakiness < _TONAL:
        return None
    profile = pitch_class_profile(features.tonal.chroma)
    notes = np.count_nonzero(profile > _SOUNDING * profile.max())
    is_one_shot = kind is SampleKind.ONE_SHOT
    if notes < (3 if is_one_shot else 2):
        return None
    return key_of_profile(profile, least_fit=0.8 if is_one_shot else 0.75)


def pitch_class_profile(chroma: np.ndarray) -> np.ndarray:
    """`(12,)` from `(frames, 12)`: every frame counts, loud ones more."""
    energy = chroma.sum(axis=1, keepdims=True)
    return (chroma / np.maximum(np.sqrt(energy), 1e-10)).sum(axis=0)


def key_of_profile(profile: np.ndarray, least_fit: float) -> MusicalKey | None:
    """The best of 24 keys for a pitch-class profile `(12,)`, if its correlation is high enough.

    The confidence grows with the lead over the second best.
    """
    fits = key_fits(profile)
    best = int(np.argmax(fits))
    if fits[best] < least_fit:
        return None
    runner_up = float(np.max(np.delete(fits, best)))
    tonic, mode = best % 12, Mode.MAJOR if best < 12 else Mode.MINOR
    confidence = float(np.clip(fits[best] * (0.5 + 4 * (fits[best] - runner_up)), 0, 1))
    return MusicalKey(TONICS[tonic], mode, confidence)


def key_fits(profile: np.ndarray) -> np.ndarray:
    """Correlation `(24,)` with the twelve major, then the twelve minor keys from C."""
    centred = profile - profile.mean()
    fits = [
        np.dot(centred, np.roll(reference, tonic))
        / max(float(np.linalg.norm(centred) * np.linalg.norm(reference)), 1e-12)
        for reference in (np.array(p) - np.mean(p) for p in (_MAJOR, _MINOR))
        for tonic in range(12)
    ]
    return np.array(fits)
