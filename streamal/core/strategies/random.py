"""The baseline: every item alike."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from streamal.core.batch import Batch
from streamal.core.features import Vector
from streamal.core.strategies.base import ANY_TASK, MAXIMUM, Strategy
from streamal.core.types import Task


class Random(Strategy):
    """Every item alike: the baseline that any other strategy has to beat.

    A budget policy routes equal scores with equal propensity, so this samples uniformly at the
    budget.

    Formula:
        1 for every item.

    Range:
        always 1.

    Examples:
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> Random().score(Batch.of([Context("e1", {}, Production(label="cat"))]))
        array([1.])

    References:
        Cochran, W. G. (1977). Sampling techniques, 3rd edition. Wiley; chapter 2, simple random
        sampling.
    """

    name: ClassVar[str] = "random"

    @property
    def tasks(self) -> frozenset[Task]:
        """Any: nothing is looked at."""
        return ANY_TASK

    def score(self, batch: Batch) -> Vector:
        """See the class."""
        return np.full(len(batch), MAXIMUM)
