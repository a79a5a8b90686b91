"""The mean absolute error of a regression, beside the accuracy, from the same windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamal.core.estimation import Estimate, Responses
from streamal.core.estimation.loss import LabelledLosses, LossTotals, LossTracker
from streamal.events import LossQuality, ReportedLoss
from streamal.roles.evidence import responses
from streamal.state.measures import ReviewOutcome, WindowTotals

__all__ = [
    "LossEstimates",
    "LossOptions",
    "Losses",
    "loss_totals",
    "production_losses",
    "reported_loss",
]

#: The loss of an answered review; None where the prediction had no number.
_Loss = Callable[[ReviewOutcome], float | None]


@dataclass(frozen=True, slots=True)
class LossOptions:
    """How losses are estimated.

    Attributes:
        level: coverage of the intervals, in (0, 1).
        least_propensity: the exploration floor in force; None when there is none.
        bound: the largest loss that is possible; None when nobody knows.
        objective: the mean absolute error that production must keep; None without a promise.
    """

    level: float
    least_propensity: float | None
    bound: float | None
    objective: float | None = None


@dataclass(frozen=True, slots=True)
class LossEstimates:
    """Mean absolute errors over the same events.

    Attributes:
        production: production's.
        model: the online model's; None where it had nothing to say.
    """

    production: Estimate
    model: Estimate | None


class Losses:
    """Production's and the online model's mean absolute error.

    Args:
        options: settings.
    """

    def __init__(self, options: LossOptions) -> None:
        self.production = _tracker(options)
        self.model = _tracker(options)
        self._window: Estimate | None = None

    def close(self, window: WindowTotals, outcomes: Sequence[ReviewOutcome]) -> LossEstimates:
        """Take in the next matured window with its reviews; what it says by itself."""
        answers = responses(outcomes)
        items = production_losses(outcomes)
        known = loss_totals(window, items)
        self._window = self.production.close(known, items, answers)
        return LossEstimates(self._window, self._close_model(outcomes, known, answers))

    def overall(self) -> LossEstimates:
        """Over all windows, with intervals that hold for one look at a time fixed before."""
        return LossEstimates(self.production.overall(), self.model.overall())

    def _close_model(
        self, outcomes: Sequence[ReviewOutcome], totals: LossTotals | None, answers: Responses
    ) -> Estimate | None:
        """The model speaks for the events about which it had something to say.

        How many those are among the unrouted is not known; where some were not, weights do without.
        """
        items = _labelled(outcomes, _model_loss)
        spoke = all(outcome.model_value is not None for outcome in outcomes)
        if spoke:
            return self.model.close(totals, items, answers)
        if not items.loss:
            return None
        had = [outcome for outcome in outcomes if outcome.model_value is not None]
        return self.model.close(None, items, responses(had))

    def report(self) -> LossQuality | None:
        """What is known; None before the first window."""
        if self._window is None:
            return None
        return LossQuality(
            window=reported_loss(self._window),
            production=reported_loss(self.production.anytime()),
            model=reported_loss(self.model.anytime()),
        )


def production_losses(outcomes: Sequence[ReviewOutcome]) -> LabelledLosses:
    """How far production was off on the answered reviews of a window."""
    return _labelled(outcomes, _production_loss)


def loss_totals(window: WindowTotals, items: LabelledLosses) -> LossTotals | None:
    """Sums over a window's reachable events; None where increments are gone and weights must do."""
    if window.reachable < len(items.loss):
        return None
    return LossTotals(window.reachable, window.sum_expected_loss)


def _tracker(options: LossOptions) -> LossTracker:
    return LossTracker(
        level=options.level, least_propensity=options.least_propensity, bound=options.bound
    )


def _production_loss(outcome: ReviewOutcome) -> float | None:
    return outcome.production_loss


def _model_loss(outcome: ReviewOutcome) -> float | None:
    return outcome.model_loss


def _labelled(outcomes: Sequence[ReviewOutcome], loss_of: _Loss) -> LabelledLosses:
    """The answered reviews.

    Where production is expected to be far off the model may be as well; what the expectation is
    worth for either, estimation finds out.
    """
    found = [(outcome, loss) for outcome in outcomes if (loss := loss_of(outcome)) is not None]
    return LabelledLosses(
        [loss for _, loss in found],
        [outcome.expected_loss or 0.0 for outcome, _ in found],
        [outcome.propensity for outcome, _ in found],
        [outcome.reason for outcome, _ in found],
    )


def reported_loss(estimate: Estimate) -> ReportedLoss:
    """An estimate as it travels."""
    return ReportedLoss(
        value=_finite(estimate.value),
        low=estimate.interval.low,
        high=_finite(estimate.interval.high),
        naive=_finite(estimate.naive),
        labelled=estimate.labelled,
        events=estimate.events,
        reliable=estimate.reliable,
    )


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
