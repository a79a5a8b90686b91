"""Harmful drift, tested at all times: one class per file, see `streamal.core.drift`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Annotated, ClassVar, Final

from streamal.core.drift.base import (
    Change,
    Detector,
    Evidence,
    as_float,
    as_list,
    as_state,
)
from streamal.core.drift.evidence_sums import Sums
from streamal.core.parameters import Range
from streamal.core.types import JsonState

__all__ = ["HarmfulRisk"]

#: Effective labels from which an asymptotic bound is worth anything.
_FEW_LABELS: Final = 30
#: A run that started at window k is followed for this many windows times the largest power of two
#: that divides k: at any time, some run began shortly before any change, and the number of runs
#: grows with the logarithm of time only.
_SHORTEST_RUN: Final = 16


@dataclass(frozen=True, slots=True)
class _Run:
    """Everything since window `start`."""

    start: int
    sums: Sums

    def lives_at(self, window: int) -> bool:
        if self.start == 0:
            return True
        lowest_bit = self.start & -self.start
        return window - self.start < _SHORTEST_RUN * lowest_bit


class HarmfulRisk(Detector):
    """Whether the risk has risen by more than is tolerable, tested at every window.

    Only harm counts: a change that leaves production as good as it was is no alarm, and neither
    is one that chance may explain. The first windows make the reference. From then on a lower
    confidence bound is kept for the mean risk since each of several starting points, spread so that
    one lies shortly before any change; all of them hold at all times together, so looking after
    every window costs nothing. An alarm starts a new reference.

    Formula:
        Alarm when, for any start k, S/N - u(V; a_k)/N > U + tolerance. S are the estimated errors
        among N events since k with variance V, u is the one-sided normal mixture boundary, a_k =
        a/2 * 6/(pi^2 k^2), and U the reference's upper bound at a/2, where a is
        `false_alarm_rate`.

    Args:
        tolerance: rise of the risk that is still fine, in [0, 0.5].
        false_alarm_rate: chance that a reference ever leads to an alarm without harm, in (0, 0.2].
        reference_margin: the reference grows until its upper bound lies this close to its mean, in
            [0.002, 0.5].

    References:
        Podkopaev, A., and Ramdas, A. (2022). Tracking the risk of a deployed model and detecting
        harmful distribution shifts. ICLR. The boundary: Howard, S. R., Ramdas, A., McAuliffe, J.,
        and Sekhon, J. (2021). Time-uniform, nonparametric, nonasymptotic confidence sequences.
        Annals of Statistics 49 (2), 1055-1080. Several starts: Shekhar, S., and Ramdas, A. (2023).
        Sequential changepoint detection via backward confidence sequences. ICML. The starting
        points: Daniely, A., Gonen, A., and Shalev-Shwartz, S. (2015). Strongly adaptive online
        learning. ICML.
    """

    name: ClassVar[str] = "harmful_risk"

    def __init__(
        self,
        tolerance: Annotated[float, Range(0, 0.5)] = 0.02,
        false_alarm_rate: Annotated[float, Range(0, 0.2, open_low=True)] = 0.05,
        reference_margin: Annotated[float, Range(0.002, 0.5)] = 0.03,
    ) -> None:
        self.tolerance = tolerance
        self.false_alarm_rate = false_alarm_rate
        self.reference_margin = reference_margin
        self._restart()

    def _restart(self) -> None:
        self._reference = Sums()
        self._windows = 0
        self._runs: list[_Run] = []

    @property
    def is_watching(self) -> bool:
        """Whether the reference is complete."""
        reference = self._reference
        if reference.effective_labels < _FEW_LABELS or not reference.mean_variance:
            return False
        return self._upper_bound() - reference.mean <= self.reference_margin * self._unit

    @property
    def _unit(self) -> float:
        """What `tolerance` and `reference_margin` count in; > 0 once anything is watched."""
        return 1.0

    def close(self, evidence: Evidence) -> Change | None:
        """See `Detector.close`."""
        if not evidence.effective_labels:
            return None
        window = Sums.of(evidence)
        if not self.is_watching:
            self._reference = self._reference.plus(window)
            return None
        runs = [*self._runs, _Run(self._windows, Sums())]
        self._windows += 1
        self._runs = [
            _Run(run.start, run.sums.plus(window)) for run in runs if run.lives_at(self._windows)
        ]
        limit = self._upper_bound() + self.tolerance * self._unit
        low, worst = max((self._lower_bound(run), run.start) for run in self._runs)
        if low <= limit:
            return None
        since = next(run for run in self._runs if run.start == worst)
        change = Change(
            before=self._reference.mean,
            after=since.sums.mean,
            statistic=low,
            threshold=limit,
            is_harmful=True,
        )
        self._restart()
        return change

    def _upper_bound(self) -> float:
        z = NormalDist().inv_cdf(1 - self.false_alarm_rate / 2)
        return self._reference.mean + z * math.sqrt(self._reference.mean_variance)

    def _lower_bound(self, run: _Run) -> float:
        if run.sums.effective_labels < _FEW_LABELS:
            return -math.inf
        level = self.false_alarm_rate / 2 * 6 / (math.pi * (run.start + 1)) ** 2
        # The reference fixes, before anything is watched, where the bound is tightest: after about
        # as many labels as it has itself.
        tightest = self._reference.mean_variance * self._reference.events**2
        certainty = 2 * math.log(1 / level)
        scale = tightest / (certainty + math.log(1 + certainty))
        return run.sums.mean - _boundary(run.sums.variance, scale, level) / run.sums.events

    def state(self) -> JsonState:
        """See `Detector.state`."""
        return {
            "reference": self._reference.json(),
            "windows": self._windows,
            "runs": [{"start": run.start, "sums": run.sums.json()} for run in self._runs],
        }

    def restore(self, state: JsonState) -> None:
        """See `Detector.restore`."""
        self._reference = Sums.read(state.get("reference"))
        self._windows = int(as_float(state.get("windows")))
        runs = [as_state(run) for run in as_list(state.get("runs"))]
        self._runs = [_Run(int(as_float(run["start"])), Sums.read(run["sums"])) for run in runs]


def _boundary(variance: float, scale: float, level: float) -> float:
    """What a sum of this variance exceeds at any time with probability `level` at most.

    Args:
        variance: accumulated so far, >= 0.
        scale: > 0; the boundary is tightest at variances of some times this.
        level: in (0, 1).
    """
    grown = variance + scale
    return math.sqrt(2 * grown * math.log(math.sqrt(grown / scale) / (2 * level) + 1))
