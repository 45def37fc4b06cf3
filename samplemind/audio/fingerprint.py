"""The same sound again: at another format, bitrate, gain, trim or sample rate.

Two takes of one drum have nearly the same spectrum and never the same waveform; a copy keeps both.
So a fingerprint holds the course of the spectrum, which finds how two sounds lie to each other,
and a piece of the waveform, which tells a copy from another take.
"""

from typing import NamedTuple

import numpy as np
import soxr

from samplemind.audio.features import Features
from samplemind.audio.spectrum import SAMPLE_RATE, mel_filters, power_blocks

_RATE = 8_000
_WAVE = 8_192
"""Samples at _RATE: the first second. Half of 8 kHz is what a telephone copy still has."""

_FRAME, _HOP = 1_024, 512
_BANDS, _SHOWN = 40, slice(2, 26)
"""Mel bands, and those of them between 100 Hz and 3.4 kHz."""

_FRAMES = 258
"""At most six seconds of spectrum."""

_OVERSAMPLING = 4
_FLOOR = 48.0
"""dB below the loudest band."""

_EMPHASIS = 0.85
"""Takes of one drum differ least in its low end: what lies above it has to agree as well."""

_BEGINS = 0.05
"""Of the peak."""

_LEAST_OVERLAP = 0.6
_SAME_COURSE, _SAME_WAVE = 0.85, 0.8


class Match(NamedTuple):
    """How far two fingerprints agree, -1..1: the spectrum's course, and the waveform."""

    course: float
    wave: float

    @property
    def is_same_sound(self) -> bool:
        return self.course >= _SAME_COURSE and self.wave >= _SAME_WAVE


def fingerprint(features: Features) -> bytes | None:
    """_WAVE samples and up to _FRAMES spectra from where the sound begins, 8 bits a value.

    None for silence: all silence is alike.
    """
    if features.is_silent:
        return None
    begins = int(np.argmax(np.abs(features.y) > _BEGINS))
    y = features.y[begins : begins + _FRAMES * _HOP]
    wave = soxr.resample(y[: _WAVE * SAMPLE_RATE // _RATE], SAMPLE_RATE, _RATE)[:_WAVE]
    wave = np.append(wave[:1], wave[1:] - _EMPHASIS * wave[:-1])
    loudest = max(float(np.abs(wave).max(initial=0)), 1e-9)
    wave = np.round(127 * wave / loudest).astype(np.int8)
    filters = mel_filters(_FRAME, _BANDS)[:, _SHOWN]
    mel = np.concatenate([power @ filters for power in power_blocks(y, _FRAME, _HOP)])[:_FRAMES]
    decibels = 10 * np.log10(np.maximum(mel / max(float(mel.max()), 1e-12), 1e-9))
    course = np.round(127 * np.maximum(1 + decibels / _FLOOR, 0)).astype(np.int8)
    return np.pad(wave, (0, _WAVE - len(wave))).tobytes() + course.tobytes()


def match(one: bytes, other: bytes) -> Match:
    """Compares two fingerprints at the lag at which they agree best."""
    waves, courses = zip(*map(_unpack, (one, other)), strict=True)
    return Match(_agreement_of_courses(*courses), _agreement_of_waves(*waves))


def _unpack(packed: bytes) -> tuple[np.ndarray, np.ndarray]:
    values = np.frombuffer(packed, np.int8).astype(np.float32)
    return values[:_WAVE], values[_WAVE:].reshape(-1, _SHOWN.stop - _SHOWN.start)


def _agreement_of_courses(a: np.ndarray, b: np.ndarray) -> float:
    """Best correlation of two `(frames, bands)` over the lags that overlap enough."""
    if len(a) > len(b):
        a, b = b, a
    # A copy that was trimmed or padded is as long as the other one but for the cut.
    least = max(1, round(_LEAST_OVERLAP * len(a)))
    best = -1.0
    for lag in range(least - len(a), len(b) - least + 1):
        one, other = a[max(0, -lag) : len(b) - lag], b[max(0, lag) : lag + len(a)]
        one, other = one - one.mean(), other - other.mean()
        norm = float(np.sqrt(np.vdot(one, one) * np.vdot(other, other)))
        best = max(best, float(np.vdot(one, other)) / max(norm, 1e-9))
    return best


def _agreement_of_waves(a: np.ndarray, b: np.ndarray) -> float:
    """Best correlation of two `(n,)` over the lags at which both sound; polarity does not count."""
    size = 2 * len(a)
    spectrum = np.conj(np.fft.rfft(a, size)) * np.fft.rfft(b, size)
    # A copy seldom lies on the same grid: look between the samples too.
    between = np.fft.irfft(spectrum, _OVERSAMPLING * size) * _OVERSAMPLING
    crossed = np.abs(between).reshape(size, _OVERSAMPLING).max(axis=1)
    power_a, power_b = (np.concatenate([[0.0], np.cumsum(np.square(x))]) for x in (a, b))
    lags = np.concatenate([np.arange(len(a)), np.arange(-len(a), 0)])
    both_a = power_a[np.clip(len(a) - lags, 0, len(a))] - power_a[np.clip(-lags, 0, len(a))]
    both_b = power_b[np.clip(len(a) + lags, 0, len(a))] - power_b[np.clip(lags, 0, len(a))]
    shares = both_a / max(power_a[-1], 1e-9), both_b / max(power_b[-1], 1e-9)
    enough = (np.maximum(*shares) > 0.8) & (np.minimum(*shares) > 0.2)
    return float(np.max(crossed / np.sqrt(both_a * both_b + 1e-9), where=enough, initial=0.0))
