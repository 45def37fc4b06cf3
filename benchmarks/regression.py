"""Multinomial logistic regression, for models of a few dozen weights."""

import numpy as np
from scipy.optimize import minimize

_RARITY = 0.25
"""Rare classes count more, by this power of how rare they are: at 0.5 every other reel is called
2/4, at 0 no jig is found."""


def fit(
    x: np.ndarray, y: np.ndarray, classes: int, penalty: float = 15.0
) -> tuple[np.ndarray, np.ndarray]:
    """Multinomial logistic regression of `y: (n,)` on `x: (n, d)`, with a quadratic penalty.

    Returns weights `(classes, d)` and biases `(classes,)`.
    """
    n, d = x.shape
    truth = np.eye(classes)[y]
    count = (n / classes / np.maximum(truth.sum(axis=0), 1)) ** _RARITY @ truth.T

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
