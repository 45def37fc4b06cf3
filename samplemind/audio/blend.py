"""Several sounds as one point to search from."""

from collections.abc import Sequence

import numpy as np

_AWAY = 0.5


def blend(
    likes: Sequence[Sequence[float]], unlikes: Sequence[Sequence[float]] = ()
) -> tuple[float, ...]:
    """Unit vector: the mean of `likes`, moved away from the mean of `unlikes`.

    All are embeddings (samplemind.audio.embedding); there is at least one to be like. This is
    relevance feedback by J. Rocchio (1971; Manning, Raghavan and Schütze, Introduction to
    Information Retrieval, 9.1.1): the vector whose cosine is on average the highest with the
    likes and the lowest with the unlikes. What is liked weighs more, as it is recommended there:
    it says what is sought, while everything else in the library is unlike too. Half weight keeps
    a result that is as near to one like as it is to one unlike; with full weight, kicks without
    their ring would be led to whatever has the least in common with any kick.
    """
    towards = np.mean(likes, axis=0)
    away = np.mean(unlikes, axis=0) if len(unlikes) else np.zeros_like(towards)
    point = towards - _AWAY * away
    return tuple((point / max(float(np.linalg.norm(point)), 1e-9)).tolist())
