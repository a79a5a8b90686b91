"""A River regressor behind a contract: finite numbers in, finite numbers out, or nothing."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import numpy as np
from river.base import Regressor
from river.compose import Pipeline

from streamal.core.features import Vector
from streamal.core.learners.encoded import Encoded
from streamal.core.learners.regression.mixture import FixedShareRegressor
from streamal.core.learners.regression.neighbours import NearestNeighbours
from streamal.core.learners.river_classes import if_imported
from streamal.errors import Reject

__all__ = ["LARGEST_VALUE", "GuardedRegressor", "RiverRegressor"]

RiverRegressor: TypeAlias = "Regressor | Pipeline"

_LINEAR: Final = "streamal.core.learners.regression.normalised_linear"

#: What a regressor says of many items, shape (n,); NaN where it has no answer.
Values: TypeAlias = Callable[[Encoded], Vector]

#: Larger magnitudes are refused: their squares, which variances sum up, would overflow.
LARGEST_VALUE: Final = 1e100

#: What arithmetic on odd data raises. Anything else is a defect and must surface.
_ODD_DATA: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def _takes_weight(model: RiverRegressor) -> bool:
    """Whether `learn_one` makes use of a sample weight `w`."""
    if isinstance(model, Pipeline):
        return _takes_weight(next(reversed(model.steps.values())))
    return "w" in inspect.signature(model.learn_one).parameters


class GuardedRegressor:
    """A River regressor whose output can be relied on.

    Gradient steps have a length in the unit of the truth: the same learning rate that crawls
    towards thousands is thrown off by them when the truth is around one. Where asked to, the
    regressor therefore sees the truth in standard deviations from its running mean.

    Predictions stay within one range of the learned truths beyond them: a line that is
    extrapolated to a wild feature would otherwise dominate every mean that it enters.

    Args:
        model: any River regressor, or a pipeline that ends in one, that has learned nothing.
        scale: whether the regressor sees standardised truths.
    """

    #: How it predicts many items at once, and the names of the columns for which it does, until it
    #: learns.
    _values: tuple[tuple[str, ...], Values] | None = None

    def __init__(self, model: RiverRegressor, *, scale: bool) -> None:
        self._model = model
        self._weighted = _takes_weight(model)
        self._scale = scale
        self._count = 0.0
        self._mean = 0.0
        self._squares = 0.0
        self._low = math.inf
        self._high = -math.inf

    def __getstate__(self) -> dict[str, Any]:
        """All but what was derived."""
        return {name: value for name, value in self.__dict__.items() if name != "_values"}

    def predict(self, columns: Encoded) -> Vector:
        """Finite numbers; NaN before two different truths, and where River has no answer."""
        if not self._low < self._high:
            return np.full(len(columns), np.nan)
        with np.errstate(all="ignore"):
            values = self._raw(columns)
            values[~np.isfinite(values)] = np.nan
            if self._scale:
                values = self._mean + values * self._deviation
        width = self._high - self._low
        return np.clip(values, self._low - width, self._high + width)

    def _raw(self, columns: Encoded) -> Vector:
        if not columns.fixed:
            return _asked(self._model)(columns)
        if self._values is None or self._values[0] != columns.names:
            self._values = columns.names, _values(self._model, columns.names)
        return self._values[1](columns)

    def learn(
        self, columns: Mapping[str, Any], value: float, *, weight: float = 1.0, copies: int = 1
    ) -> None:
        """Learn one item.

        Args:
            columns: as the regressor expects them.
            value: the true number.
            weight: importance, > 0; has no effect on a regressor that takes no weights.
            copies: how often the item is learned, >= 1; one weighted step where weights are taken.

        Raises:
            Reject: `unlearnable`, when the value is not finite or too large, or River cannot work
                with these columns.
        """
        if not -LARGEST_VALUE <= value <= LARGEST_VALUE:
            raise Reject("unlearnable", f"{value} is not within ±{LARGEST_VALUE:g}")
        self._values = None
        self._note(value)
        target = (value - self._mean) / self._deviation if self._scale else value
        try:
            if self._weighted:
                self._model.learn_one(columns, target, w=weight * copies)
            else:
                for _ in range(copies):
                    self._model.learn_one(columns, target)
        except _ODD_DATA as error:
            name = type(self._model).__name__
            raise Reject("unlearnable", f"{name}: {type(error).__name__}: {error}") from error

    def _note(self, value: float) -> None:
        """Welford's update of the truths' mean and variance."""
        self._low, self._high = min(self._low, value), max(self._high, value)
        self._count += 1
        before = value - self._mean
        self._mean += before / self._count
        self._squares += before * (value - self._mean)

    @property
    def _deviation(self) -> float:
        """Standard deviation of the truths so far; 1 while they are all the same."""
        return math.sqrt(self._squares / self._count) if self._squares > 0 else 1.0


def _values(model: RiverRegressor, names: tuple[str, ...]) -> Values:
    """How a regressor predicts many items at once."""
    if type(model) is FixedShareRegressor:
        experts = [_values(expert, names) for expert in model.experts]
        return lambda columns: model.mean([expert(columns) for expert in experts])
    if type(model) is if_imported(_LINEAR, "NormalisedLinearRegression"):
        values: Values = model.values(names)
        return values
    return model.predict_batch if type(model) is NearestNeighbours else _asked(model)


def _asked(model: RiverRegressor) -> Values:
    """River's answers item by item."""

    def values(columns: Encoded) -> Vector:
        return np.array([_answer(model, item) for item in columns.rows], dtype=np.float64)

    return values


def _answer(model: RiverRegressor, item: Mapping[str, Any]) -> float:
    try:
        return float(model.predict_one(item))
    except _ODD_DATA:
        return math.nan
