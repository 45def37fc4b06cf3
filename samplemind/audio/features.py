"""What several questions share: one sound, its envelopes and spectra, each computed once.

Everything is worked out from the same mono signal, on first use, in blocks of frames: only the
reductions (mel bands, moments, peaks) are kept, so that an hour of sound fits in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy.ndimage import maximum_filter1d, uniform_filter1d

SAMPLE_RATE = 22_050
"""Hz, of the mono signal that all features but loudness are computed from."""

FRAME, HOP = 2_048, 512
"""Samples of a frame of timbre, and between two of them."""

ONSET_FRAME, ONSET_HOP = 1_024, 256
ONSET_RATE = SAMPLE_RATE / ONSET_HOP
"""Frames a second of the onset strength."""

TONAL_FRAME, TONAL_HOP = 8_192, 4_096

ENVELOPE_HOP = 64
"""Samples a value of the amplitude envelope (2.9 ms)."""

MELS = 128
SILENCE = 10 ** (-90 / 20)
"""Peak below which a sound is silence: half the step of 16 bits, so undithered it is all zeros."""

_MEL_LOWEST = 20.0
"""Hz."""

_COMPRESSION = 1e5
"""A hat is 30 dB below a kick in the spectrum, and still an onset."""

_BLOCK = 64
_ACTIVE = 1e-6
_TINY = 1e-10


@dataclass(frozen=True)
class Timbre:
    """One value (or row) a frame of FRAME samples; all arrays float32.

    `mel: (frames, MELS)` power; `centroid`, `bandwidth`, `rolloff` in Hz over the magnitude;
    `flatness` 0..1 (geometric over arithmetic mean of the power); `power: (frames,)` the sum over
    the bins; `active: (frames,)` bool, within 60 dB of the loudest frame.
    """

    mel: np.ndarray
    centroid: np.ndarray
    bandwidth: np.ndarray
    rolloff: np.ndarray
    flatness: np.ndarray
    power: np.ndarray

    @cached_property
    def active(self) -> np.ndarray:
        return self.power >= _ACTIVE * self.power.max()

    @cached_property
    def log_mel(self) -> np.ndarray:
        """`(frames, MELS)` dB below the loudest band, floored at -80."""
        decibels = 10 * np.log10(np.maximum(self.mel, _TINY))
        return np.maximum(decibels, decibels.max() - 80) - decibels.max()

    @cached_property
    def mfcc(self) -> np.ndarray:
        """`(frames, 20)`: orthonormal DCT-II of the log mel spectrum."""
        return self.log_mel @ _dct_basis(MELS, 20)


@dataclass(frozen=True)
class Peaks:
    """Spectral peaks of the tonal frames, all `(peaks,)`, and per-frame energies.

    `frame` is the index of the frame, `pitch` a fractional MIDI number, `magnitude` linear.
    `peakiness` is the share of the power (from 60 Hz to 5 kHz) that stands in clear peaks.
    """

    frames: int
    frame: np.ndarray
    pitch: np.ndarray
    magnitude: np.ndarray
    peakiness: float


class Features:
    """A sound to be asked questions.

    `y: (n,)` float32 mono at SAMPLE_RATE, n > 0, without offset. It is scaled to a peak of 1: what
    follows does not depend on gain. `seconds` is the length of the file itself.
    """

    def __init__(self, y: np.ndarray, seconds: float) -> None:
        self.seconds = seconds
        peak = float(np.abs(y).max())
        self.is_silent = peak < SILENCE
        self.y: np.ndarray = np.zeros_like(y) if self.is_silent else y / np.float32(peak)

    @cached_property
    def envelope(self) -> np.ndarray:
        """`(m,)` float32: RMS of each ENVELOPE_HOP samples."""
        whole = np.pad(self.y, (0, -len(self.y) % ENVELOPE_HOP)).reshape(-1, ENVELOPE_HOP)
        return np.sqrt(np.mean(np.square(whole), axis=1))

    @cached_property
    def timbre(self) -> Timbre:
        frequencies = np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE).astype(np.float32)
        moments = np.stack([np.ones_like(frequencies), frequencies, frequencies**2], axis=1)
        rows = []
        for power in _power_blocks(self.y, FRAME, HOP):
            magnitude = np.sqrt(power)
            total, first, second = (magnitude @ moments).T
            total = np.maximum(total, _TINY)
            centroid = first / total
            bandwidth = np.sqrt(np.maximum(second / total - centroid**2, 0))
            cumulated = np.cumsum(magnitude, axis=1)
            rolloff = frequencies[np.argmax(cumulated >= 0.85 * cumulated[:, -1:], axis=1)]
            energy = power.sum(axis=1)
            arithmetic = energy / power.shape[1] + _TINY
            flatness = np.exp(np.mean(np.log(power + _TINY), axis=1)) / arithmetic
            mel = power @ _mel_filters(FRAME, MELS)
            rows.append((mel, centroid, bandwidth, rolloff, np.minimum(flatness, 1), energy))
        return Timbre(*(np.concatenate(column) for column in zip(*rows, strict=True)))

    @cached_property
    def onset_bands(self) -> np.ndarray:
        """`(frames, 3)` float32, 0..1: rise of the log mel spectrum below 200 Hz, to 2 kHz, above.

        Spectral flux with a maximum filter over bands against vibrato (Böck and Widmer,
        "Maximum filter vibrato suppression for onset detection", DAFx 2013).
        """
        filters = _mel_filters(ONSET_FRAME, 48)
        mel = np.concatenate(
            [power @ filters for power in _power_blocks(self.y, ONSET_FRAME, ONSET_HOP)]
        )
        log = np.log1p(mel * np.float32(_COMPRESSION / max(float(mel.max()), _TINY)))
        log /= np.float32(np.log1p(_COMPRESSION))
        before = maximum_filter1d(log, 3, axis=1)[:-2]
        rise = np.maximum(log[2:] - before, 0)
        # The sound begins from silence: its first frames rise against nothing.
        rise = np.concatenate([np.zeros_like(rise[:1]), log[:1], rise])[: len(log)]
        # Where the sound is cut off its spectrum spreads: an end, not a beginning.
        rise[max(1, len(rise) - ONSET_FRAME // ONSET_HOP) :] = 0
        edges = np.searchsorted(_mel_hertz(48)[1:-1], (200, 2_000))
        return np.stack([part.mean(axis=1) for part in np.split(rise, edges, axis=1)], axis=1)

    @cached_property
    def onset_strength(self) -> np.ndarray:
        """`(frames,)` float32 at ONSET_RATE, largest value 1: how much begins at each moment."""
        strength = self.onset_bands.mean(axis=1)
        return strength / max(float(strength.max()), _TINY)

    @cached_property
    def onset_correlation(self) -> np.ndarray:
        """`(lags,)` at ONSET_RATE: see `autocorrelation`."""
        return autocorrelation(self.onset_strength)

    @cached_property
    def onset_frames(self) -> np.ndarray:
        """Indices into `onset_strength` where something begins.

        A peak is the largest value within 30 ms, and stands above its surroundings.
        """
        strength = self.onset_strength
        if self.is_silent:
            return np.zeros(0, np.int64)
        is_peak = strength == maximum_filter1d(strength, 7)
        floor = uniform_filter1d(strength, 2 * int(0.1 * ONSET_RATE) + 1, mode="constant")
        return np.flatnonzero(is_peak & (strength > floor + 0.07))

    @cached_property
    def peaks(self) -> Peaks:
        low, high = (round(hertz * TONAL_FRAME / SAMPLE_RATE) for hertz in (60, 5_000))
        frames, pitches, magnitudes = [], [], []
        count, peaked, total = 0, 0.0, 0.0
        for power in _power_blocks(self.y, TONAL_FRAME, TONAL_HOP):
            band = power[:, low:high]
            loudest = band.max(axis=1, keepdims=True)
            floor = uniform_filter1d(band, 65, axis=1)
            is_peak = (
                (band > power[:, low - 1 : high - 1])
                & (band >= power[:, low + 1 : high + 1])
                & (band > 4 * floor)
                & (band > 1e-4 * loudest)
                & (band > _TINY)
            )
            row, column = np.nonzero(is_peak)
            column += low
            left, centre, right = (np.log(power[row, column + step] + _TINY) for step in (-1, 0, 1))
            shift = 0.5 * (left - right) / np.minimum(left - 2 * centre + right, -_TINY)
            hertz = (column + np.clip(shift, -0.5, 0.5)) * (SAMPLE_RATE / TONAL_FRAME)
            frames.append(row + count)
            pitches.append(69 + 12 * np.log2(hertz / 440))
            magnitudes.append(np.sqrt(power[row, column]))
            # A Hann window spreads a sinusoid over three bins, the outer ones at a quarter.
            peaked += 1.5 * float(power[row, column].sum())
            total += float(band.sum())
            count += len(power)
        return Peaks(
            frames=count,
            frame=np.concatenate(frames),
            pitch=np.concatenate(pitches),
            magnitude=np.concatenate(magnitudes),
            peakiness=min(1.0, peaked / max(total, _TINY)),
        )

    @cached_property
    def tuning(self) -> float:
        """Semitones, -0.5..0.5, by which the sound's scale lies above A 440."""
        weight = self.peaks.magnitude
        mean = np.sum(weight * np.exp(2j * np.pi * self.peaks.pitch))
        return float(np.angle(mean) / (2 * np.pi))

    @cached_property
    def chroma(self) -> np.ndarray:
        """`(frames, 12)` float32 over the tonal frames, pitch classes from C, tuned.

        Each peak also counts, less and less, for the notes that it may be a harmonic of (Gómez,
        "Tonal description of polyphonic audio for music content processing", 2006).
        """
        peaks = self.peaks
        chroma = np.zeros((peaks.frames, 12))
        for harmonic in (1, 2, 3, 4, 5):
            pitch = peaks.pitch - self.tuning - 12 * np.log2(harmonic)
            nearest = np.round(pitch).astype(np.int64)
            closeness = np.cos(np.pi / 2 * np.minimum(1, 2 * np.abs(pitch - nearest))) ** 2
            weight = 0.8 ** (harmonic - 1) * closeness * peaks.magnitude**0.75
            np.add.at(chroma, (peaks.frame, nearest % 12), weight)
        return chroma.astype(np.float32)


def autocorrelation(strength: np.ndarray) -> np.ndarray:
    """Unbiased autocorrelation `(lags,)` of an onset strength, 1 at lag 0, up to 3/4 of its length.

    Only what stands above the mean of a second counts.
    """
    floor = uniform_filter1d(strength, 2 * int(0.5 * ONSET_RATE) + 1, mode="nearest")
    y = np.maximum(strength - floor, 0)
    y = y - y.mean()
    spectrum = np.fft.rfft(y, 1 << (2 * len(y)).bit_length())
    correlation = np.fft.irfft(np.square(np.abs(spectrum)))[: 3 * len(y) // 4 + 1]
    correlation /= len(y) - np.arange(len(correlation))
    return correlation / max(float(correlation[0]), _TINY)


def _power_blocks(y: np.ndarray, frame: int, hop: int) -> Iterator[np.ndarray]:
    """Power spectra `(<= _BLOCK, frame // 2 + 1)` float32; frame i is centred on sample i * hop.

    A sinusoid of amplitude a peaks at a squared.
    """
    window = hann(frame)
    window = window * (2 / window.sum())
    padded = np.pad(y, (frame // 2, frame // 2 + hop))
    windows = np.lib.stride_tricks.sliding_window_view(padded, frame)[: len(y) + 1 : hop]
    for start in range(0, len(windows), _BLOCK):
        spectrum = np.fft.rfft(windows[start : start + _BLOCK] * window, axis=1)
        yield np.square(spectrum.real) + np.square(spectrum.imag)


@cache
def hann(frame: int) -> np.ndarray:
    """`(frame,)` float32, periodic."""
    return np.hanning(frame + 1)[:-1].astype(np.float32)


@cache
def _dct_basis(size: int, count: int) -> np.ndarray:
    """`(size, count)` float32: the first columns of the orthonormal DCT-II."""
    phase = np.pi / size * np.outer(np.arange(size) + 0.5, np.arange(count))
    basis = np.cos(phase) * np.sqrt(2 / size)
    basis[:, 0] /= np.sqrt(2)
    return basis.astype(np.float32)


@cache
def _mel_filters(frame: int, bands: int) -> np.ndarray:
    """`(frame // 2 + 1, bands)` float32 triangles of equal area (Slaney, Auditory Toolbox, 1998).

    Written out because importing librosa's costs two seconds and a hundred megabytes a worker.
    """
    hertz = _mel_hertz(bands)
    bins = np.arange(frame // 2 + 1)[:, None] * (SAMPLE_RATE / frame)
    rising = (bins - hertz[:-2]) / (hertz[1:-1] - hertz[:-2])
    falling = (hertz[2:] - bins) / (hertz[2:] - hertz[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * (2 / (hertz[2:] - hertz[:-2]))).astype(np.float32)


def _mel_hertz(bands: int) -> np.ndarray:
    """`(bands + 2,)` edges and centres: linear to 1 kHz (15 mel), above it 27 mel a factor 6.4."""
    lowest, highest = _MEL_LOWEST * 3 / 200, 15 + 27 * np.log(SAMPLE_RATE / 2_000) / np.log(6.4)
    mel = np.linspace(lowest, highest, bands + 2)
    return np.where(mel < 15, mel * 200 / 3, 1_000 * 6.4 ** ((mel - 15) / 27))
