"""The peak between the samples."""

import numpy as np

_OVERSAMPLING = 4
_TAPS = 24


class TruePeak:
    """Largest absolute value after oversampling four times (BS.1770-4 annex 2).

    An interpolated value is bound by the samples under the filter, so only the stretches that
    could beat the largest value so far are interpolated. There are two bounds: the filter's growth
    of any samples; and, closer for all that is not mostly treble, how far what it returns may lie
    from the straight line between two samples, as the second differences are small.
    """

    _ROW = 1_024
    _STRETCH = 64
    _STEP = 16
    _BATCH = 512

    def __init__(self, channels: int) -> None:
        half = _OVERSAMPLING * _TAPS // 2
        prototype = np.sinc(np.arange(-half, half) / _OVERSAMPLING)
        prototype *= np.kaiser(2 * half + 1, 5)[:-1]
        # The first phase returns the samples themselves.
        phases = prototype.reshape(_TAPS, _OVERSAMPLING)[::-1, 1:]
        # One matrix product gives what lies between _STEP samples, of which a BLAS does many.
        self._between = np.zeros((self._STEP + _TAPS - 1, self._STEP, phases.shape[1]), np.float32)
        for at in range(self._STEP):
            self._between[at : at + _TAPS, at] = phases
        self._between = self._between.reshape(len(self._between), -1)
        self._growth = float(np.abs(phases).sum(axis=0).max())
        self._line, self._bend = _bounds(phases)
        self._rest = np.zeros((channels, _TAPS), np.float32)
        self._peak = 0.0

    def push(self, block: np.ndarray) -> None:
        block = np.concatenate([self._rest, block], axis=1)
        for channel in block:
            self._scan(channel)
        # What no whole row covered is looked at again, with what follows it.
        covered = max(0, block.shape[1] - _TAPS + 1) // self._ROW * self._ROW
        self._rest = block[:, covered:].copy()

    def result(self) -> float:
        self.push(np.zeros((len(self._rest), _TAPS + self._ROW), np.float32))
        return self._peak

    def _scan(self, channel: np.ndarray) -> None:
        count = max(0, len(channel) - _TAPS + 1) // self._ROW
        if not count:
            return
        rows = channel[: count * self._ROW].reshape(count, self._ROW)
        loudest = np.maximum(rows.max(axis=1), -rows.min(axis=1))
        rest = float(np.abs(channel[count * self._ROW :]).max(initial=0))
        self._peak = max(self._peak, float(loudest.max()), rest)
        # A row's filters reach into the next one; so do a stretch's.
        near = _with_next(loudest, rest) * self._growth > self._peak
        stretches_a_row = self._ROW // self._STRETCH
        loudest = np.repeat(loudest, stretches_a_row)
        loudest[np.repeat(near, stretches_a_row)] = _largest(rows[near].reshape(-1, self._STRETCH))
        reach = _with_next(loudest, rest)
        hopeful = np.flatnonzero(reach * self._growth > self._peak)
        hopeful = hopeful[np.argsort(-reach[hopeful])]
        view = np.lib.stride_tricks.sliding_window_view
        stretches = view(channel, self._STRETCH + _TAPS - 1)[:: self._STRETCH]
        for start in range(0, len(hopeful), self._BATCH):
            batch = hopeful[start : start + self._BATCH]
            batch = batch[reach[batch] * self._growth > self._peak]
            if not len(batch):
                return
            samples = stretches[batch]
            bend = _largest(np.diff(samples, 2, axis=1))
            samples = samples[self._line * reach[batch] + self._bend * bend > self._peak]
            windows = view(samples, len(self._between), axis=1)[:, :: self._STEP]
            # Rows that overlap in memory would not go to the BLAS.
            between = windows.reshape(-1, len(self._between)) @ self._between
            self._peak = max(self._peak, float(np.abs(between).max(initial=0)))


def _with_next(loudest: np.ndarray, rest: float) -> np.ndarray:
    return np.maximum(loudest, np.append(loudest[1:], np.float32(rest)))


def _largest(rows: np.ndarray) -> np.ndarray:
    """Largest absolute value of each row, twice as fast as numpy's maximum of short rows."""
    values = np.abs(rows)
    while (width := values.shape[1]) > 1:
        half = (width + 1) // 2
        values = np.maximum(values[:, :half], values[:, width - half :])
    return values[:, 0]


def _bounds(phases: np.ndarray) -> tuple[float, float]:
    """What the filters `(taps, phases)` return is at most so many times the largest sample, plus
    so many times the largest second difference.

    A phase is a straight line between its two middle samples, and a rest whose sum and moment are
    zero, so that it is a sum of second differences.
    """
    at = np.arange(len(phases))
    total = phases.sum(axis=0)
    centre = at @ phases / total
    line = np.maximum(0, 1 - np.abs(at[:, None] - centre))
    differences = np.cumsum(np.cumsum(phases - total * line, axis=0), axis=0)
    return float(total.max()), float(np.abs(differences).sum(axis=0).max())
