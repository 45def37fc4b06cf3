"""Key: the scale that the pitch classes of a sound fit best."""

from dataclasses import replace

import numpy as np

from samplemind.audio.features import ENVELOPE_HOP, Features
from samplemind.audio.spectrum import SAMPLE_RATE
from samplemind.audio.tonal import Tonal
from samplemind.domain.analysis import TONICS, Mode, MusicalKey, SampleKind

# Albrecht and Shanahan, "The use of large corpora to train a new type of key-finding algorithm",
# Music Perception 31 (2013).
_MAJOR = (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081)
_MINOR = (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052)

_TONAL = 0.3
"""Peakiness below which the spectrum is that of drums or noise."""

_BASS_HIGHEST = 50.0
"""MIDI note."""

_BASS = 0.2
_MINOR_LEAD = 0.05
"""Of electronic loops the larger part is in minor (Faraldo et al., "Key estimation in electronic
dance music", ECIR 2016)."""

_SHORTEST_NOTE = 0.25
"""Seconds within 20 dB of the peak, below which a one-shot is a blow and no note."""

_HELD = 0.4
"""Share of the length."""

_SOUNDING = 0.35
"""Share of the strongest pitch class from which another counts as a note of its own."""


def musical_key(features: Features, kind: SampleKind) -> MusicalKey | None:
    """None where nothing is tonal: drums, noise, and what is too short to be a note.

    One note, with its harmonics, is in many keys. A bass line or a pad of a sample library is named
    after its lowest note all the same, and is in minor more often than not: it gets that key, with
    little confidence.
    """
    if features.is_silent or features.tonal.peakiness < _TONAL:
        return None
    profile = pitch_class_profile(features.tonal.chroma)
    notes = np.count_nonzero(profile > _SOUNDING * profile.max())
    sustained = _sustained_seconds(features)
    if kind is SampleKind.ONE_SHOT and sustained < _SHORTEST_NOTE:
        return None
    # Kicks and toms have a pitch too: a note or two alone have to be held, as a bass is.
    if notes < 3 and sustained < _HELD * features.seconds:
        return None
    evidence = key_fits(profile)
    if kind is not SampleKind.TRACK:
        # Few notes fit many keys; what is known of such sounds has to decide.
        evidence += _BASS * np.tile(bass_profile(features.tonal), 2)
        evidence[12:] += _MINOR_LEAD
    found = best_key(evidence)
    return found if notes > 2 else replace(found, confidence=min(found.confidence, 0.3))


def pitch_class_profile(chroma: np.ndarray) -> np.ndarray:
    """`(12,)` from `(frames, 12)`: every frame counts, loud ones more."""
    energy = chroma.sum(axis=1, keepdims=True)
    return (chroma / np.maximum(np.sqrt(energy), 1e-10)).sum(axis=0)


def bass_profile(tonal: Tonal) -> np.ndarray:
    """`(12,)`, sum 1 (or 0): what sounds below _BASS_HIGHEST, by pitch class."""
    low = tonal.pitch < _BASS_HIGHEST
    classes = np.round(tonal.pitch[low] - tonal.tuning).astype(np.int64) % 12
    profile = np.bincount(classes, tonal.magnitude[low], 12)
    return profile / max(float(profile.sum()), 1e-10)


def best_key(evidence: np.ndarray) -> MusicalKey:
    """The best of 24 keys by `evidence: (24,)`; the confidence grows with the lead over the second
    best."""
    best = int(np.argmax(evidence))
    lead = evidence[best] - float(np.max(np.delete(evidence, best)))
    tonic, mode = best % 12, Mode.MAJOR if best < 12 else Mode.MINOR
    confidence = float(np.clip(evidence[best] * (0.5 + 4 * lead), 0, 1))
    return MusicalKey(TONICS[tonic], mode, confidence)


def _sustained_seconds(features: Features) -> float:
    """How long the envelope stays within 20 dB of its peak."""
    loud = features.envelope > 0.1 * features.envelope.max()
    return float(np.count_nonzero(loud)) * ENVELOPE_HOP / SAMPLE_RATE


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
