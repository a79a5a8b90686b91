"""Accuracy over time: windows in, an estimate per window, over all of them, and at any time out."""

from __future__ import annotations

from typing import cast

from streamal.core.estimation.baseline import BaselineFit
from streamal.core.estimation.inclusion import ResponseHistory, inclusion_probability
from streamal.core.estimation.intervals import sequence_score
from streamal.core.estimation.measurement import Measurement, interval_of, report
from streamal.core.estimation.values import (
    Estimate,
    Interval,
    LabelledItems,
    Responses,
    Target,
    WindowTotals,
)
from streamal.core.estimation.window import measure
from streamal.core.types import JsonState

__all__ = ["AccuracyTracker"]

#: Labels that must have been seen before the confidence sequence fixes its scale and begins.
_WARM_UP_LABELS = 50


class AccuracyTracker:
    """Follows one model's accuracy through closed, matured windows; O(1) memory.

    For production's accuracy c says whether production's stored prediction equals the label; for
    the online model's, whether the prediction it made at decision time does.

    Args:
        level: coverage of the intervals, in (0, 1).
        least_propensity: the exploration floor in force, in (0, 1]; None when there is none known.
        tightest_at: events after which the confidence sequence should be tightest, > 0. It is valid
            at every other time as well, a little wider: by 7 % at ten times as many and 27 % at
            a tenth.
        half_life: effective labels after which the past counts half in the baseline, and reviews
            after which it does in response rates, > 0.
        target: which truth the intervals are meant to cover.
    """

    def __init__(
        self,
        *,
        level: float = 0.95,
        least_propensity: float | None = None,
        tightest_at: int = 10_000,
        half_life: float = 500.0,
        target: Target = Target.REALISED,
    ) -> None:
        if not 0 < level < 1:
            raise ValueError(f"level must lie in (0, 1), is {level}")
        if least_propensity is not None and not 0 < least_propensity <= 1:
            raise ValueError(f"least_propensity must lie in (0, 1], is {least_propensity}")
        if tightest_at <= 0:
            raise ValueError(f"tightest_at must be > 0, is {tightest_at}")
        self.level = level
        self.least_propensity = least_propensity
        self.tightest_at = tightest_at
        self.target = target
        self._baseline = BaselineFit(half_life)
        self._responses = ResponseHistory(half_life)
        self._pooled = Measurement()
        self._tightest_variance = 0.0
        #: How large an outcome is taken to be that was not drawn, in [0, 1].
        self.outcome_size = 1.0
        #: What an outcome is taken to be that nothing predicts, in [0, 1].
        self.assumed_level = 0.5

    def close(
        self, totals: WindowTotals | None, items: LabelledItems, responses: Responses
    ) -> Estimate:
        """Take in the next window in time order, once its label horizon has passed.

        Args:
            totals: sums over all reachable events of the window; None when they are not known.
            items: its labelled items.
            responses: matured and answered reviews by stratum; empty when all were answered.

        Returns:
            The accuracy in this window, with an interval that holds for this window.

        Raises:
            ValueError: more labelled items than events, or than answered reviews allow.
        """
        return report(self.take(totals, items, responses), self.level)

    def take(
        self, totals: WindowTotals | None, items: LabelledItems, responses: Responses
    ) -> Measurement:
        """As `close`; the window's evidence as sums, to be pooled or compared."""
        inclusion = inclusion_probability(items, responses, self._responses.past)
        measured = measure(
            totals,
            items,
            inclusion,
            responses,
            self._baseline.fit(self.assumed_level),
            least_propensity=self.least_propensity,
            target=self.target,
        )
        self._baseline.learn(items, inclusion)
        self._responses.learn(responses)
        self._pooled = self._pooled.plus(measured)
        if not self._tightest_variance and self._pooled.labelled >= _WARM_UP_LABELS:
            self._tightest_variance = self._variance * self.tightest_at / self._pooled.events
        return measured

    @property
    def pooled(self) -> Measurement:
        """The evidence of all closed windows, as sums."""
        return self._pooled

    def overall(self) -> Estimate:
        """Accuracy over all closed windows; its interval holds for one look at a time fixed before.

        Watching it and stopping when it looks right voids that: use `anytime` for it.
        """
        return report(self._pooled, self.level)

    def anytime(self) -> Estimate:
        """Accuracy over all closed windows, its interval valid at all times together.

        An asymptotic confidence sequence: with probability `level` the running accuracy never
        leaves it, however often it is looked at. [0, 1] before the first 50 labels.
        """
        interval = Interval(0.0, 1.0, self.level)
        if self._tightest_variance:
            score = sequence_score(self._variance, self._tightest_variance, self.level)
            interval = interval_of(
                self._pooled, self.level, outcome_size=self.outcome_size, score=score
            )
        return report(self._pooled, self.level, interval)

    def rescale(self, factor: float) -> None:
        """Go on in another unit of the outcomes: everything so far counts times `factor`, > 0.

        Exact for powers of two.
        """
        self._baseline.rescale(factor)
        self._pooled = self._pooled.in_unit(factor)
        self._tightest_variance *= factor**2

    def state(self) -> JsonState:
        """All that `restore` needs, as JSON values; a few hundred bytes."""
        return {
            "baseline": self._baseline.state(),
            "responses": self._responses.state(),
            "pooled": self._pooled.state(),
            "tightest_variance": self._tightest_variance,
        }

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._baseline.restore(cast(JsonState, state["baseline"]))
        self._responses.restore(cast(JsonState, state["responses"]))
        self._pooled = Measurement.of_state(cast(JsonState, state["pooled"]))
        self._tightest_variance = float(cast(float, state["tightest_variance"]))

    @property
    def _variance(self) -> float:
        return self._pooled.variance_with_unseen(self.outcome_size)
