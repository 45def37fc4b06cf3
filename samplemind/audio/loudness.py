"""Loudness by ITU-R BS.1770-4 and EBU Tech 3341/3342, fed block by block."""

import numpy as np

from samplemind.audio.block_filter import BlockFilter
from samplemind.audio.true_peak import TruePeak
from samplemind.domain.analysis import Loudness

SILENT_LUFS = -70.0
"""What silence is said to measure: the absolute gate, below which BS.1770 hears nothing."""

SILENT_DBTP = -120.0

_SHORT_TERM = 30
"""Steps of 100 ms in the 3 s window of the loudness range."""


class LoudnessMeter:
    """Takes a sound in blocks `(channels, n)` float32 at `sample_rate` Hz.

    Channels weigh 1, but the two surround channels of 5.0 and 5.1 layouts 1.41, and the LFE 0
    (BS.1770-4 table 3); a single channel is measured as one loudspeaker.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._filter = BlockFilter(k_weighting(sample_rate), channels)
        self._weights = _channel_weights(channels)
        self._step = max(1, round(sample_rate / 10))
        self._rest = np.zeros((channels, 0), np.float32)
        self._steps: list[np.ndarray] = []
        self._peaks = TruePeak(channels)

    def push(self, block: np.ndarray) -> None:
        self._peaks.push(block)
        self._collect(self._filter.push(block))

    def _collect(self, filtered: np.ndarray) -> None:
        weighted = np.concatenate([self._rest, filtered], axis=1)
        whole = weighted.shape[1] // self._step * self._step
        steps = weighted[:, :whole].reshape(len(weighted), -1, self._step)
        self._steps.append(self._weights @ np.einsum("cst,cst->cs", steps, steps) / self._step)
        self._rest = weighted[:, whole:]

    def result(self) -> Loudness:
        """`range_lu` is None for sounds too short to have a course of loudness (under 3 s)."""
        self._collect(self._filter.finish())
        steps = np.concatenate([*self._steps, np.zeros(0)])
        if len(steps) < 4:
            # Shorter than one gating block of 400 ms: the whole sound is the block.
            tail = self._weights @ np.square(self._rest).sum(axis=1)
            length = len(steps) * self._step + self._rest.shape[1]
            blocks = np.array([(steps.sum() * self._step + tail) / max(length, 1)])
        else:
            blocks = _sliding_mean(steps, 4)
        peak = self._peaks.result()
        return Loudness(
            integrated_lufs=_integrated(blocks),
            true_peak_dbtp=max(SILENT_DBTP, float(20 * np.log10(peak)))
            if peak > 0
            else SILENT_DBTP,
            range_lu=_range(_sliding_mean(steps, _SHORT_TERM)),
        )


def k_weighting(sample_rate: int) -> np.ndarray:
    """Second-order sections `(2, 6)` of the K-weighting filter at any sample rate.

    BS.1770 gives coefficients at 48 kHz only. They are those of a high shelf and a high pass whose
    analogue prototypes, warped back by the bilinear transform, have these parameters (Brecht De
    Man, "Evaluation of implementations of the EBU R128 loudness measurement", AES 145, 2018).
    """
    gain, quality, hertz = 10 ** (3.999843853973347 / 20), 0.7071752369554196, 1681.974450955533
    k = np.tan(np.pi * min(hertz / sample_rate, 0.49))
    at_edge = gain**0.4996667741545416
    shelf = [
        gain + at_edge * k / quality + k * k,
        2 * (k * k - gain),
        gain - at_edge * k / quality + k * k,
        1 + k / quality + k * k,
        2 * (k * k - 1),
        1 - k / quality + k * k,
    ]
    quality, hertz = 0.5003270373238773, 38.13547087602444
    k = np.tan(np.pi * hertz / sample_rate)
    a0 = 1 + k / quality + k * k
    # The standard leaves the numerator of the high pass at 1, -2, 1 whatever the denominator.
    high_pass = [a0, -2 * a0, a0, a0, 2 * (k * k - 1), 1 - k / quality + k * k]
    sections = np.array([shelf, high_pass])
    return sections / sections[:, 3:4]


def _channel_weights(channels: int) -> np.ndarray:
    weights = np.ones(channels)
    if channels == 5:
        weights[3:] = 1.41
    elif channels == 6:
        weights[3], weights[4:] = 0, 1.41
    return weights


def _sliding_mean(steps: np.ndarray, count: int) -> np.ndarray:
    if len(steps) < count:
        return np.zeros(0)
    return np.lib.stride_tricks.sliding_window_view(steps, count).mean(axis=1)


def _lufs(power: np.ndarray) -> np.ndarray:
    return -0.691 + 10 * np.log10(np.maximum(power, 1e-15))


def _integrated(blocks: np.ndarray) -> float:
    loud = blocks[_lufs(blocks) > SILENT_LUFS]
    if not len(loud):
        return SILENT_LUFS
    loud = loud[_lufs(loud) > _lufs(loud.mean()) - 10]
    return float(_lufs(loud.mean()))


def _range(short_term: np.ndarray) -> float | None:
    """EBU Tech 3342: from the 10th to the 95th percentile, gated 20 LU below the mean."""
    if not len(short_term):
        return None
    loud = short_term[_lufs(short_term) > SILENT_LUFS]
    if not len(loud):
        return 0.0
    gated = _lufs(loud[_lufs(loud) > _lufs(loud.mean()) - 20])
    return float(np.percentile(gated, 95) - np.percentile(gated, 10))
