"""Variance: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from typing import ClassVar

from streamal.core.strategies.value_strategy import CommitteeValueStrategy, variance_of

__all__ = ["Variance"]


class Variance(CommitteeValueStrategy):
    """How far apart the committee's numbers are.

    Where the labels so far leave room for different answers, members that each learned a bootstrap
    of them differ. Prefers items with large numbers where errors grow with the number;
    `coefficient_of_variation` does not.

    Formula:
        v / (v + s), where v is the variance of the members' numbers and s its running mean over the
        recent past.

    Range:
        0 when all members agree, one half for an item of ordinary disagreement, 1 when fewer than
        two members have learned two different numbers.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> strategy = Variance()
        >>> for spread in (1.0, 2.0, 3.0):
        ...     past = Context("past", {}, Production(), committee_values=(10.0, 10.0 + spread))
        ...     strategy.commit(past)
        >>> context = Context("e1", {}, Production(), committee_values=(10.0, 16.0))
        >>> round(strategy.score(context), 3)
        0.885

    References:
        Burbidge, R., Rowland, J. J., and King, R. D. (2007). Active learning for regression based
        on query by committee. IDEAL 2007, LNCS 4881, 209-218.
    """

    name: ClassVar[str] = "variance"

    def disagreement(self, values: tuple[float, ...]) -> float:
        """See the class."""
        return variance_of(values)
