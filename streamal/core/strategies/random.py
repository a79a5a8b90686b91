"""Random: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from typing import ClassVar

from streamal.core.strategies.base import ANY_TASK, MAXIMUM, Strategy
from streamal.core.types import Context, Task

__all__ = ["Random"]


class Random(Strategy):
    """Every item alike: the baseline that any other strategy has to beat.

    A budget policy routes equal scores with equal propensity, so this samples uniformly at the
    budget.

    Formula:
        1 for every item.

    Range:
        always 1.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> Random().score(Context("e1", {}, Production(label="cat")))
        1.0

    References:
        Cochran, W. G. (1977). Sampling techniques, 3rd edition. Wiley; chapter 2, simple random
        sampling.
    """

    name: ClassVar[str] = "random"

    @property
    def tasks(self) -> frozenset[Task]:
        """Any: nothing is looked at."""
        return ANY_TASK

    def score(self, context: Context) -> float:  # noqa: ARG002 - the baseline looks at nothing
        """See the class."""
        return MAXIMUM
