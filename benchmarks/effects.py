"""Risers, impacts, textures and zaps."""

import numpy as np
from scipy.signal import butter, sosfilt

from benchmarks.waves import (
    RATE,
    Random,
    band,
    decay,
    envelope,
    log_uniform,
    noise,
    reverberated,
    saturated,
    sweep,
    time,
    wave,
)


def riser(r: Random) -> np.ndarray:
    t = time(log_uniform(r, 1, 9))
    turn = t / t[-1]
    y = np.zeros_like(t)
    if r.random() < 0.8:
        y += rising_noise(r, t)
    if r.random() < 0.6:
        y += r.uniform(0.2, 1) * wave(
            r, log_uniform(r, 60, 300) * 2 ** (turn * r.uniform(1, 5)), "saw"
        )
    return y * turn ** r.uniform(0.5, 3)


def rising_noise(r: Random, t: np.ndarray) -> np.ndarray:
    pieces = np.array_split(noise(r, len(t)), 24)
    low, high = log_uniform(r, 100, 800), log_uniform(r, 3_000, 16_000)
    out, state = [], np.zeros((1, 2))
    for i, piece in enumerate(pieces):
        centre = low * (high / low) ** (i / 23)
        sos = butter(
            1, [centre * 0.7, min(centre * 1.4, 20_000)], "bandpass", fs=RATE, output="sos"
        )
        done, state = sosfilt(sos, piece, zi=state)
        out.append(done)
    return np.concatenate(out)


def impact(r: Random) -> np.ndarray:
    t = time(log_uniform(r, 1.5, 6))
    y = np.sin(sweep(log_uniform(r, 28, 60) * (1 + 3 * np.exp(-t / 0.05)))) * decay(t, t[-1])
    y += (
        r.uniform(0.2, 1)
        * band(noise(r, len(t)), 80, log_uniform(r, 800, 9_000))
        * decay(t, r.uniform(0.3, 2))
    )
    return reverberated(r, saturated(r, y), log_uniform(r, 1, 5))


def downlifter(r: Random) -> np.ndarray:
    return riser(r)[::-1].copy()


def texture(r: Random) -> np.ndarray:
    """Noise that goes on: wind, vinyl, hum, rain."""
    t = time(log_uniform(r, 0.8, 8))
    low = log_uniform(r, 60, 2_000)
    y = band(noise(r, len(t)), low, low * log_uniform(r, 2, 20))
    slow = np.interp(t, np.linspace(0, t[-1], 12), r.uniform(0.3, 1, 12))
    if r.random() < 0.4:
        crackle = (r.random(len(t)) < log_uniform(r, 3e-5, 1e-3)) * r.standard_normal(len(t))
        y = 0.2 * y + 20 * band(crackle, 500, 9_000)
    return y * slow * envelope(t, r.uniform(0.01, 0.5), r.uniform(0.01, 0.5))


def zap(r: Random) -> np.ndarray:
    """Lasers, glitches, sweeps: what is called an effect."""
    t = time(log_uniform(r, 0.08, 1.5))
    start, end = log_uniform(r, 80, 9_000), log_uniform(r, 40, 6_000)
    hertz = start * (end / start) ** (t / t[-1]) ** r.uniform(0.3, 2)
    hertz = hertz * (1 + r.uniform(0, 0.5) * np.sign(np.sin(2 * np.pi * r.uniform(3, 60) * t)))
    y = wave(r, hertz, str(r.choice(["sine", "saw", "square"])))
    if r.random() < 0.4:
        y *= np.sin(2 * np.pi * log_uniform(r, 10, 2_000) * t)
    if r.random() < 0.3:
        y = y + 0.5 * noise(r, len(t)) * (np.sin(2 * np.pi * r.uniform(5, 40) * t) > 0)
    return y * decay(t, t[-1] * r.uniform(0.7, 4))
