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
    _BATCH = 128

    def __init__(self, channels: int) -> None:
        half = _OVERSAMPLING * _TAPS // 2
        prototype = np.sinc(np.arange(-half, half) / _OVERSAMPLING)
        prototype *= np.kaiser(2 * half + 1, 5)[:-1]
        # The first phase returns the samples themselves.
        phases = prototype.reshape(_TAPS, _OVERSAMPLING)[::-1, 1:]
        self._phases = np.ascontiguousarray(phases, dtype=np.float32)
        self._growth = float(np.abs(phases).sum(axis=0).max())
        self._rest = np.zeros((channels, _TAPS), np.float32)
        self._peak = 0.0

    def push(self, block: np.ndarray) -> None:
        for channel in np.concatenate([self._rest, block], axis=1):
            self._scan(channel)
        # What no whole stretch covered is looked at again, with what follows it.
        length = self._rest.shape[1] + block.shape[1]
        covered = max(0, length - _TAPS + 1) // self._STRETCH * self._STRETCH
        self._rest = np.concatenate([self._rest, block], axis=1)[:, covered:]

    def result(self) -> float:
        self.push(np.zeros((len(self._rest), _TAPS + self._STRETCH), np.float32))
        return self._peak

    def _scan(self, channel: np.ndarray) -> None:
        count = max(0, len(channel) - _TAPS + 1) // self._STRETCH
        if not count:
            return
        whole = channel[: len(channel) // self._STRETCH * self._STRETCH]
        loudest = np.abs(whole).reshape(-1, self._STRETCH).max(axis=1)
        self._peak = max(self._peak, float(np.abs(channel).max()))
        # A stretch's filters reach into the next one.
        reach = loudest[:count].copy()
        np.maximum(reach[:-1], loudest[1:count], out=reach[:-1])
        reach[-1] = max(reach[-1], float(np.abs(channel[count * self._STRETCH :]).max(initial=0)))
        hopeful = np.flatnonzero(reach * self._growth > self._peak)
        hopeful = hopeful[np.argsort(-reach[hopeful])]
        view = np.lib.stride_tricks.sliding_window_view
        stretches = view(channel, self._STRETCH + _TAPS - 1)[:: self._STRETCH]
        for start in range(0, len(hopeful), self._BATCH):
            batch = hopeful[start : start + self._BATCH]
            batch = batch[reach[batch] * self._growth > self._peak]
            if not len(batch):
                return
            between = view(stretches[batch], _TAPS, axis=1) @ self._phases
            self._peak = max(self._peak, float(np.abs(between).max()))
