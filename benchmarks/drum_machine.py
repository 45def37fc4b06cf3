"""Drums as machines make them, over the ranges of their knobs."""

import numpy as np

from benchmarks.waves import (
    Random,
    band,
    click,
    decay,
    log_uniform,
    noise,
    saturated,
    sweep,
    time,
)


def kick(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.12, 1.6)
    t = time(length)
    low, rise = log_uniform(r, 36, 75), log_uniform(r, 1.2, 16)
    course = low * (1 + rise * np.exp(-t / log_uniform(r, 0.004, 0.06)))
    y = np.sin(sweep(course) + r.uniform(0, 1.5)) * decay(t, length * r.uniform(0.5, 1.2))
    y += r.uniform(0, 0.6) * click(r, t)
    if r.random() < 0.4:
        y += r.uniform(0, 0.3) * band(noise(r, len(t)), 60, r.uniform(300, 3_000)) * decay(t, 0.1)
    return saturated(r, y) if r.random() < 0.5 else y


def tom(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.2, 1.2)
    t = time(length)
    low = log_uniform(r, 70, 280)
    course = low * (1 + r.uniform(0.05, 0.8) * np.exp(-t / r.uniform(0.02, 0.2)))
    y = np.sin(sweep(course)) * decay(t, length)
    y += r.uniform(0, 0.4) * np.sin(sweep(course * r.uniform(1.5, 1.7))) * decay(t, length / 2)
    y += r.uniform(0, 0.3) * band(noise(r, len(t)), 100, r.uniform(800, 5_000)) * decay(t, 0.15)
    return y + r.uniform(0, 0.3) * click(r, t)


def snare(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.1, 0.7)
    t = time(length)
    body = log_uniform(r, 130, 280)
    course = body * (1 + r.uniform(0, 1) * np.exp(-t / 0.02))
    y = r.uniform(0.2, 1) * np.sin(sweep(course)) * decay(t, length * r.uniform(0.3, 0.9))
    y += r.uniform(0, 0.6) * np.sin(sweep(course * r.uniform(1.5, 2.2))) * decay(t, length * 0.4)
    wires = band(noise(r, len(t)), log_uniform(r, 200, 2_500), r.uniform(6_000, 19_000))
    y += r.uniform(0.3, 1) * wires * decay(t, length * r.uniform(0.4, 1.1))
    y += r.uniform(0, 0.5) * click(r, t)
    return saturated(r, y) if r.random() < 0.3 else y


def clap(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.15, 0.8)
    t = time(length)
    tone = band(noise(r, len(t)), log_uniform(r, 600, 1_500), log_uniform(r, 1_800, 9_000))
    envelope = np.zeros_like(t)
    start = 0.0
    for _ in range(r.integers(2, 6)):
        after = t >= start
        burst = r.uniform(0.6, 1) * np.exp(-(t - start) / r.uniform(0.003, 0.01))
        envelope += np.where(after, burst, 0)
        start += r.uniform(0.006, 0.018)
    envelope += np.where(t >= start, decay(np.maximum(t - start, 0), length), 0) * r.uniform(0.3, 1)
    return tone * envelope


def metal(r: Random, t: np.ndarray) -> np.ndarray:
    """Squares at inharmonic ratios, as in analog cymbals, or noise, or both."""
    base = log_uniform(r, 200, 600)
    ratios = np.sort(r.uniform(1, 5, 6))
    squares = sum(np.sign(np.sin(2 * np.pi * base * ratio * t)) for ratio in ratios)
    mix = r.choice([0, 1, r.random()])
    return mix * np.asarray(squares) / 6 + (1 - mix) * noise(r, len(t))


def closed_hat(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.03, 0.16)
    t = time(length * 1.2)
    y = band(metal(r, t), log_uniform(r, 3_000, 10_000), None, order=int(r.integers(2, 5)))
    return y * decay(t, length)


def open_hat(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.3, 1.4)
    t = time(length)
    y = band(metal(r, t), log_uniform(r, 3_000, 9_000), None, order=int(r.integers(2, 5)))
    held = np.where(t < 0.2 * length, 1, decay(np.maximum(t - 0.2 * length, 0), 0.8 * length))
    return y * (decay(t, length) if r.random() < 0.6 else held)


def crash(r: Random) -> np.ndarray:
    length = log_uniform(r, 1, 4)
    t = time(length)
    y = band(metal(r, t), log_uniform(r, 300, 4_000), None) * decay(t, length)
    return y + band(noise(r, len(t)), 3_000, None) * decay(t, r.uniform(0.2, 1))


def ride(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.6, 3)
    t = time(length)
    ping = np.zeros_like(t)
    for _ in range(r.integers(4, 12)):
        hertz = log_uniform(r, 400, 9_000)
        ping += (
            r.uniform(0.2, 1) * np.sin(2 * np.pi * hertz * t) * decay(t, length * r.uniform(0.3, 1))
        )
    wash = band(metal(r, t), log_uniform(r, 2_000, 7_000), None) * decay(t, length)
    return r.uniform(0.3, 1) * ping + r.uniform(0.3, 1.5) * wash + 0.6 * click(r, t)


def rim(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.03, 0.2)
    t = time(length)
    y = np.zeros_like(t)
    for _ in range(r.integers(1, 4)):
        y += r.uniform(0.3, 1) * np.sin(2 * np.pi * log_uniform(r, 400, 2_600) * t)
    return y * decay(t, length) + r.uniform(0.2, 1) * click(r, t)


def shaker(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.06, 0.4)
    t = time(length)
    attack = r.uniform(0.1, 0.5) * length
    envelope = np.where(t < attack, (t / attack) ** 2, decay(np.maximum(t - attack, 0), length))
    y = band(noise(r, len(t)), log_uniform(r, 2_500, 7_000), r.uniform(9_000, 20_000))
    if r.random() < 0.3:
        for _ in range(4):
            y += 2 * np.sin(2 * np.pi * log_uniform(r, 4_000, 12_000) * t)
    return y * envelope


def cowbell(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.12, 0.8)
    t = time(length)
    base = log_uniform(r, 350, 900)
    wave = np.sign if r.random() < 0.6 else np.asarray
    y = wave(np.sin(2 * np.pi * base * t)) + wave(
        np.sin(2 * np.pi * base * r.uniform(1.4, 1.6) * t)
    )
    y = band(y, base * 0.8, base * r.uniform(3, 8))
    return y * (0.6 * decay(t, length) + 0.4 * decay(t, length / 5)) + 0.1 * click(r, t)


def conga(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.12, 0.7)
    t = time(length)
    base = log_uniform(r, 150, 520)
    course = base * (1 + r.uniform(0, 0.15) * np.exp(-t / 0.02))
    y = np.sin(sweep(course)) * decay(t, length)
    for ratio in (1.5, 2.0, 2.4):
        y += (
            r.uniform(0, 0.4)
            * np.sin(sweep(course * ratio * r.uniform(0.97, 1.03)))
            * decay(t, length / 3)
        )
    return y + r.uniform(0.1, 0.7) * click(r, t)


def tabla(r: Random) -> np.ndarray:
    length = log_uniform(r, 0.2, 1.4)
    t = time(length)
    if r.random() < 0.5:
        base = log_uniform(r, 70, 130)
        course = base * (1 + r.uniform(-0.3, 0.6) * (1 - np.exp(-t / r.uniform(0.05, 0.3))))
    else:
        course = np.full_like(t, log_uniform(r, 220, 420))
    y = np.zeros_like(t)
    for harmonic in range(1, 6):
        y += r.uniform(0.1, 1) * np.sin(sweep(course * harmonic)) * decay(t, length / harmonic**0.7)
    return y + r.uniform(0.1, 0.6) * click(r, t)
