"""Several strategies at once, whose scores become one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

import numpy as np

from streamal.core.features import Vector
from streamal.core.strategies.combination import (
    DEFAULT_PARTS,
    PARTS,
    WEIGHTED_PARTS,
    Fusion,
    Part,
)


class Maximum(Fusion):
    """Several strategies at once: the highest of their scores.

    Use it when being informative in one way is reason enough. A part that knows nothing scores 1
    for every item and so hides all others: a committee strategy without a committee, or
    production's probabilities where production publishes none.

    Formula:
        max(s) over the scores s of the parts.

    Range:
        that of the parts; 1 as soon as one of them knows nothing.

    Args:
        strategies: 2 to 8 parts, each a registered `strategy` that is not itself a combination, and
            its `parameters`.

    Examples:
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> model = {"cat": 0.9, "dog": 0.1}
        >>> context = Context("e1", {}, Production("dog"), model, expected_correct=0.1)
        >>> Maximum().score(Batch.of([context]))
        array([0.9])

    References:
        The max rule of Kittler, J., Hatef, M., Duin, R. P. W., and Matas, J. (1998). On combining
        classifiers. IEEE Transactions on Pattern Analysis and Machine Intelligence 20 (3), 226-239.
    """

    name: ClassVar[str] = "max"

    def __init__(self, strategies: Annotated[tuple[Part, ...], PARTS] = DEFAULT_PARTS) -> None:
        super().__init__(strategies)

    def combined(self, scores: Sequence[Vector]) -> Vector:
        """See the class."""
        highest: Vector = np.max(scores, axis=0)
        return highest


class WeightedSum(Fusion):
    """Several strategies at once: the weighted mean of their scores.

    Scores of different strategies are all in [0, 1] but not equally spread, so weights are not
    shares of the budget: of two parts with equal weights, the one whose scores vary more decides
    more. Use it when an item should be informative in several ways at once.

    Formula:
        sum(w * s) / sum(w) over the scores s of the parts with weights w.

    Range:
        between the smallest and the largest score of the parts; 1 when all of them know nothing.

    Args:
        strategies: 2 to 8 parts, each a registered `strategy` that is not itself a combination, its
            `weight` above 0 (1 when left out) and its `parameters`.

    Examples:
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.strategies import build_strategy
        >>> from streamal.core.types import Context, Production
        >>> parts = [{"strategy": "margin", "weight": 3}, {"strategy": "expected_error"}]
        >>> strategy = build_strategy("weighted_sum", {"strategies": parts})
        >>> model = {"cat": 0.7, "dog": 0.3}
        >>> context = Context("e1", {}, Production("dog"), model, expected_correct=0.3)
        >>> strategy.score(Batch.of([context]))
        array([0.625])

    References:
        The sum rule of Kittler, J., Hatef, M., Duin, R. P. W., and Matas, J. (1998). On combining
        classifiers. IEEE Transactions on Pattern Analysis and Machine Intelligence 20 (3), 226-239.
    """

    name: ClassVar[str] = "weighted_sum"

    def __init__(
        self, strategies: Annotated[tuple[Part, ...], WEIGHTED_PARTS] = DEFAULT_PARTS
    ) -> None:
        super().__init__(strategies)
        total = sum(part.weight for part in strategies)
        self._shares = tuple(part.weight / total for part in strategies)

    def combined(self, scores: Sequence[Vector]) -> Vector:
        """See the class."""
        total = np.zeros(len(scores[0]))
        for share, of_part in zip(self._shares, scores, strict=True):
            total += share * of_part
        return total
