"""What a sound's notes say of its key, seen from each of the twelve tonics."""

import numpy as np

from samplemind.audio.spectrum import SAMPLE_RATE, TINY
from samplemind.audio.tonal import HOP, Tonal, share

# Albrecht and Shanahan, "The use of large corpora to train a new type of key-finding algorithm",
# Music Perception 31 (2013).
_MAJOR = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
_MINOR = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)

_STRONG = 0.1
"""Of the strongest peak of a frame: from here on a peak can be its lowest note."""

_LOWEST_SHARE = 15
"""Percentile of the frames' lowest notes: those around it are the lowest of all."""

_SAME_NOTE, _MIDDLE = 0.7, 50
"""Semitones; a MIDI note between basses and the rest."""

_BEGINNING = 5
"""Frames at most; a sixth of the sound if that is less."""

_SOUNDING = 0.35
"""Share of the strongest pitch class from which another counts as a note of its own."""

FITS = slice(72, 74)
"""Of the facts: how the profile fits the major and the minor scale."""


def facts(tonal: Tonal) -> np.ndarray:
    """`(12, 78)` float64 for sounds with any peak: a row a tonic, from C.

    Six views of the pitch classes above the tonic (roots of the shares: the whole profile, the
    lowest note of each frame, the very first, the lowest of all, the beginning, the most that each
    ever has), how the profile fits the scales, and four that are the same for all: octaves of the
    length, number of notes, entropy, height of the lowest notes.
    """
    # Peaks come in the order of their frames; those without any say nothing.
    sounding, first = np.unique(tonal.frame, return_index=True)
    strongest = np.maximum.reduceat(tonal.magnitude, first)
    loudness = np.sqrt(strongest / strongest.max())
    count = np.diff(first, append=len(tonal.frame))
    is_strong = tonal.magnitude > _STRONG * np.repeat(strongest, count)
    low = np.minimum.reduceat(np.where(is_strong, tonal.pitch, np.inf), first)
    class_of_low = np.round(low - tonal.tuning).astype(np.int64) % 12
    deep = low < np.percentile(low, _LOWEST_SHARE) + _SAME_NOTE
    chroma = tonal.chroma[sounding]
    frames = chroma * (loudness / np.maximum(chroma.max(axis=1), TINY))[:, None]
    beginning = max(2, min(tonal.frames // 6 + 1, _BEGINNING))
    views = [
        tonal.profile,
        share(np.bincount(class_of_low, loudness, 12)),
        0.5 * np.bincount(class_of_low[:2], minlength=12),
        share(np.bincount(class_of_low[deep], loudness[deep], 12)),
        share(frames[:beginning].sum(axis=0)),
        frames.max(axis=0),
    ]
    profile = tonal.profile
    same = [
        np.log2(max(tonal.frames * HOP / SAMPLE_RATE, 0.2)),
        np.count_nonzero(profile > _SOUNDING * profile.max()),
        -np.sum(profile * np.log(profile + 1e-9)),
        (share(loudness) @ low - _MIDDLE) / 12,
    ]
    turned = [np.roll(np.sqrt(views), -tonic, axis=1).ravel() for tonic in range(12)]
    fits = key_fits(profile).reshape(2, 12).T
    return np.concatenate([turned, fits, np.tile(same, (12, 1))], axis=1)


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
