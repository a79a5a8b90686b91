"""Coefficient of variation: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from math import fsum, inf, sqrt
from typing import ClassVar

from streamal.core.strategies.value_strategy import CommitteeValueStrategy, variance_of

__all__ = ["CoefficientOfVariation"]


class CoefficientOfVariation(CommitteeValueStrategy):
    """How far apart the committee's numbers are, in proportion to their size.

    For numbers whose errors matter relative to them, such as prices and counts. Around zero it is
    dominated by the sign; take `variance` where zero is a number like any other.

    Formula:
        c / (c + s), where c is the standard deviation of the members' numbers divided by the
        absolute value of their mean, and s its running mean over the recent past.

    Range:
        0 when all members agree, one half for an item of ordinary disagreement, 1 when fewer than
        two members have learned two different numbers, or they disagree about zero.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> strategy = CoefficientOfVariation()
        >>> strategy.commit(Context("past", {}, Production(), committee_values=(90.0, 110.0)))
        >>> large = Context("e1", {}, Production(), committee_values=(9000.0, 11000.0))
        >>> small = Context("e2", {}, Production(), committee_values=(1.0, 3.0))
        >>> round(strategy.score(large), 3), round(strategy.score(small), 3)
        (0.5, 0.833)

    References:
        Burbidge, R., Rowland, J. J., and King, R. D. (2007). Active learning for regression based
        on query by committee. IDEAL 2007, LNCS 4881, 209-218; theirs is the variance.
    """

    name: ClassVar[str] = "coefficient_of_variation"

    def disagreement(self, values: tuple[float, ...]) -> float:
        """See the class; infinite when the mean is zero and the members disagree."""
        deviation, mean = sqrt(variance_of(values)), abs(fsum(values) / len(values))
        if deviation == 0.0:
            return 0.0
        return deviation / mean if mean else inf
