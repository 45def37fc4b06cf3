"""What synthesised sounds are made of: waves, noise, envelopes, filters and rooms, at RATE."""

import numpy as np
from scipy.signal import butter, fftconvolve, sosfilt

RATE = 44_100

Random = np.random.Generator


def time(seconds: float) -> np.ndarray:
    return np.arange(max(64, int(seconds * RATE))) / RATE


def log_uniform(r: Random, low: float, high: float) -> float:
    return float(np.exp(r.uniform(np.log(low), np.log(high))))


def band(y: np.ndarray, low: float | None, high: float | None, order: int = 2) -> np.ndarray:
    """Butterworth: high-pass, low-pass or both."""
    top = 0.95 * RATE / 2
    if low and high:
        sos = butter(order, [low, min(high, top)], "bandpass", fs=RATE, output="sos")
    elif low:
        sos = butter(order, min(low, top), "highpass", fs=RATE, output="sos")
    else:
        sos = butter(order, min(high or top, top), "lowpass", fs=RATE, output="sos")
    return np.asarray(sosfilt(sos, y))


def decay(t: np.ndarray, seconds: float) -> np.ndarray:
    """To -60 dB in `seconds`."""
    return np.exp(-6.9 * t / seconds)


def sweep(hertz: np.ndarray) -> np.ndarray:
    """Phase of a frequency course."""
    return 2 * np.pi * np.cumsum(hertz) / RATE


def noise(r: Random, size: int) -> np.ndarray:
    return r.standard_normal(size)


def click(r: Random, t: np.ndarray) -> np.ndarray:
    return band(noise(r, len(t)), log_uniform(r, 800, 4_000), None) * decay(
        t, r.uniform(0.003, 0.02)
    )


def saturated(r: Random, y: np.ndarray) -> np.ndarray:
    drive = log_uniform(r, 1, 12)
    return np.tanh(drive * y / max(np.abs(y).max(), 1e-9))


def wave(r: Random, hertz: np.ndarray, shape: str) -> np.ndarray:
    """Band-limited well enough: drawn at the rate itself and held below 14 kHz."""
    phase = sweep(hertz) + r.uniform(0, 6.28)
    if shape == "sine":
        return np.sin(phase)
    turn = (phase / (2 * np.pi)) % 1
    if shape == "saw":
        y = 2 * turn - 1
    elif shape == "square":
        y = np.where(turn < r.choice([0.5, 0.25, 0.12]), 1.0, -1.0)
    else:
        y = 4 * np.abs(turn - 0.5) - 1
    return band(y, None, 14_000)


def filtered(r: Random, y: np.ndarray, low: float, high: float) -> np.ndarray:
    """A low-pass that opens or closes over the sound, in sixteen steps."""
    start, end = log_uniform(r, low, high), log_uniform(r, low, high)
    out, state = [], np.zeros((1, 2))
    for i, piece in enumerate(np.array_split(y, 16)):
        cut = start * (end / start) ** (i / 15)
        sos = butter(2, min(cut, 20_000), fs=RATE, output="sos")
        done, state = sosfilt(sos, piece, zi=state)
        out.append(done)
    return np.concatenate(out)


def hertz_of(note: float) -> float:
    return 440 * 2 ** ((note - 69) / 12)


def envelope(t: np.ndarray, attack: float, release: float) -> np.ndarray:
    return np.minimum(1, t / attack) * np.minimum(1, (t[-1] - t) / release + 1e-3)


def reverberated(r: Random, y: np.ndarray, seconds: float) -> np.ndarray:
    """In a room of exponentially decaying noise, its treble damped."""
    t = time(seconds)
    room = band(noise(r, len(t)), 150, log_uniform(r, 2_000, 12_000)) * decay(t, seconds)
    wet = fftconvolve(y, room / np.sqrt(np.square(room).sum()))
    dry = np.zeros_like(wet)
    dry[: len(y)] = y
    return dry + log_uniform(r, 0.05, 0.8) * wet
