"""What a backtest says: one run beside its baselines, with the keys that programs rely on."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

from streamal.lab.experiment import Experiment, Setup
from streamal.lab.ledger import Trace

__all__ = ["EstimatedAccuracy", "Results", "Run", "accuracy_of"]

#: Sums of floats may end a hair outside of an interval that has no width.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class EstimatedAccuracy:
    """An estimate with its interval; no value while nothing was labelled."""

    value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Run:
    """One combination over the recording.

    Attributes:
        data: path of the recording.
        strategy: name with parameters.
        policy: name with parameters.
        learner: name with parameters.
        budget: share of items that might be asked about.
        seed: of every draw.
        events: items decided.
        queries: items asked about.
        query_ratio: queries / events.
        accuracy: of the online model over every item, each predicted before it could be learned.
        accuracy_all_labels: of the same learner when every item is asked about.
        accuracy_random: of the same learner when the budget is spent on items drawn uniformly.
        retention: accuracy / accuracy_all_labels; None when that is 0.
        error_yield: share of the queried items that production got wrong; None without queries.
        estimate: production's accuracy from the selected labels, with its 95 % interval.
        accuracy_true: production's accuracy over every item.
        covered: whether the interval holds `accuracy_true`.
        seconds: wall time of the run.
    """

    data: str
    strategy: str
    policy: str
    learner: str
    budget: float
    seed: int
    events: int
    queries: int
    query_ratio: float
    accuracy: float
    accuracy_all_labels: float
    accuracy_random: float
    retention: float | None
    error_yield: float | None
    estimate: EstimatedAccuracy
    accuracy_true: float
    covered: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Results:
    """All runs of an experiment, baselines included.

    Attributes:
        experiment: what was run.
        traces: by combination.
    """

    experiment: Experiment
    traces: dict[Setup, Trace]

    def runs(self) -> list[Run]:
        """One for each combination of the grid, in its order."""
        return [self._run(setup) for setup in self.experiment.setups()]

    def document(self) -> list[dict[str, Any]]:
        """The runs as JSON values."""
        return [asdict(run) for run in self.runs()]

    def _run(self, setup: Setup) -> Run:
        trace = self.traces[setup]
        totals, estimate = trace.totals, trace.estimate
        accuracy, best = accuracy_of(trace), accuracy_of(self.traces[setup.all_labels])
        true = trace.production_right / totals.events
        low, high = estimate.interval.low, estimate.interval.high
        return Run(
            data=str(self.experiment.recording.path),
            strategy=setup.strategy,
            policy=setup.policy,
            learner=setup.learner,
            budget=setup.budget,
            seed=setup.seed,
            events=totals.events,
            queries=totals.queries,
            query_ratio=totals.queries / totals.events,
            accuracy=accuracy,
            accuracy_all_labels=best,
            accuracy_random=accuracy_of(self.traces[setup.random]),
            retention=accuracy / best if best else None,
            error_yield=totals.errors_found / totals.queries if totals.queries else None,
            estimate=EstimatedAccuracy(
                None if math.isnan(estimate.value) else estimate.value, low, high
            ),
            accuracy_true=true,
            covered=low - _ROUNDING <= true <= high + _ROUNDING,
            seconds=trace.seconds,
        )


def accuracy_of(trace: Trace) -> float:
    """Prequential accuracy of the online model over the whole run."""
    return trace.totals.model_right / trace.totals.events
