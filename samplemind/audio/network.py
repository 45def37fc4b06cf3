"""The small networks that weigh what speaks for a tempo or a metre, and their stored constants."""

from functools import cache
from importlib.resources import files
from typing import NamedTuple

import numpy as np

CLIP = 5.0
"""Deviations: beyond them a trait says nothing new."""


class Network(NamedTuple):
    """One hidden layer beside a linear part, fitted by benchmarks/fit_rhythm.py.

    `centre, scale: (traits,)`, `hidden: (traits, units)`, `bias: (units,)`,
    `out: (units, answers)`, `linear: (traits, answers)`; `sharpness` scales utilities so that
    shares are what they promise on sounds left out.
    """

    centre: np.ndarray
    scale: np.ndarray
    hidden: np.ndarray
    bias: np.ndarray
    out: np.ndarray
    linear: np.ndarray
    sharpness: np.ndarray

    def utility(self, traits: np.ndarray) -> np.ndarray:
        """`(n, answers)` for the traits `(n, traits)`; the softmax of it are shares."""
        x = np.clip((traits - self.centre) / self.scale, -CLIP, CLIP)
        found = np.tanh(x @ self.hidden + self.bias) @ self.out + x @ self.linear
        return self.sharpness * found


@cache
def network(name: str) -> Network:
    """The one stored beside this module as NAME.npz."""
    with files("samplemind.audio").joinpath(f"{name}.npz").open("rb") as file, np.load(file) as it:
        return Network(**it)


def shares(utility: np.ndarray) -> np.ndarray:
    """`(n,)`, sum 1, of utilities `(n,)`."""
    share = np.exp(utility - utility.max())
    return share / share.sum()
