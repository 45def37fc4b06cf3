"""The peak between the samples."""

import numpy as np

_OVERSAMPLING = 4
_TAPS = 24


class TruePeak:
    """Largest absolute value after oversampling four times (BS.1770-4 annex 2).

    An interpolated value is bound by the samples under the filter, so only the stretches that
    could beat the largest value so far are interpolated.
    """

    _STRETCH = 64
    _STEP = 16
    _BATCH = 128

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
        self._rest = np.zeros((channels, _TAPS), np.float32)
        self._peak = 0.0

    def push(self, block: np.ndarray) -> None:
        block = np.concatenate([self._rest, block], axis=1)
        for channel in block:
            self._scan(channel)
        # What no whole stretch covered is looked at again, with what follows it.
        covered = max(0, block.shape[1] - _TAPS + 1) // self._STRETCH * self._STRETCH
        self._rest = block[:, covered:].copy()

    def result(self) -> float:
        self.push(np.zeros((len(self._rest), _TAPS + self._STRETCH), np.float32))
        return self._peak

    def _scan(self, channel: np.ndarray) -> None:
        count = max(0, len(channel) - _TAPS + 1) // self._STRETCH
        if not count:
            return
        rows = channel[: count * self._STRETCH].reshape(count, self._STRETCH)
        loudest = np.maximum(rows.max(axis=1), -rows.min(axis=1))
        rest = float(np.abs(channel[count * self._STRETCH :]).max(initial=0))
        self._peak = max(self._peak, float(loudest.max()), rest)
        # A stretch's filters reach into the next one.
        reach = np.maximum(loudest, np.append(loudest[1:], np.float32(rest)))
        hopeful = np.flatnonzero(reach * self._growth > self._peak)
        hopeful = hopeful[np.argsort(-reach[hopeful])]
        view = np.lib.stride_tricks.sliding_window_view
        stretches = view(channel, self._STRETCH + _TAPS - 1)[:: self._STRETCH]
        for start in range(0, len(hopeful), self._BATCH):
            batch = hopeful[start : start + self._BATCH]
            batch = batch[reach[batch] * self._growth > self._peak]
            if not len(batch):
                return
            windows = view(stretches[batch], len(self._between), axis=1)[:, :: self._STEP]
            # Rows that overlap in memory would not go to the BLAS.
            between = windows.reshape(-1, len(self._between)) @ self._between
            self._peak = max(self._peak, float(np.abs(between).max()))
