"""Words for a sound: what it is, then how it is."""

import numpy as np

from samplemind.audio.description import description
from samplemind.audio.features import Features
from samplemind.audio.hearing import Hearing, names
from samplemind.domain.analysis import Label, SampleKind

OTHER = "other"

_LOOPS = frozenset({"drum loop", "bass loop", "melodic loop"})
_EITHER = frozenset({"vocal", "pad", "riser", "noise", "effect"})
"""What may be played once or be looped."""

_LEAST = 0.03
_MOST = 3
_KNOWN = 0.2
"""Share of the best name below which the sound may as well be something else."""


def labels(features: Features, kind: SampleKind, hearing: Hearing) -> tuple[Label, ...]:
    """Up to three names, likeliest first, "other" before them where none is likely; then words
    that describe the sound. Scores are 0..1: of names, how likely they are. Silence has none.
    """
    if features.is_silent:
        return ()
    likely = np.where([may_be(name, kind) for name in names()], hearing.shares, 0)
    likely /= max(float(likely.sum()), 1e-9)
    order = np.argsort(-likely)[:_MOST]
    found = [Label(names()[i], float(likely[i])) for i in order if likely[i] >= _LEAST]
    if likely.max() < _KNOWN:
        found = [Label(OTHER, 1 - float(likely[order].sum())), *found]
    return (*found, *description(features))


def may_be(name: str, kind: SampleKind) -> bool:
    """Whether a sound of the kind can have the name: a kick is no loop, a track no snare."""
    if kind is SampleKind.ONE_SHOT:
        return name not in _LOOPS and name != "full track"
    if kind is SampleKind.LOOP:
        return name in _LOOPS or name in _EITHER
    return name in _LOOPS or name in ("full track", "vocal", "pad", "noise")
