"""Averages of the spectrum over a sound."""

import numpy as np

from samplemind.audio.features import Features
from samplemind.domain.analysis import SpectralFeatures


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
        zero_crossing_rate=features.zero_crossing_rate,
        contrast_db=tuple(map(float, features.contrast)),
        mfcc=tuple(map(float, timbre.mfcc[active].mean(axis=0))),
        chroma=tuple(map(float, mean_chroma(features.tonal.chroma))),
    )


def mean_chroma(chroma: np.ndarray) -> np.ndarray:
    """`(12,)` with the strongest pitch class at 1 (all zero where nothing is tonal)."""
    mean = chroma.mean(axis=0)
    return mean / max(float(mean.max()), 1e-10)
