"""Where the beats fall."""

import numpy as np

from samplemind.audio.onsets import ONSET_RATE

_TIGHTNESS = 100.0


def beat_times(novelty: np.ndarray, bpm: float) -> np.ndarray:
    """Seconds `(beats,)`, increasing, for the novelty `(frames,)` of the onsets at ONSET_RATE.

    Dynamic programming: the sequence that collects most novelty while its intervals keep
    to the tempo (Ellis, "Beat tracking by dynamic programming", 2007).
    """
    period = 60 * ONSET_RATE / bpm
    local = np.convolve(novelty.astype(np.float64), _bell(period / 32), "same")
    local /= max(float(local.std()), 1e-12)
    steps = np.arange(round(period / 2), round(2 * period) + 1)
    penalty = -_TIGHTNESS * np.log(steps / period) ** 2
    first = int(steps[-1])
    score = np.concatenate([np.zeros(first), local])
    before = np.full(len(score), -1)
    for now in range(first, len(score)):
        reachable = score[now - steps] + penalty
        step = int(np.argmax(reachable))
        if reachable[step] > 0:
            score[now] += reachable[step]
            before[now] = now - steps[step]
    # The last beat is the best of the last period; what it does not reach has no beat.
    last = len(score) - 1 - int(np.argmax(score[::-1][: max(1, round(period))]))
    beats = [last]
    while before[beats[-1]] >= first:
        beats.append(int(before[beats[-1]]))
    frames = np.array(beats[::-1]) - first
    return frames / ONSET_RATE


def _bell(deviation: float) -> np.ndarray:
    """A Gaussian of sum 1, out to four deviations."""
    reach = int(4 * deviation + 0.5)
    bell = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / deviation))
    return bell / bell.sum()
