"""Why two sounds are alike: what each part of their embeddings adds to the cosine."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from samplemind.domain.analysis import Reasons

SIZES = {"timbre": 226, "envelope": 24, "pitch": 13, "rhythm": 26}
"""Dimensions of the parts of an embedding, in their order."""


def reasons(a: Sequence[float], b: Sequence[float]) -> Reasons:
    """Shares of the parts in the cosine of two embeddings; what speaks against it counts as none.

    The cosine is the sum over the parts: see samplemind.audio.embedding.
    """
    both = np.asarray(a) * np.asarray(b)
    edges = np.cumsum([0, *SIZES.values()])
    added = np.array([max(0.0, both[start:end].sum()) for start, end in pairwise(edges)])
    shares = added / max(float(added.sum()), 1e-9)
    return Reasons(**dict(zip(SIZES, shares.tolist(), strict=True)))
