"""Averages of the spectrum over a sound."""

from itertools import pairwise

import numpy as np

from samplemind.audio.features import Features
from samplemind.audio.spectrum import SAMPLE_RATE, TINY, hann, power_blocks
from samplemind.audio.timbre import FRAME, HOP
from samplemind.domain.analysis import SpectralFeatures

_CONTRAST_FRAMES = 400
_CONTRAST_EDGES = (0, 200, 400, 800, 1_600, 3_200, 6_400, SAMPLE_RATE / 2)


def spectral_features(features: Features) -> SpectralFeatures:
    """Means over the frames within 60 dB of the loudest; all zero for silence."""
    timbre, active = features.timbre, features.timbre.active
    if features.is_silent:
        return SpectralFeatures(0.0, 0.0, 0.0, 0.0, 0.0, (0.0,) * 7, (0.0,) * 20, (0.0,) * 12)
    return SpectralFeatures(
        centroid_hz=float(timbre.centroid[active].mean()),
        bandwidth_hz=float(timbre.bandwidth[active].mean()),
        rolloff_hz=float(timbre.rolloff[active].mean()),
        flatness=float(timbre.flatness[active].mean()),
        zero_crossing_rate=zero_crossing_rate(features.y),
        contrast_db=tuple(map(float, spectral_contrast(features.y))),
        mfcc=tuple(map(float, timbre.mfcc[active].mean(axis=0))),
        chroma=tuple(map(float, mean_chroma(features.tonal.chroma))),
    )


def zero_crossing_rate(y: np.ndarray) -> float:
    """Sign changes a sample, 0..1."""
    return float(np.mean(np.diff(np.signbit(y)))) if len(y) > 1 else 0.0


def mean_chroma(chroma: np.ndarray) -> np.ndarray:
    """`(12,)` with the strongest pitch class at 1 (all zero where nothing is tonal)."""
    mean = chroma.mean(axis=0)
    return mean / max(float(mean.max()), 1e-10)


def spectral_contrast(y: np.ndarray) -> np.ndarray:
    """`(7,)` dB between the peaks and the valleys of octave bands.

    The loudest and the faintest fifth of each band's bins are compared (after Jiang et al.,
    "Music type classification by spectral contrast feature", ICME 2002), in at most 400 frames
    spread evenly over the sound: their mean is what is asked for, not its course.
    """
    stride = -(-(len(y) // HOP + 1) // _CONTRAST_FRAMES)
    # Of windows that peak at 1, unlike those of power_blocks.
    scale = np.square(hann(FRAME).sum() / 2)
    power = np.concatenate(list(power_blocks(y, FRAME, stride * HOP))) * scale + TINY
    power = power[power.sum(axis=1) >= 1e-6 * power.sum(axis=1).max()]
    edges = np.round(np.array(_CONTRAST_EDGES) * FRAME / SAMPLE_RATE).astype(int)
    contrast = []
    for low, high in pairwise(edges):
        band = np.sort(power[:, low : high + 1], axis=1)
        fifth = max(1, band.shape[1] // 5)
        valley, peak = band[:, :fifth].mean(axis=1), band[:, -fifth:].mean(axis=1)
        contrast.append(np.mean(10 * np.log10(peak / valley)))
    return np.array(contrast)
