"""What is written down while a recording is replayed: counts, curves, and the estimate."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from streamal.core.estimation import (
    AccuracyShift,
    AccuracyTracker,
    Estimate,
    LabelledItems,
    Response,
    WindowTotals,
)
from streamal.core.estimation.loss import LabelledLosses, LossTotals, LossTracker
from streamal.core.types import Decision

__all__ = ["Bin", "Ledger", "Losses", "Observation", "Point", "Trace"]

#: Estimation windows over the whole recording, at least.
_WINDOWS: Final = 20
#: Most items in a window: the labelled ones among them are kept until it closes.
_MOST_ITEMS: Final = 10_000
#: Places along the recording at which the curves are kept.
_POINTS: Final = 100
#: Bins of the reliability diagram; the customary number.
_BINS: Final = 10
_LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Observation:
    """One decided item, against the truth.

    Attributes:
        decision: the gate's.
        expected_correct: predicted P(production is right), in [0, 1].
        production_right: whether production's class is the true one.
        model_right: whether the online model's class, before it could learn the item, is.
        answered_right: whether production agrees with the reviewer's answer; None without one.
        production_loss: in a regression, how far production is off.
        model_loss: in a regression, how far the online model is; None while it knew nothing.
        answered_loss: in a regression, how far production is from the reviewer's answer.
        expected_loss: in a regression, what was expected of that.
    """

    decision: Decision
    expected_correct: float
    production_right: bool
    model_right: bool
    answered_right: bool | None
    production_loss: float | None = None
    model_loss: float | None = None
    answered_loss: float | None = None
    expected_loss: float | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """Counts from the start up to one place of the recording."""

    events: int
    queries: int
    model_right: int
    errors_found: int


@dataclass(slots=True)
class Bin:
    """Items whose expected correctness fell between two tenths."""

    events: int = 0
    sum_expected: float = 0.0
    right: int = 0


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean absolute errors of one run.

    Attributes:
        model: the online model's over the items about which it knew something; None without any.
        production: production's over all items for which it had a number.
        estimate: production's from the selected labels, with an interval for all times together.
    """

    model: float | None
    production: float
    estimate: Estimate


@dataclass(slots=True)
class _Mean:
    """Of the numbers that there are."""

    count: int = 0
    total: float = 0.0

    def add(self, value: float | None) -> None:
        if value is not None:
            self.count += 1
            self.total += value

    @property
    def value(self) -> float | None:
        return self.total / self.count if self.count else None


@dataclass(frozen=True, slots=True)
class Trace:
    """All that one run leaves behind; a few kilobytes, whatever the recording's length.

    Attributes:
        points: the curves, evenly spaced; the last one has the totals.
        bins: reliability of `expected_correct`, over all items.
        drifts: events before which the selected labels alone showed a change of accuracy.
        production_right: items that production got right.
        estimate: production's accuracy from the selected labels.
        seconds: wall time of the run.
        losses: how far off everybody was; None in a classification.
    """

    points: tuple[Point, ...]
    bins: tuple[Bin, ...]
    drifts: tuple[int, ...]
    production_right: int
    estimate: Estimate
    seconds: float
    losses: Losses | None = None

    @property
    def totals(self) -> Point:
        """Counts over the whole recording."""
        return self.points[-1]


@dataclass(slots=True)
class _Window:
    """One estimation window that is still open: sums over all items, rows of the routed ones."""

    start: int = 0
    reachable: int = 0
    sum_expected: float = 0.0
    correct: list[float] = field(default_factory=list)
    expected: list[float] = field(default_factory=list)
    propensity: list[float] = field(default_factory=list)
    reason: list[str] = field(default_factory=list)
    sum_expected_loss: float = 0.0
    loss: list[float] = field(default_factory=list)
    expected_loss: list[float] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)


class Ledger:
    """Follows one run.

    Args:
        events: items that the recording holds, > 0.
        least_propensity: the policy's exploration floor, in [0, 1]; 0 when it gives none.
    """

    def __init__(self, events: int, least_propensity: float) -> None:
        self._events = events
        self._windows = max(_WINDOWS, ceil(events / _MOST_ITEMS))
        self._seen = self._queries = self._model_right = self._errors_found = 0
        self._production_right = 0
        self._points: list[Point] = []
        self._bins = tuple(Bin() for _ in range(_BINS))
        self._drifts: list[int] = []
        self._window = _Window()
        least = least_propensity or None
        # The sequence is not used, so where it would be tightest does not matter.
        self._tracker = AccuracyTracker(level=_LEVEL, least_propensity=least)
        self._model_loss, self._production_loss = _Mean(), _Mean()
        self._loss_tracker = LossTracker(level=_LEVEL, least_propensity=least)
        self._shift = AccuracyShift(least_propensity=least)

    def add(self, seen: Observation) -> None:
        """Take note of the next item."""
        self._seen += 1
        self._model_right += seen.model_right
        self._production_right += seen.production_right
        if seen.decision.query:
            self._queries += 1
            self._errors_found += not seen.production_right
        self._model_loss.add(seen.model_loss)
        self._production_loss.add(seen.production_loss)
        cell = self._bins[min(_BINS - 1, int(seen.expected_correct * _BINS))]
        cell.events += 1
        cell.sum_expected += seen.expected_correct
        cell.right += seen.production_right
        self._measure(seen)
        if self._passes(_POINTS):
            self._points.append(self._totals())
        if self._passes(self._windows):
            self._close_window()

    def trace(self, seconds: float) -> Trace:
        """The finished run."""
        return Trace(
            points=tuple(self._points),
            bins=self._bins,
            drifts=tuple(self._drifts),
            production_right=self._production_right,
            estimate=self._tracker.overall(),
            seconds=seconds,
            losses=self._losses(),
        )

    def _losses(self) -> Losses | None:
        production = self._production_loss.value
        if production is None:
            return None
        return Losses(self._model_loss.value, production, self._loss_tracker.anytime())

    def _passes(self, parts: int) -> bool:
        """Whether the item just seen ends one of `parts` equal parts of the recording."""
        before = (self._seen - 1) * parts // self._events
        return self._seen * parts // self._events > before

    def _totals(self) -> Point:
        return Point(self._seen, self._queries, self._model_right, self._errors_found)

    def _measure(self, seen: Observation) -> None:
        """Book the item in its window, as gate and trainer do between them."""
        window, decision = self._window, seen.decision
        if decision.propensity <= 0:
            return
        window.reachable += 1
        window.sum_expected += seen.expected_correct
        window.sum_expected_loss += seen.expected_loss or 0.0
        if not decision.query:
            return
        reason = decision.reason.value
        window.asked[reason] += 1
        if seen.answered_right is not None:
            window.correct.append(float(seen.answered_right))
            window.expected.append(seen.expected_correct)
            window.propensity.append(decision.propensity)
            window.reason.append(reason)
            if seen.answered_loss is not None:
                window.loss.append(seen.answered_loss)
                window.expected_loss.append(seen.expected_loss or 0.0)

    def _close_window(self) -> None:
        window, self._window = self._window, _Window(start=self._seen)
        totals = WindowTotals(window.reachable, min(window.sum_expected, window.reachable))
        items = LabelledItems.of(window.correct, window.expected, window.propensity, window.reason)
        answered = Counter(window.reason)
        responses = {name: Response(asked, answered[name]) for name, asked in window.asked.items()}
        self._tracker.close(totals, items, responses)
        if window.loss and len(window.loss) == len(window.correct):
            losses = LabelledLosses(
                window.loss, window.expected_loss, window.propensity, window.reason
            )
            expected = LossTotals(window.reachable, window.sum_expected_loss)
            self._loss_tracker.close(expected, losses, responses)
        if self._shift.close(totals, items, responses) is not None:
            self._drifts.append(window.start)
