"""Peaks against valleys of the spectrum."""

from itertools import pairwise

import numpy as np

from samplemind.audio.spectrum import SAMPLE_RATE, TINY, hann, power_blocks
from samplemind.audio.timbre import FRAME, HOP

_FRAMES = 400
_EDGES = (0, 200, 400, 800, 1_600, 3_200, 6_400, SAMPLE_RATE / 2)


def spectral_contrast(y: np.ndarray) -> np.ndarray:
    """`(7,)` dB between the peaks and the valleys of octave bands.

    The loudest and the faintest fifth of each band's bins are compared (after Jiang et al.,
    "Music type classification by spectral contrast feature", ICME 2002), in at most 400 frames
    spread evenly over the sound: their mean is what is asked for, not its course.
    """
    stride = -(-(len(y) // HOP + 1) // _FRAMES)
    # Of windows that peak at 1, unlike those of power_blocks.
    scale = np.square(hann(FRAME).sum() / 2)
    power = np.concatenate(list(power_blocks(y, FRAME, stride * HOP))) * scale + TINY
    power = power[power.sum(axis=1) >= 1e-6 * power.sum(axis=1).max()]
    edges = np.round(np.array(_EDGES) * FRAME / SAMPLE_RATE).astype(int)
    contrast = []
    for low, high in pairwise(edges):
        band = np.sort(power[:, low : high + 1], axis=1)
        fifth = max(1, band.shape[1] // 5)
        valley, peak = band[:, :fifth].mean(axis=1), band[:, -fifth:].mean(axis=1)
        contrast.append(np.mean(10 * np.log10(peak / valley)))
    return np.array(contrast)
