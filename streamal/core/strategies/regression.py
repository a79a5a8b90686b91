"""The strategies of regression: measures in the truth's unit, brought into [0, 1]."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Final, cast

import numpy as np

from streamal.core.batch import Batch, Matrix
from streamal.core.features import Vector
from streamal.core.strategies.base import VALUES_ONLY, Strategy, within_unit
from streamal.core.types import JsonState, Task

#: Larger measures do not move the scale: one would drown it for thousands of items.
_LARGEST: Final = 1e150


class ValueStrategy(Strategy):
    """A measure u >= 0 as the score u / (u + s), with s its running mean.

    Numbers have no natural largest uncertainty as class probabilities do. Divided by the mean of
    the recent past, an item of ordinary uncertainty scores one half whatever the unit; the order of
    items is that of the measure. The mean is exact for the first `MEMORY` items and forgets
    exponentially from then on.
    """

    #: Items after which an old one has lost 63 % of its weight: a mean known to a few per cent.
    MEMORY: ClassVar[int] = 1000

    def __init__(self) -> None:
        self._count = 0
        self._mean = 0.0

    @property
    def tasks(self) -> frozenset[Task]:
        """Regression."""
        return VALUES_ONLY

    def score(self, batch: Batch) -> Vector:
        """The measure against its mean; 1 when nothing is known, one half for the first item."""
        return within_unit(np.array([self._noted(each) for each in self.measure(batch).tolist()]))

    def _noted(self, measure: float) -> float:
        """The score of one item, whose measure is then taken into the mean."""
        count, mean = self._count, self._mean
        if measure < _LARGEST:  # not so for NaN
            self._count = min(count + 1, self.MEMORY)
            self._mean += (measure - mean) / self._count
        if measure == 0.0:
            return 0.0
        return 1.0 / (1.0 + (mean if count else measure) / measure)

    def state(self) -> JsonState:
        """How many items the mean is of, up to `MEMORY`, and the mean."""
        return {"count": self._count, "mean": self._mean}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._count = cast("int", state.get("count", 0))
        self._mean = cast("float", state.get("mean", 0.0))

    @abstractmethod
    def measure(self, batch: Batch) -> Vector:
        """The measure of each item, >= 0; NaN where nothing is known."""


class CommitteeValueStrategy(ValueStrategy):
    """A measure of how much the numbers of the committee's members disagree."""

    @property
    def asks_committee(self) -> bool:
        """Always."""
        return True

    def measure(self, batch: Batch) -> Vector:
        """The disagreement; NaN with fewer than two members, or when it is no finite number."""
        measures = np.full(len(batch), np.nan)
        numbers = batch.committee_values
        sizes = np.fromiter(map(len, numbers), np.intp, len(numbers))
        for size in np.unique(sizes[sizes > 1]).tolist():
            rows = np.flatnonzero(sizes == size)
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                # In ascending order, so that no order of members changes a bit of a sum.
                found = self.disagreement(np.sort([numbers[row] for row in rows.tolist()], axis=1))
            measures[rows] = np.where(np.isfinite(found), found, np.nan)
        return measures

    @abstractmethod
    def disagreement(self, values: Matrix) -> Vector:
        """The measure over two or more numbers.

        Args:
            values: shape (m, members), each row in ascending order.
        """


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
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> def item(spread):
        ...     return Context("e", {}, Production(), committee_values=(10.0, 10.0 + spread))
        >>> Variance().score(Batch.of([item(1.0), item(2.0), item(3.0), item(6.0)])).round(3)
        array([0.5  , 0.8  , 0.783, 0.885])

    References:
        Burbidge, R., Rowland, J. J., and King, R. D. (2007). Active learning for regression based
        on query by committee. IDEAL 2007, LNCS 4881, 209-218.
    """

    name: ClassVar[str] = "variance"

    def disagreement(self, values: Matrix) -> Vector:
        """See the class."""
        return _moments(values)[1]


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
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> def item(*values):
        ...     return Context("e", {}, Production(), committee_values=values)
        >>> batch = Batch.of([item(90.0, 110.0), item(9000.0, 11000.0), item(1.0, 3.0)])
        >>> CoefficientOfVariation().score(batch).round(3)
        array([0.5  , 0.5  , 0.833])

    References:
        Burbidge, R., Rowland, J. J., and King, R. D. (2007). Active learning for regression based
        on query by committee. IDEAL 2007, LNCS 4881, 209-218; theirs is the variance.
    """

    name: ClassVar[str] = "coefficient_of_variation"

    def disagreement(self, values: Matrix) -> Vector:
        """See the class; infinite when the mean is zero and the members disagree."""
        mean, variance = _moments(values)
        return np.where(variance == 0.0, 0.0, np.sqrt(variance) / np.abs(mean))


class ExpectedAbsoluteError(ValueStrategy):
    """How far production is expected to be from the truth.

    Finds production's large errors. With `target = "label"` the expectation rises with the distance
    between production's number and the online model's, less what is known to be the model's own
    error; with `learner.target = "error"` the model learns exactly this. Needs no committee.

    Formula:
        e / (e + s), where e is the expected |production - truth| and s its running mean over the
        recent past.

    Range:
        0 when production is surely right, one half for an item of ordinary error, 1 while the
        online model knows fewer than two numbers.

    Examples:
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> def item(loss):
        ...     return Context("e", {}, Production(value=7.0), expected_loss=loss)
        >>> ExpectedAbsoluteError().score(Batch.of([item(1.0), item(3.0), item(6.0)]))
        array([0.5 , 0.75, 0.75])

    References:
        Sampling in proportion to the expected loss of the model under test: Kossen, J., Farquhar,
        S., Gal, Y., and Rainforth, T. (2021). Active testing: sample-efficient model evaluation.
        ICML 2021, PMLR 139.
    """

    name: ClassVar[str] = "expected_absolute_error"

    def measure(self, batch: Batch) -> Vector:
        """See the class."""
        return batch.expected_loss


def _moments(values: Matrix) -> tuple[Vector, Vector]:
    """Mean and population variance of each row, which is in ascending order.

    Taken from the first value on, so that equal values have a variance of exactly 0.
    """
    first, members = values[:, 0], values.shape[1]
    gaps = values - first[:, None]
    mean = gaps.sum(axis=1) / members
    gaps -= mean[:, None]
    gaps *= gaps
    return first + mean, gaps.sum(axis=1) / members
