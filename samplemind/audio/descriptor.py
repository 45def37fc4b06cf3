"""A sound in plain numbers, by aspect: its colour, and its course."""

import numpy as np

from samplemind.audio.features import ENVELOPE_HOP, Features
from samplemind.audio.spectrum import SAMPLE_RATE

_MOMENTS = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28)
"""Seconds after the loudest moment at which the decay is read."""

_MODULATION_EDGES = (0.5, 1, 2, 4, 8, 16, 32)
"""Hz."""

COLOUR = slice(0, 98)
"""What of a descriptor tells of the spectrum; the rest tells of the envelope."""


def descriptor(features: Features) -> np.ndarray:
    """`(122,)` float32, finite; every part has a scale of its own."""
    parts = (_spectrum(features), _movement(features), _envelope(features), _modulation(features))
    return np.concatenate(parts).astype(np.float32)


def _spectrum(features: Features) -> np.ndarray:
    """Which frequencies sound: over the whole, and in the first 100 ms after the loudest onset."""
    timbre = features.timbre
    active = timbre.active
    mean = timbre.mel[active].mean(axis=0).reshape(32, -1).mean(axis=1)
    peak = int(np.argmax(timbre.power))
    attack = timbre.mel[peak : peak + 4].mean(axis=0).reshape(16, -1).mean(axis=1)
    shape = np.concatenate(
        [
            [np.log(timbre.centroid[active].mean() + 20)],
            [np.log(timbre.bandwidth[active].mean() + 20)],
            [np.log(timbre.rolloff[active].mean() + 20)],
            [np.log(timbre.flatness[active].mean() + 1e-6)],
            [features.zero_crossing_rate**0.5, features.tonal.peakiness],
        ]
    )
    return np.concatenate([_decibels(mean), _decibels(attack), features.contrast, shape])


def _movement(features: Features) -> np.ndarray:
    """The cepstrum's mean, and how much it and the spectrum's shape change."""
    timbre = features.timbre
    active = timbre.active
    mfcc = timbre.mfcc[active]
    step = np.abs(np.diff(mfcc, axis=0)).mean(axis=0) if len(mfcc) > 1 else np.zeros(20)
    return np.concatenate(
        [
            mfcc.mean(axis=0)[1:14],
            mfcc.std(axis=0)[:13],
            step[:8],
            [
                np.log(timbre.centroid[active] + 20).std(),
                np.log(timbre.bandwidth[active] + 20).std(),
                np.log(timbre.flatness[active] + 1e-6).std(),
            ],
        ]
    )


def _envelope(features: Features) -> np.ndarray:
    envelope = features.envelope
    peak = int(np.argmax(envelope))
    seconds = ENVELOPE_HOP / SAMPLE_RATE
    power = np.square(envelope)
    total = max(float(power.sum()), 1e-12)
    above = np.flatnonzero(envelope > 0.1 * envelope[peak])
    first, last = (above[0], above[-1]) if len(above) else (0, 0)
    centroid = float(np.arange(len(power)) @ power) / total
    smooth = np.maximum.accumulate(envelope[peak:][::-1])[::-1]
    at = np.minimum((np.array(_MOMENTS) / seconds).astype(int), len(smooth))
    decay = np.append(smooth, 0.0)[at]
    return np.concatenate(
        [
            np.log(
                [
                    (peak - first) * seconds + 0.003,
                    (last - peak) * seconds + 0.003,
                    (last - first) * seconds + 0.003,
                    centroid * seconds + 0.003,
                    features.seconds + 0.01,
                ]
            ),
            [
                centroid / max(len(power), 1),
                float(np.log(max(envelope[peak], 1e-6) / np.sqrt(total / len(power) + 1e-12))),
                np.log1p(len(features.onsets.frames)),
                len(features.onsets.frames) / max(features.seconds, 0.25),
            ],
            20 * np.log10(np.maximum(decay / max(float(envelope[peak]), 1e-6), 1e-3)),
        ]
    )


def _modulation(features: Features) -> np.ndarray:
    """Share of the envelope's movement in octaves from 0.5 to 32 Hz (log)."""
    size = max(len(features.envelope), int(4 * SAMPLE_RATE / ENVELOPE_HOP))
    spectrum = np.square(np.abs(np.fft.rfft(features.envelope, size)))
    rates = np.fft.rfftfreq(size, ENVELOPE_HOP / SAMPLE_RATE)
    edges = np.searchsorted(rates, _MODULATION_EDGES)
    bands = np.add.reduceat(spectrum, edges)[:-1]
    return np.log10(bands / max(float(spectrum[0]), 1e-12) + 1e-6)


def _decibels(power: np.ndarray) -> np.ndarray:
    """Relative to the mean in dB, floored at 60 below the loudest."""
    floor = max(float(power.max()) * 1e-6, 1e-12)
    decibels = 10 * np.log10(np.maximum(power, floor))
    return decibels - decibels.mean()
