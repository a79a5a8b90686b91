"""What an estimate is made of, and what it says: plain values, checked where they are built."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Estimate",
    "FloatArray",
    "Interval",
    "LabelledItems",
    "Method",
    "Response",
    "Responses",
    "Target",
    "WindowTotals",
]

FloatArray: TypeAlias = NDArray[np.float64]

#: Float sums over millions of events drift by about this much, relative to their size.
_ROUNDING = 1e-6


class Method(StrEnum):
    """How a number was reached."""

    AIPW = "aipw"
    HAJEK = "hajek"
    NONE = "none"


class Target(StrEnum):
    """Which truth an interval is meant to cover.

    `REALISED` is the accuracy on exactly these events: with every event labelled the interval has
    no width. `EXPECTED` is the accuracy that the process had while it made them: it adds the luck
    of the events themselves, and is the one to compare windows, segments or model versions with.
    """

    REALISED = "realised"
    EXPECTED = "expected"


@dataclass(frozen=True, slots=True)
class WindowTotals:
    """Sums over *all* reachable events of one event-time window, labelled or not.

    Attributes:
        events: accepted events that had a chance to be routed.
        sum_expected_correct: sum of g, the predicted P(prediction is right) of each event; 0 when
            nothing predicts it (then g is 0 on every labelled item as well).
    """

    events: int
    sum_expected_correct: float = 0.0

    def __post_init__(self) -> None:
        slack = _ROUNDING * (1 + self.events)
        if not -slack <= self.sum_expected_correct <= self.events + slack:
            raise ValueError(
                f"sum_expected_correct must lie in [0, {self.events}], "
                f"is {self.sum_expected_correct}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class LabelledItems:
    """The routed items of one window that a human has answered; arrays of one length.

    Attributes:
        correct: c, 1 where the prediction made at decision time equals the label, else 0; any
            value in [0, 1] is taken.
        expected_correct: g in [0, 1], computed before the label was known.
        propensity: P(routed) in (0, 1], as recorded in the decision.
        stratum: name of the response stratum of each item, such as its routing reason; empty when
            all items share one.
    """

    correct: FloatArray
    expected_correct: FloatArray
    propensity: FloatArray
    stratum: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sizes = {len(self.correct), len(self.expected_correct), len(self.propensity)}
        if len(sizes) > 1 or (self.stratum and len(self.stratum) != len(self.correct)):
            raise ValueError("correct, expected_correct, propensity and stratum differ in length")
        _within("correct", self.correct, 0.0, 1.0)
        _within("expected_correct", self.expected_correct, 0.0, 1.0)
        _within("propensity", self.propensity, math.ulp(0.0), 1.0)

    @classmethod
    def of(
        cls,
        correct: ArrayLike,
        expected_correct: ArrayLike,
        propensity: ArrayLike,
        stratum: Sequence[str] = (),
    ) -> LabelledItems:
        """Items from any array-likes.

        Raises:
            ValueError: lengths differ, or a value is outside of its range or not finite.
        """
        return cls(
            np.asarray(correct, dtype=np.float64),
            np.asarray(expected_correct, dtype=np.float64),
            np.asarray(propensity, dtype=np.float64),
            tuple(stratum),
        )

    def __len__(self) -> int:
        return len(self.correct)

    def plus(self, other: LabelledItems) -> LabelledItems:
        """Both together; items without a stratum are of the nameless one."""
        strata = (
            each.stratum or ("",) * len(each)
            for each in (self, other)
            if self.stratum or other.stratum
        )
        return LabelledItems(
            np.concatenate([self.correct, other.correct]),
            np.concatenate([self.expected_correct, other.expected_correct]),
            np.concatenate([self.propensity, other.propensity]),
            tuple(name for part in strata for name in part),
        )


@dataclass(frozen=True, slots=True)
class Response:
    """How reviewers answered in one stratum of one window.

    Attributes:
        matured: routed reviews whose label horizon has passed.
        answered: of these, with a usable label: exactly the labelled items of the stratum. Skipped
            and unsure answers are not among them. Sums over windows may be fractional: the older
            ones count less.
    """

    matured: float
    answered: float

    def __post_init__(self) -> None:
        if not 0 <= self.answered <= self.matured:
            raise ValueError(f"answered must lie in [0, {self.matured:g}], is {self.answered:g}")


Responses: TypeAlias = Mapping[str, Response]


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval that covers its target with probability `level`."""

    low: float
    high: float
    level: float

    def covers(self, value: float) -> bool:
        """Whether `value` lies inside; both ends belong to the interval."""
        return self.low <= value <= self.high

    @property
    def half_width(self) -> float:
        """Half the distance between the ends."""
        return (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """An accuracy with its interval, and what a reader must know to trust it.

    Attributes:
        value: the estimate clipped to [0, 1], for display; NaN when nothing is labelled.
        interval: clipped to [0, 1]; [0, 1] when nothing is labelled.
        raw: the unbiased estimate, which chance may push outside of [0, 1]; average this one.
        standard_error: of `raw`.
        labelled: labelled items that the estimate rests on.
        events: reachable events that it speaks for.
        effective_labels: Kish's (Σw)²/Σw² of the inverse propensities: how many labels drawn
            uniformly the labelled items amount to.
        method: `aipw`, `hajek`, or `none` without labels.
        reliable: whether the interval's level can be trusted: enough labels, enough outcomes of the
            rarer kind expected among them, both kinds seen, and weights that sum to about the
            number of events. Others are wide and mostly cover too often; where hardly an item of a
            large part was drawn, too seldom (89 % at the worst, benchmarks/results/coverage.json).
        naive: plain mean over the labelled items: biased by the selection, shown to compare only.
        response_rate: answered / matured reviews, in [0, 1]; 1 when unknown.
        lambda_: slope of g in the control variate, in [0, 1]; 0 when g was not used.
    """

    value: float
    interval: Interval
    raw: float
    standard_error: float
    labelled: int
    events: int
    effective_labels: float
    method: Method
    reliable: bool
    naive: float
    response_rate: float
    lambda_: float


def _within(name: str, values: FloatArray, low: float, high: float) -> None:
    if values.ndim != 1 or not bool(np.all((values >= low) & (values <= high))):
        raise ValueError(f"{name} must be one-dimensional, finite and in [{low:g}, {high:g}]")
