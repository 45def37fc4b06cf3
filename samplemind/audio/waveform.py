"""The outline of a sound, to draw it."""

from pathlib import Path

import numpy as np

from samplemind.audio.decode import OpenSound
from samplemind.domain.sound_limits import SoundLimits


def peaks(path: Path, frames: int, points: int, limits: SoundLimits | None = None) -> np.ndarray:
    """The largest absolute sample, over all channels, of each of `points` equal stretches.

    `frames` is the length in samples a channel. Returns (points,) float64, 0 to 1 (full scale;
    what is louder is 1), to five decimals. Where there are fewer frames than points, neighbours
    share one. Raises what OpenSound does.
    """
    starts = np.arange(points) * frames // points
    ends = np.maximum(np.append(starts[1:], frames), starts + 1)
    found = np.zeros(points, np.float32)
    done = 0
    with OpenSound(path, limits=limits) as sound:
        for block in sound.blocks():
            loudest = np.abs(block, out=block).max(axis=0)
            here = slice(
                np.searchsorted(ends, done, side="right"),
                np.searchsorted(starts, done + len(loudest), side="left"),
            )
            if here.start < here.stop:
                # The last stretch goes on to the end of the block.
                begun = np.maximum(starts[here] - done, 0)
                within = loudest[: ends[here][-1] - done]
                found[here] = np.maximum(found[here], np.maximum.reduceat(within, begun))
            done += len(loudest)
    return np.round(np.minimum(found, 1).astype(np.float64), 5)
