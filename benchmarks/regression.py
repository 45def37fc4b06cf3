"""Multinomial logistic regression, for models of a few dozen weights."""

import numpy as np
from scipy.optimize import minimize


def fit(
    x: np.ndarray, y: np.ndarray, count: np.ndarray, classes: int, penalty: float
) -> tuple[np.ndarray, np.ndarray]:
    """Multinomial logistic regression of `y: (n,)` on `x: (n, d)`, with a quadratic penalty.

    Each case counts `count: (n,)` times. Returns weights `(classes, d)` and biases `(classes,)`.
    """
    n, d = x.shape
    truth = np.eye(classes)[y]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = flat[:-classes].reshape(classes, d), flat[-classes:]
        logits = x @ weights.T + bias
        logits -= logits.max(axis=1, keepdims=True)
        share = np.exp(logits)
        share /= share.sum(axis=1, keepdims=True)
        error = (share - truth) * count[:, None]
        total = -(count * np.log(share[np.arange(n), y] + 1e-12)).sum()
        total += penalty / 2 * np.square(weights).sum()
        gradient = np.append((error.T @ x + penalty * weights).ravel(), error.sum(axis=0))
        return total, gradient

    flat = minimize(loss, np.zeros(classes * (d + 1)), jac=True, method="L-BFGS-B").x
    return flat[:-classes].reshape(classes, d), flat[-classes:]


def counts(y: np.ndarray, shares: np.ndarray, size: np.ndarray) -> np.ndarray:
    """`(n,)` with a mean of 1: cases of which collections of `size: (n,)` count by their roots,
    and each class by its one of `shares: (classes,)`."""
    by_size = size**-0.5
    held = np.bincount(y, by_size, len(shares))
    count = by_size * (shares / np.maximum(held, 1e-9))[y]
    return count / count.mean()


def collection(source: str) -> str:
    """What a source belongs to, as all made-up styles do together: what is before a colon."""
    return source.partition(":")[0]
