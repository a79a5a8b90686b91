"""Normal distributions per class and column, for many items at once."""

from __future__ import annotations

import numpy as np

from streamal.core.features import Vector
from streamal.core.learners.encoded import Table, weighted_sums


def gaussian_shares(priors: Vector, means: Table, precisions: Table, table: Table) -> Table:
    """Densities of normal distributions per class and column, which count as independent.

    Args:
        priors: what is added to the logarithm of each class's density, shape (classes,).
        means: shape (classes, columns).
        precisions: 1 / variance; as `means`.
        table: shape (columns, n).

    Returns:
        Shape (classes, n); the most probable class of an item has 1.
    """
    logs = np.empty((len(priors), table.shape[1]))
    for code, (prior, mean, precision) in enumerate(zip(priors, means, precisions, strict=True)):
        apart = table - mean[:, None]
        apart *= apart
        logs[code] = prior - 0.5 * weighted_sums(precision[None, :], apart)[0]
    shares: Table = np.exp(logs - logs.max(axis=0))
    return shares
