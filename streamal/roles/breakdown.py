"""Production's quality in parts: by segment, one segment against another, and by class."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from streamal.core.estimation import (
    OTHER,
    ClassTracker,
    Difference,
    Estimate,
    Interval,
    SegmentTracker,
)
from streamal.core.estimation.loss_scale import LossTotals
from streamal.core.estimation.loss_segments import LossCell, LossDifference, LossSegmentTracker
from streamal.events import (
    ClassQuality,
    ComparedLoss,
    ComparedQuality,
    Reported,
    SegmentQuality,
)
from streamal.events.segments import PREDICTION
from streamal.roles.evidence import cell, production_correct, responses
from streamal.roles.losses import LossOptions, production_losses, reported_loss
from streamal.state.measures import ReviewOutcome
from streamal.state.measures import WindowTotals as WindowSums
from streamal.state.segments import SegmentSums, SegmentView

__all__ = ["Breakdown", "reported"]


class Breakdown:
    """Follows segments and classes through matured windows.

    Args:
        view: what was counted in each segment.
        limits: key to the number of its values; see `streamal.roles.segments`.
        level: coverage of the intervals, in (0, 1).
        least_propensity: the exploration floor in force; None when there is none.
        losses: how the errors of a regression are estimated; None in a classification.
    """

    def __init__(
        self,
        view: SegmentView,
        limits: Mapping[str, int],
        *,
        level: float,
        least_propensity: float | None,
        losses: LossOptions | None = None,
    ) -> None:
        self._view = view
        self._new_class = partial(ClassTracker, level=level, least_propensity=least_propensity)
        self._most_classes = limits.get(PREDICTION, 0)
        self._classes: dict[str, ClassTracker] = {}
        self._segments = {
            key: SegmentTracker(level=level, least_propensity=least_propensity, values=limit)
            for key, limit in limits.items()
            if key != PREDICTION
        }
        self._losses: dict[str, LossSegmentTracker] = {}
        if losses is not None:
            self._losses = {
                key: LossSegmentTracker(
                    level=level,
                    least_propensity=least_propensity,
                    values=limits[key],
                    bound=losses.bound,
                )
                for key in self._segments
            }

    def close(self, window: WindowSums, outcomes: Sequence[ReviewOutcome]) -> None:
        """Take in the next matured window with its reviews as they were at their horizon."""
        start, end = window.window_start, window.window_start + window.window_seconds
        sums = self._view.sums(start, window.window_seconds)
        names = self._view.of_reviews(start, end)
        for key, tracker in self._segments.items():
            parts = _parts(outcomes, names, key)
            tracker.close(
                {
                    name: cell(
                        parts.get(name, ()),
                        production_correct,
                        each.events,
                        each.sum_expected_correct,
                    )
                    for name, each in sums.get(key, {}).items()
                }
            )
            if key in self._losses:
                named = sums.get(key, {})
                self._losses[key].close(
                    {name: _loss_cell(parts.get(name, ()), each) for name, each in named.items()}
                )
        if self._most_classes and PREDICTION in sums:
            self._close_classes(sums[PREDICTION], _parts(outcomes, names, PREDICTION))

    def _close_classes(
        self, sums: Mapping[str, SegmentSums], parts: Mapping[str, Sequence[ReviewOutcome]]
    ) -> None:
        """A class is followed from the window on in which it was first predicted or labelled."""
        events = sum(each.events for each in sums.values())
        reviewed = [outcome for part in parts.values() for outcome in part]
        labels = {outcome.label for outcome in reviewed if outcome.label is not None}
        for name in sorted({*sums, *labels} - {OTHER}):
            if len(self._classes) < self._most_classes:
                self._classes.setdefault(name, self._new_class())
        for name, tracker in self._classes.items():
            chosen = sums.get(name, SegmentSums(0, 0.0))
            here = parts.get(name, ())
            own = {outcome.event_id for outcome in here}
            others = [outcome for outcome in reviewed if outcome.event_id not in own]
            is_it = partial(_is_class, name)
            tracker.close(
                cell(here, is_it, chosen.events, chosen.sum_expected_correct),
                cell(others, is_it, events - chosen.events, None),
            )

    def segments(self) -> Iterator[SegmentQuality]:
        """Accuracy, and mean absolute error, by segment."""
        for key, tracker in self._segments.items():
            losses = self._losses[key].estimates() if key in self._losses else {}
            for name, estimate in tracker.estimates().items():
                loss = losses.get(name)
                yield SegmentQuality(
                    segment=key,
                    value=name,
                    accuracy=reported(estimate),
                    loss=None if loss is None else reported_loss(loss),
                )

    def differences(self) -> Iterator[ComparedQuality]:
        """Each segment against the one of its key that served most."""
        for key, tracker in self._segments.items():
            losses = self._losses[key].differences() if key in self._losses else {}
            for name, difference in tracker.differences().items():
                loss = losses.get(name)
                yield ComparedQuality(
                    segment=key,
                    value=name,
                    reference=str(tracker.reference),
                    difference=_difference(difference),
                    worse=difference.is_worse,
                    loss=None if loss is None else _compared_loss(loss),
                )

    def classes(self) -> Iterator[ClassQuality]:
        """Precision and recall by class."""
        for name, tracker in sorted(self._classes.items()):
            found = tracker.estimate()
            yield ClassQuality(
                name=name,
                precision=reported(found.precision),
                recall=_reported(
                    found.recall,
                    found.recall_interval,
                    labelled=found.labelled,
                    events=round(found.actual),
                    reliable=found.is_reliable,
                ),
            )


def reported(estimate: Estimate) -> Reported:
    """An estimate as it travels."""
    return _reported(
        estimate.value,
        estimate.interval,
        labelled=estimate.labelled,
        events=estimate.events,
        reliable=estimate.reliable,
    )


def _difference(found: Difference) -> Reported:
    return _reported(
        found.value,
        found.anytime,
        labelled=found.candidate.labelled,
        events=found.candidate.events,
        reliable=found.candidate.reliable and found.reference.reliable,
    )


def _reported(
    value: float, interval: Interval, *, labelled: int, events: int, reliable: bool
) -> Reported:
    return Reported(
        value=None if math.isnan(value) else value,
        low=interval.low,
        high=interval.high,
        labelled=labelled,
        events=events,
        reliable=reliable,
    )


def _loss_cell(outcomes: Sequence[ReviewOutcome], sums: SegmentSums) -> LossCell:
    items = production_losses(outcomes)
    # Increments of the window are gone: weights must do without its size.
    known = sums.events >= len(items.loss)
    totals = LossTotals(sums.events, sums.sum_expected_loss) if known else None
    return LossCell(totals, items, responses(outcomes))


def _compared_loss(found: LossDifference) -> ComparedLoss:
    known = math.isfinite(found.anytime.half_width)
    return ComparedLoss(
        value=None if math.isnan(found.value) else found.value,
        low=found.anytime.low if known else None,
        high=found.anytime.high if known else None,
        labelled=found.candidate.labelled,
        events=found.candidate.events,
        reliable=found.candidate.reliable and found.reference.reliable,
        worse=found.is_worse,
    )


def _is_class(name: str, outcome: ReviewOutcome) -> bool:
    return outcome.label == name


def _parts(
    outcomes: Sequence[ReviewOutcome], names: Mapping[str, Mapping[str, str]], key: str
) -> dict[str, list[ReviewOutcome]]:
    """Reviews by the name that their event was counted under."""
    parts: dict[str, list[ReviewOutcome]] = {}
    for outcome in outcomes:
        name = names.get(outcome.event_id, {}).get(key)
        if name is not None:
            parts.setdefault(name, []).append(outcome)
    return parts
