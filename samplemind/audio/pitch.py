"""The fundamental of a sound that has one."""

import numpy as np

from samplemind.audio.spectrum import SAMPLE_RATE
from samplemind.domain.analysis import TONICS, Pitch

LOWEST, HIGHEST = 27.5, 4_200.0
"""Hz."""

_FRAME, _HOP, _MOST_FRAMES = 4_096, 1_024, 60
_THRESHOLD = 0.2
_STEADY = 0.5
"""Semitones around the median within which a frame agrees with it."""


def pitch(y: np.ndarray) -> Pitch | None:
    """Median fundamental over the sounding frames of `y: (n,)` float32 at SAMPLE_RATE.

    None where fewer than half of them are periodic and agree.
    """
    padded = np.pad(y, (0, max(0, _FRAME - len(y))))
    windows = np.lib.stride_tricks.sliding_window_view(padded, _FRAME)[::_HOP][:_MOST_FRAMES]
    energy = np.square(windows).mean(axis=1)
    windows = windows[energy > 1e-3 * energy.max()]
    energy = energy[energy > 1e-3 * energy.max()]
    if not len(windows):
        return None
    hertz, aperiodicity = fundamentals(windows)
    periodic = aperiodicity < _THRESHOLD
    if not periodic.any():
        return None
    midi = 69 + 12 * np.log2(hertz / 440)
    middle = float(np.median(midi[periodic]))
    agree = periodic & (np.abs(midi - middle) < _STEADY)
    share = float(agree.mean())
    if share < 0.5:
        return None
    centre = float(np.average(midi[agree], weights=np.sqrt(energy[agree])))
    nearest = round(centre)
    return Pitch(
        hertz=440 * 2 ** ((centre - 69) / 12),
        midi=centre,
        note=f"{TONICS[nearest % 12]}{nearest // 12 - 1}",
        confidence=float(np.clip(share * (1 - aperiodicity[agree].mean()), 0, 1)),
    )


def fundamentals(windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hz and aperiodicity (0 periodic, 1 not) `(frames,)` of windows `(frames, _FRAME)`.

    YIN: the first dip of the cumulative-mean-normalised difference function (de Cheveigné and
    Kawahara, JASA 111, 2002), the difference computed by FFT.
    """
    frames, size = windows.shape
    longest = int(SAMPLE_RATE / LOWEST) + 1
    length = size - longest
    windows = windows.astype(np.float64)
    fft_size = 1 << (size + length - 1).bit_length()
    head = np.fft.rfft(windows[:, :length], fft_size, axis=1)
    whole = np.fft.rfft(windows, fft_size, axis=1)
    correlation = np.fft.irfft(np.conj(head) * whole, fft_size, axis=1)[:, : longest + 1]
    power = np.pad(np.cumsum(windows**2, axis=1), ((0, 0), (1, 0)))
    sliding = power[:, length : length + longest + 1] - power[:, : longest + 1]
    difference = np.maximum(sliding[:, :1] + sliding - 2 * correlation, 0)
    lags = np.arange(1, longest + 1)
    means = np.cumsum(difference[:, 1:], axis=1) / lags
    normalised = np.ones_like(difference)
    normalised[:, 1:] = difference[:, 1:] / np.maximum(means, 1e-12)
    shortest = int(SAMPLE_RATE / HIGHEST)
    hertz, aperiodicity = np.zeros(frames), np.ones(frames)
    for i, row in enumerate(normalised):
        inner = row[shortest:-1]
        dips = np.flatnonzero((inner <= row[shortest - 1 : -2]) & (inner < row[shortest + 1 :]))
        if not len(dips):
            continue
        dips += shortest
        # High notes have few samples a period: a dip is deeper than the sample nearest to it.
        left, centre, right = row[dips - 1], row[dips], row[dips + 1]
        shift = 0.5 * (left - right) / np.maximum(left - 2 * centre + right, 1e-12)
        depth = np.maximum(centre - 0.25 * (left - right) * shift, 0)
        deep = np.flatnonzero(depth < max(_THRESHOLD * 0.67, 1.5 * depth.min()))
        best = deep[0]
        hertz[i], aperiodicity[i] = SAMPLE_RATE / (dips[best] + shift[best]), depth[best]
    return np.maximum(hertz, 1.0), aperiodicity
