"""How a sound is, in words, by rules that docs/analysis.md lists."""

import numpy as np

from samplemind.audio.features import ENVELOPE_HOP, Features
from samplemind.audio.spectrum import SAMPLE_RATE, mel_hertz
from samplemind.domain.analysis import Label

_LEAST = 0.3
"""Strength from which a word is said."""

_SCALE = 0.03
"""Scores of words are strengths times this: what a sound is comes before how it is."""

_SILENT = 10 ** (-50 / 20)
"""Of the peak."""


def description(features: Features) -> list[Label]:
    """Words whose rule holds clearly enough, strongest first; none for silence."""
    if features.is_silent:
        return []
    strengths = {**by_spectrum(features), **by_envelope(features)}
    said = [Label(word, _SCALE * min(1.0, by)) for word, by in strengths.items() if by >= _LEAST]
    return sorted(said, key=lambda label: -label.score)


def tonality(features: Features) -> float:
    """0 for drums and noise, 1 for notes, by how much of the spectrum stands in clear peaks."""
    return float(np.clip((features.tonal.peakiness - 0.15) / 0.3, 0, 1))


def by_spectrum(features: Features) -> dict[str, float]:
    """Strengths: 1 is two octaves above (bright) or below (dark) 1.5 kHz, all peaks (tonal), a
    flatness of 0.2 without peaks (noisy), notes with 80 % of their power from 100 to 600 Hz (warm).
    """
    timbre = features.timbre
    weight = timbre.power / timbre.power.sum()
    octaves = float(np.log2(max(float(weight @ timbre.centroid), 1.0) / 1_500))
    notes = tonality(features)
    mel = timbre.mel.sum(axis=0)
    hertz = mel_hertz(len(mel))[1:-1]
    low = float(mel[(hertz > 100) & (hertz < 600)].sum() / mel.sum())
    return {
        "bright": octaves / 2,
        "dark": -octaves / 2,
        "tonal": notes,
        "noisy": float(5 * weight @ timbre.flatness) * (1 - notes),
        "warm": notes * (low - 0.4) / 0.4,
    }


def by_envelope(features: Features) -> dict[str, float]:
    """Strengths: 1 is 75 ms (short) or 8 s (long) within 20 and 40 dB of the peak; a fall by 24 dB
    in the 100 ms after an attack of less than 15 ms (punchy); a late decay by 60 dB in 0.14 s (dry)
    or 2.8 s (wet), if it is slower than the early one: then it is the room's, not the sound's.
    """
    envelope = features.envelope
    peak = int(np.argmax(envelope))
    rate = SAMPLE_RATE / ENVELOPE_HOP
    above = np.flatnonzero(envelope > 0.1 * envelope[peak])
    audible = np.count_nonzero(envelope > 0.01 * envelope[peak]) / rate
    attack = (peak - above[0]) / rate
    # The level that is not reached again.
    falling = np.maximum.accumulate(envelope[peak:][::-1])[::-1] / envelope[peak]
    later = falling[min(round(0.1 * rate), len(falling) - 1)]
    strengths = {
        "short": float(np.log2(0.15 * rate / len(above))),
        "long": float(np.log2(audible / 2)) / 2,
        "punchy": float(-20 * np.log10(max(later, 1e-6)) / 24) if attack < 0.015 else 0.0,
    }
    if falling[-1] > _SILENT:
        return strengths
    early = np.argmax(falling <= 0.1) / rate
    late = np.argmax(falling <= _SILENT) / rate - early
    reverberation = 2 * max(late, 1 / rate)
    strengths["dry"] = float(np.log2(0.4 / reverberation)) / 1.5
    strengths["wet"] = float(np.log2(reverberation)) / 1.5 if late > 2 * early else 0.0
    return strengths
