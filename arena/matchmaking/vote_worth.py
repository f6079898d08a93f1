"""What a vote on each pair of models would tell, from their ratings: the weights that pairs are drawn with. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BOOST = 5.0  # for pairs with a provisional model
UNKNOWN_VARIANCE = 4.0  # nats²: as after one vote between equals, which carries the information ¼

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def scores(strength: Floats, covariance: Floats, provisional: Bools) -> Floats:
    """Drawing weights [K, K] of all pairs of models, the largest 1.

    strength in nats, covariance in nats² with an infinite variance for a model not connected yet, provisional [K].
    """
    k = len(strength)
    if k < 2:
        return np.zeros((k, k))
    c = covariance.copy()
    unknown = ~np.isfinite(np.diag(c))
    c[unknown, unknown] = UNKNOWN_VARIANCE
    q = c @ c
    p = 1 / (1 + np.exp(np.clip(np.subtract.outer(strength, strength), -700, 700)))
    v = p * (1 - p)
    gain = v * _of_difference(q) / (1 + v * _of_difference(c))
    weight = gain**2 * np.where(np.logical_or.outer(provisional, provisional), BOOST, 1)
    np.fill_diagonal(weight, 0)
    return np.asarray(weight / weight.max() if weight.max() > 0 else 1 - np.eye(k), np.float64)


def _of_difference(matrix: Floats) -> Floats:
    """M_ii + M_jj − 2M_ij."""
    return np.asarray(np.maximum(np.add.outer(np.diag(matrix), np.diag(matrix)) - 2 * matrix, 0), np.float64)
