"""Sounds of known sort, synthesised at random: drum machines, tones, effects.

Samples of one sort differ from library to library more than from each other within one; what is
learnt from few libraries must not depend on theirs. Every sound here has parameters of its own,
over the ranges that drum machines and synthesizers have.
"""

from collections.abc import Callable

import numpy as np

from benchmarks.drum_machine import (
    clap,
    closed_hat,
    conga,
    cowbell,
    crash,
    kick,
    open_hat,
    ride,
    rim,
    shaker,
    snare,
    tabla,
    tom,
)
from benchmarks.effects import downlifter, impact, riser, texture, zap
from benchmarks.tones import bass, bell, lead, pad, pluck, vocal
from benchmarks.waves import Random, band, log_uniform, reverberated, saturated

Maker = Callable[[Random], np.ndarray]

ONE_SHOTS: dict[str, tuple[Maker, ...]] = {
    "kick": (kick,),
    "snare": (snare,),
    "clap": (clap,),
    "closed hat": (closed_hat,),
    "open hat": (open_hat,),
    "crash": (crash,),
    "ride": (ride,),
    "tom": (tom,),
    "rim": (rim,),
    "shaker": (shaker,),
    "cowbell": (cowbell,),
    "conga": (conga,),
    "tabla": (tabla,),
    "bass": (bass,),
    "pad": (pad,),
    "lead": (lead,),
    "pluck": (pluck,),
    "bell": (bell,),
    "vocal": (vocal,),
    "riser": (riser,),
    "impact": (impact,),
    "noise": (texture,),
    "effect": (zap, downlifter),
}


def processed(r: Random, y: np.ndarray) -> np.ndarray:
    """What producers do to a sound: a room, drive, tilt, fewer bits or a lower rate, a slower tape.

    Returns `(n,)` float32 with a peak of 0.9.
    """
    if r.random() < 0.25:
        y = reverberated(r, y, log_uniform(r, 0.1, 1.8))
    if r.random() < 0.2:
        y = saturated(r, y)
    if r.random() < 0.35:
        tilt = band(y, None, log_uniform(r, 400, 4_000), order=1)
        y = y + r.uniform(-0.8, 2) * tilt
    if r.random() < 0.12:
        y = band(y, None, log_uniform(r, 2_500, 12_000), order=4)
    if r.random() < 0.08:
        steps = 2.0 ** r.integers(5, 10)
        y = np.round(y / max(np.abs(y).max(), 1e-9) * steps) / steps
    if r.random() < 0.15:
        factor = log_uniform(r, 0.8, 1.25)
        y = np.interp(np.arange(0, len(y) - 1, factor), np.arange(len(y)), y)
    y = y - y.mean()
    return (0.9 * y / max(np.abs(y).max(), 1e-9)).astype(np.float32)
