"""A recursive filter without a recursion: what loudness is weighted by, at the speed of a BLAS."""

from functools import lru_cache

import numpy as np

_SIZE = 64
"""Samples of a block."""

_FORGOTTEN = 1e-12
"""What is left of a state that no longer matters."""


class BlockFilter:
    """A cascade of second-order sections as matrix products, which a BLAS does much faster.

    In blocks of N samples `y = H x + G s`, where s is the state of the filter before the block, and
    the next state is `P s + K x` (Burrus, "Block realization of digital filters", 1972). The
    states of all blocks come from a prefix sum that doubles its reach in each round.
    """

    def __init__(self, sections: np.ndarray, channels: int) -> None:
        self._products, self._seen, self._forward = _matrices(tuple(map(tuple, sections)))
        self._state = np.zeros((channels, len(self._forward)))
        self._rest = np.zeros((channels, 0), np.float32)

    def push(self, block: np.ndarray) -> np.ndarray:
        """Filtered `(channels, m)` float32 of what has been pushed: m is a multiple of N."""
        if self._rest.shape[1]:
            block = np.concatenate([self._rest, block], axis=1)
        whole = block.shape[1] // _SIZE
        self._rest = block[:, whole * _SIZE :].copy()
        if not whole:
            return np.zeros((len(block), 0), np.float32)
        rows = block[:, : whole * _SIZE].reshape(len(block), whole, _SIZE)
        product = rows @ self._products
        states = np.empty((*self._state.shape, whole + 1))
        states[..., 0] = self._state
        states[..., 1:] = product[..., _SIZE:].transpose(0, 2, 1)
        reach, step = 1, self._forward
        while reach <= whole and np.abs(step).max() > _FORGOTTEN:
            states[..., reach:] += step @ states[..., :-reach]
            reach, step = 2 * reach, step @ step
        self._state = states[..., -1]
        before = states[..., :-1].astype(np.float32).transpose(0, 2, 1)
        filtered = before @ self._seen
        filtered += product[..., :_SIZE]
        return filtered.reshape(len(block), -1)

    def finish(self) -> np.ndarray:
        """What is still to come, `(channels, < N)`."""
        count = self._rest.shape[1]
        return self.push(np.zeros((len(self._rest), -count % _SIZE), np.float32))[:, :count]


@lru_cache(maxsize=16)
def _matrices(sections: tuple[tuple[float, ...], ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a block's samples add to its output and to the next state, side by side `(N, N + order)`
    float32; what the state adds to the output `(order, N)` float32, and to the next state."""
    into, forward, out, through = _state_space(np.array(sections))
    powers = [np.eye(len(forward))]
    for _ in range(_SIZE):
        powers.append(forward @ powers[-1])
    seen = np.array([out @ power for power in powers[:-1]])
    response = np.concatenate([[through], seen[:-1] @ into])
    lag = np.subtract.outer(np.arange(_SIZE), np.arange(_SIZE))
    direct = np.where(lag >= 0, response[lag], 0.0)
    kept = np.array([power @ into for power in powers[-2::-1]])
    products = np.concatenate([direct.T, kept], axis=1).astype(np.float32)
    return products, seen.T.astype(np.float32), powers[-1]


def _state_space(sections: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """The cascade as `s' = A s + b x`, `y = c s + d x`: b, A, c, d (transposed direct form II)."""
    order = 2 * len(sections)
    forward, into = np.zeros((order, order)), np.zeros(order)
    # What reaches the section under way, as a sum of the states and of x.
    signal, through = np.zeros(order), 1.0
    for index, (b0, b1, b2, _, a1, a2) in enumerate(sections):
        first, second = 2 * index, 2 * index + 1
        output, direct = b0 * signal, b0 * through
        output[first] += 1
        forward[first] = b1 * signal - a1 * output
        forward[first, second] += 1
        into[first] = b1 * through - a1 * direct
        forward[second] = b2 * signal - a2 * output
        into[second] = b2 * through - a2 * direct
        signal, through = output, direct
    return into, forward, signal, through
