"""What is written down while a recording is replayed: counts, curves, and the estimate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, isnan
from typing import Final, NamedTuple

import numpy as np

from streamal.core.estimation import (
    AccuracyShift,
    AccuracyTracker,
    Estimate,
    LabelledItems,
    Response,
    WindowTotals,
)
from streamal.core.estimation.loss import LabelledLosses, LossTotals, LossTracker
from streamal.core.features import Vector
from streamal.core.gate import Decisions
from streamal.core.window_sums import WindowSums

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
class Seen:
    """Decided items, against the truth; all of one length, in stream order.

    Attributes:
        decisions: the gate's.
        expected_correct: predicted P(production is right), in [0, 1].
        expected_loss: in a regression, what was expected of production's loss, NaN for unknown.
        production_right: whether production's class is the true one.
        model_right: whether the online model's class, before it could learn the item, is.
        answered_right: by position, whether production agrees with the reviewer's answer.
        production_loss: in a regression, how far production is off.
        model_loss: in a regression, how far the online model is; None while it knew nothing.
        answered_loss: in a regression, by position, how far production is from the answer.
    """

    decisions: Decisions
    expected_correct: Vector
    expected_loss: Vector
    production_right: Sequence[bool]
    model_right: Sequence[bool]
    answered_right: Mapping[int, bool]
    production_loss: Sequence[float | None]
    model_loss: Sequence[float | None]
    answered_loss: Mapping[int, float]

    def __len__(self) -> int:
        return len(self.production_right)


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

    def add(self, values: Iterable[float | None]) -> None:
        for value in values:
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
    """One estimation window that is still open: sums over all items, rows of the labelled ones."""

    start: int = 0
    queries: list[bool] = field(default_factory=list)
    propensities: list[float] = field(default_factory=list)
    expected_correct: list[float] = field(default_factory=list)
    expected_loss: list[float] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    labelled: list[_Labelled] = field(default_factory=list)

    def sums(self) -> WindowSums:
        """Over all its items, as a gate books them."""
        sums = WindowSums()
        sums.book(
            self.queries,
            np.array(self.propensities),
            np.array(self.expected_correct),
            np.array(self.expected_loss),
            {},
        )
        return sums


class _Labelled(NamedTuple):
    """A routed item that was answered."""

    correct: float
    expected_correct: float
    propensity: float
    reason: str
    loss: float | None
    expected_loss: float


class Ledger:
    """Follows one run.

    Args:
        events: items that the recording holds, > 0.
        least_propensity: the policy's exploration floor, in [0, 1]; 0 when it gives none.
    """

    def __init__(self, events: int, least_propensity: float) -> None:
        self._events = events
        self._windows = max(_WINDOWS, ceil(events / _MOST_ITEMS))
        self._parts = (_POINTS, self._windows)
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

    def add(self, seen: Seen) -> None:
        """Take note of the next items."""
        start = 0
        while start < len(seen):
            mark = min(_next_mark(self._seen, parts, self._events) for parts in self._parts)
            stop = min(len(seen), start + mark - self._seen)
            self._take(seen, start, stop)
            start = stop
            if self._passes(_POINTS):
                self._points.append(self._totals())
            if self._passes(self._windows):
                self._close_window()

    def _take(self, seen: Seen, start: int, stop: int) -> None:
        """Take note of items between two marks."""
        decisions = seen.decisions
        right = seen.production_right[start:stop]
        queries = decisions.queries[start:stop]
        expected = seen.expected_correct[start:stop].tolist()
        self._seen += stop - start
        self._model_right += sum(seen.model_right[start:stop])
        self._production_right += sum(right)
        self._queries += sum(queries)
        self._errors_found += sum(
            asked and not good for asked, good in zip(queries, right, strict=True)
        )
        self._model_loss.add(seen.model_loss[start:stop])
        self._production_loss.add(seen.production_loss[start:stop])
        for value, good in zip(expected, right, strict=True):
            cell = self._bins[min(_BINS - 1, int(value * _BINS))]
            cell.events += 1
            cell.sum_expected += value
            cell.right += good
        window = self._window
        window.queries += queries
        window.propensities += [offer.propensity for offer in decisions.offers[start:stop]]
        window.expected_correct += expected
        window.expected_loss += seen.expected_loss[start:stop].tolist()
        for row in range(start, stop):
            if decisions.queries[row]:
                self._measure(seen, row)

    def _measure(self, seen: Seen, row: int) -> None:
        """Book a routed item in its window, as gate and trainer do between them."""
        offer = seen.decisions.offers[row]
        reason = offer.reason.value
        self._window.asked[reason] += 1
        if row in seen.answered_right:
            expected_loss = float(seen.expected_loss[row])
            self._window.labelled.append(
                _Labelled(
                    float(seen.answered_right[row]),
                    float(seen.expected_correct[row]),
                    offer.propensity,
                    reason,
                    seen.answered_loss.get(row),
                    0.0 if isnan(expected_loss) else expected_loss,
                )
            )

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

    def _close_window(self) -> None:
        window, self._window = self._window, _Window(start=self._seen)
        sums, rows = window.sums(), window.labelled
        totals = WindowTotals(sums.reachable, min(sums.sum_expected_correct, sums.reachable))
        propensity = [row.propensity for row in rows]
        reason = [row.reason for row in rows]
        items = LabelledItems.of(
            [row.correct for row in rows],
            [row.expected_correct for row in rows],
            propensity,
            reason,
        )
        answered = Counter(reason)
        responses = {name: Response(asked, answered[name]) for name, asked in window.asked.items()}
        self._tracker.close(totals, items, responses)
        losses = [row.loss for row in rows if row.loss is not None]
        if losses and len(losses) == len(rows):
            expected = [row.expected_loss for row in rows]
            self._loss_tracker.close(
                LossTotals(sums.reachable, sums.sum_expected_loss),
                LabelledLosses(losses, expected, propensity, reason),
                responses,
            )
        if self._shift.close(totals, items, responses) is not None:
            self._drifts.append(window.start)


def _next_mark(seen: int, parts: int, events: int) -> int:
    """The next item that ends one of `parts` equal parts of the recording.

    >>> [_next_mark(seen, 3, 10) for seen in (0, 3, 4, 7, 10)]
    [4, 4, 7, 10, 14]
    """
    return -(-(seen * parts // events + 1) * events // parts)
