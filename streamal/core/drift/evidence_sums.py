"""Windows pooled, and how far the next one lies from them."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass

from streamal.core.drift.base import Evidence, as_float, as_list
from streamal.core.types import JsonState, JsonValue

__all__ = ["Residual", "Residuals", "Sums"]

#: Values that count as "after" a change; a single one is too noisy to quote.
_RECENT = 5
#: Weight of an error that was not seen but might have been: without it, a value without any error
#: would claim to be known exactly.
_UNSEEN = 0.5


@dataclass(frozen=True, slots=True)
class Sums:
    """Evidence of several windows; the attributes are those of `Evidence`, but for one.

    Attributes:
        sizes: sum of `error_size`, each times its window's effective labels.
    """

    events: float = 0.0
    errors: float = 0.0
    variance: float = 0.0
    effective_labels: float = 0.0
    sizes: float = 0.0

    @classmethod
    def of(cls, evidence: Evidence) -> Sums:
        """The evidence of one window."""
        return cls(
            evidence.events,
            evidence.errors,
            evidence.variance,
            evidence.effective_labels,
            evidence.error_size * evidence.effective_labels,
        )

    @classmethod
    def read(cls, value: JsonValue) -> Sums:
        """What `json` returned; without sizes, as long as all errors were counted."""
        numbers = [as_float(number) for number in as_list(value)]
        return cls(*numbers, *numbers[3:]) if len(numbers) == 4 else cls(*numbers)

    def json(self) -> list[JsonValue]:
        """The five numbers."""
        return list(astuple(self))

    def plus(self, other: Sums) -> Sums:
        """Both together."""
        return Sums(
            self.events + other.events,
            self.errors + other.errors,
            self.variance + other.variance,
            self.effective_labels + other.effective_labels,
            self.sizes + other.sizes,
        )

    @property
    def mean(self) -> float:
        """Errors per event; unbiased, so it may leave its range."""
        return self.errors / self.events if self.events else 0.0

    @property
    def mean_variance(self) -> float:
        """Of the mean, with half an error that might have been drawn.

        > 0 with any label, unless every error that was measured is 0.
        """
        if not self.events or not self.effective_labels:
            return math.inf
        size = self.sizes / self.effective_labels
        unseen = _UNSEEN * size * self.events / self.effective_labels
        return (self.variance + unseen**2) / self.events**2


@dataclass(frozen=True, slots=True)
class Residual:
    """How far a value lies from those before it.

    Attributes:
        score: in standard deviations, about N(0, 1) and independent of the scores before it while
            the mean stays what it is.
        before: mean before the latest few values.
        after: mean over the latest few values.
    """

    score: float
    before: float
    after: float


class Residuals:
    """Turns windows into values on one scale, whatever the gate routes.

    Windows are pooled until they hold `labels` effective labels. The pooled mean less the mean of
    all before it, over its standard deviation, is a recursive residual: independent and of unit
    variance under no change (Brown, Durbin, Evans 1975, "Techniques for testing the constancy of
    regression relationships over time", JRSS B 37). A gate that routes less, or otherwise, widens
    what is divided by, so it moves nothing here.

    Args:
        labels: effective labels that make a value, >= 1.
    """

    def __init__(self, labels: int) -> None:
        self.labels = labels
        self.restart()

    def restart(self) -> None:
        """Forget everything: what comes next is the new normal."""
        self._forming = Sums()
        self._past = Sums()
        self._recent: list[Sums] = []

    def add(self, evidence: Evidence) -> Residual | None:
        """Take in a window; None until it completes a value that has others to compare with."""
        if not evidence.effective_labels:
            return None
        self._forming = self._forming.plus(Sums.of(evidence))
        if self._forming.effective_labels < self.labels:
            return None
        value, self._forming = self._forming, Sums()
        before = self._all()
        self._recent.append(value)
        if len(self._recent) > _RECENT:
            self._past = self._past.plus(self._recent.pop(0))
        if not before.events:
            return None
        spread = math.sqrt(value.mean_variance + before.mean_variance)
        distance = value.mean - before.mean
        return Residual(
            # Without any spread every error measured so far is 0, and so is their distance.
            score=distance / spread if spread else 0.0,
            before=(self._past if self._past.events else before).mean,
            after=_pooled(self._recent).mean,
        )

    def state(self) -> JsonState:
        """All that `restore` needs."""
        return {
            "forming": self._forming.json(),
            "past": self._past.json(),
            "recent": [value.json() for value in self._recent],
        }

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._forming = Sums.read(state.get("forming"))
        self._past = Sums.read(state.get("past"))
        self._recent = [Sums.read(value) for value in as_list(state.get("recent"))]

    def _all(self) -> Sums:
        return self._past.plus(_pooled(self._recent))


def _pooled(values: list[Sums]) -> Sums:
    total = Sums()
    for value in values:
        total = total.plus(value)
    return total
