"""What a backtest says: one run beside its baselines, with the keys that programs rely on."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

from streamal.lab.experiment import Experiment, Setup
from streamal.lab.ledger import Losses, Trace

__all__ = ["EstimatedAccuracy", "EstimatedError", "MeanErrors", "Results", "Run", "accuracy_of"]

#: Sums of floats may end a hair outside of an interval that has no width.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class EstimatedAccuracy:
    """An estimate with its interval; no value while nothing was labelled."""

    value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class MeanErrors:
    """Mean absolute errors of a regression, in the unit of the label column.

    Attributes:
        model: of the online model, each item predicted before it could be learned; None where it
            never knew anything.
        all_labels: of the same learner when every item is asked about.
        random: of the same learner when the budget is spent on items drawn uniformly.
        retention: all_labels / model; None when that is not known.
        production: production's over every item.
        estimate: production's from the selected labels, with a 95 % interval for all times
            together; `high` is None while there are too few.
        covered: whether the interval holds `production`.
    """

    model: float | None
    all_labels: float | None
    random: float | None
    retention: float | None
    production: float
    estimate: EstimatedError
    covered: bool


@dataclass(frozen=True, slots=True)
class EstimatedError:
    """An estimate with its interval; no value while nothing was labelled."""

    value: float | None
    low: float
    high: float | None


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
        errors: how far off, in a regression; there, right is within the tolerance.
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
    errors: MeanErrors | None = None


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
        """The runs as JSON values; `errors` only of a regression."""
        documents = [asdict(run) for run in self.runs()]
        for each in documents:
            if each["errors"] is None:
                del each["errors"]
        return documents

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
            errors=None if trace.losses is None else self._errors(setup, trace.losses),
        )

    def _errors(self, setup: Setup, losses: Losses) -> MeanErrors:
        everything, drawn = (
            found.model if (found := self.traces[each].losses) else None
            for each in (setup.all_labels, setup.random)
        )
        estimate = losses.estimate
        low, high = estimate.interval.low, estimate.interval.high
        return MeanErrors(
            model=losses.model,
            all_labels=everything,
            random=drawn,
            retention=everything / losses.model if everything and losses.model else None,
            production=losses.production,
            estimate=EstimatedError(
                None if math.isnan(estimate.value) else estimate.value,
                low,
                high if math.isfinite(high) else None,
            ),
            covered=low * (1 - _ROUNDING) <= losses.production <= high * (1 + _ROUNDING),
        )


def accuracy_of(trace: Trace) -> float:
    """Prequential accuracy of the online model over the whole run."""
    return trace.totals.model_right / trace.totals.events
