"""Short-time spectra: the one transform under everything, in blocks that stay in the cache."""

from collections.abc import Iterator
from functools import cache

import numpy as np
from scipy.fft import rfft

SAMPLE_RATE = 22_050
"""Hz, of the mono signal that all features but loudness are computed from."""

TINY = 1e-10

_LOWEST_HERTZ = 20.0
_LOWEST_NOTE, _QUARTER_TONES = 60.0, 168
_BLOCK = 64


def power_blocks(y: np.ndarray, frame: int, hop: int) -> Iterator[np.ndarray]:
    """Power spectra `(<= 64, frame // 2 + 1)` float32; frame i is centred on sample i * hop.

    `y: (n,)` float32; the window is Hann's, and a sinusoid of amplitude a peaks at a squared.
    """
    window = hann(frame)
    window = window * (2 / window.sum())
    count = len(y) // hop + 1
    for first in range(0, count, _BLOCK):
        start = first * hop - frame // 2
        end = (min(first + _BLOCK, count) - 1) * hop + frame // 2
        piece = y[max(start, 0) : end]
        if start < 0 or end > len(y):
            piece = np.pad(piece, (max(-start, 0), max(end - len(y), 0)))
        framed = np.lib.stride_tricks.sliding_window_view(piece, frame)[::hop] * window
        spectrum = np.asarray(rfft(framed, axis=1), np.complex64)
        yield np.square(spectrum.real) + np.square(spectrum.imag)


def moving_mean(y: np.ndarray, count: int) -> np.ndarray:
    """Mean of `count` values (odd) around each of `y: (n,)`; beyond the ends `y` repeats itself."""
    padded = np.pad(y.astype(np.float64), count // 2, mode="edge")
    total = np.cumsum(np.concatenate([[0.0], padded]))
    return (total[count:] - total[:-count]) / count


@cache
def hann(frame: int) -> np.ndarray:
    """`(frame,)` float32, periodic."""
    return np.hanning(frame + 1)[:-1].astype(np.float32)


@cache
def dct_basis(size: int, count: int) -> np.ndarray:
    """`(size, count)` float32: the first columns of the orthonormal DCT-II."""
    phase = np.pi / size * np.outer(np.arange(size) + 0.5, np.arange(count))
    basis = np.cos(phase) * np.sqrt(2 / size)
    basis[:, 0] /= np.sqrt(2)
    return basis.astype(np.float32)


def to_mel(power: np.ndarray, bands: int) -> np.ndarray:
    """`(frames, bands)`: what `power @ mel_filters(...)` gives, without most of its zeros."""
    parts = _mel_parts(2 * (power.shape[1] - 1), bands)
    return np.concatenate([power[:, bins] @ filters for bins, filters in parts], axis=1)


def log_filtered(power: np.ndarray) -> np.ndarray:
    """`(frames, 168)`: the power in triangles of a quarter tone from 60 Hz to 7.5 kHz; at the
    bottom, where they are narrower than a bin, in the nearest one."""
    parts = _log_parts(2 * (power.shape[1] - 1))
    return np.concatenate([power[:, bins] @ filters for bins, filters in parts], axis=1)


@cache
def _mel_parts(frame: int, bands: int) -> list[tuple[slice, np.ndarray]]:
    return _in_parts(mel_filters(frame, bands))


@cache
def _log_parts(frame: int) -> list[tuple[slice, np.ndarray]]:
    centres = _LOWEST_NOTE * 2 ** (np.arange(-1, _QUARTER_TONES + 1) / 24)
    bins = np.arange(frame // 2 + 1)[:, None] * (SAMPLE_RATE / frame)
    rising = (bins - centres[:-2]) / np.diff(centres[:-1])
    falling = (centres[2:] - bins) / np.diff(centres[1:])
    triangles = np.maximum(0, np.minimum(rising, falling))
    nearest = np.round(centres[1:-1] * frame / SAMPLE_RATE).astype(int)
    triangles[nearest, np.arange(_QUARTER_TONES)] += 1e-6
    return _in_parts((triangles / triangles.sum(axis=0)).astype(np.float32))


def _in_parts(weights: np.ndarray) -> list[tuple[slice, np.ndarray]]:
    """The filters in quarters of the bands, each with the bins that it weighs."""
    parts = []
    for part in np.array_split(weights, 4, axis=1):
        bins = np.flatnonzero(part.any(axis=1))
        weighed = slice(int(bins[0]), int(bins[-1]) + 1)
        parts.append((weighed, np.ascontiguousarray(part[weighed])))
    return parts


@cache
def mel_filters(frame: int, bands: int) -> np.ndarray:
    """`(frame // 2 + 1, bands)` float32 triangles of equal area (Slaney, Auditory Toolbox, 1998).

    Written out because importing librosa's costs two seconds and a hundred megabytes a worker.
    """
    hertz = mel_hertz(bands)
    bins = np.arange(frame // 2 + 1)[:, None] * (SAMPLE_RATE / frame)
    rising = (bins - hertz[:-2]) / (hertz[1:-1] - hertz[:-2])
    falling = (hertz[2:] - bins) / (hertz[2:] - hertz[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (hertz[2:] - hertz[:-2]))).astype(np.float32)


def mel_hertz(bands: int) -> np.ndarray:
    """`(bands + 2,)` edges and centres: linear to 1 kHz (15 mel), above it 27 mel a factor 6.4."""
    lowest = _LOWEST_HERTZ * 3 / 200
    highest = 15 + 27 * np.log(SAMPLE_RATE / 2_000) / np.log(6.4)
    mel = np.linspace(lowest, highest, bands + 2)
    return np.where(mel < 15, mel * 200 / 3, 1_000 * 6.4 ** ((mel - 15) / 27))
