"""What a demo run came to, for programs and for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["DemoResult", "IntervalEstimate"]


@dataclass(frozen=True, slots=True)
class IntervalEstimate:
    """An estimate with its interval at confidence `level`; no value without a single label."""

    value: float | None
    low: float
    high: float
    level: float


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The keys of `streamal demo --json`.

    Attributes:
        events: events streamed.
        routed: of these, sent to review.
        routed_ratio: routed / events.
        budget: share that was allowed.
        labels_learned: labels that the online model learned.
        dead_letters: events that could not be used.
        production_accuracy_true: production's accuracy over all events, by the truth.
        production_accuracy_estimate: the same as estimated from the reviewed events alone.
        production_accuracy_naive: mean over the reviewed events: biased, for comparison.
        model_accuracy: prequential accuracy of the online model over all events.
        random_model_accuracy: the same when the items are routed at random.
        error_yield: share of reviewed items that production had got wrong.
        error_yield_random: the same when the items are routed at random.
        drift_alarms: drift events raised.
        seconds: wall time of the stream.
        events_per_second: events / seconds, both pipelines together.
    """

    events: int
    routed: int
    routed_ratio: float
    budget: float
    labels_learned: int
    dead_letters: int
    production_accuracy_true: float
    production_accuracy_estimate: IntervalEstimate
    production_accuracy_naive: float | None
    model_accuracy: float
    random_model_accuracy: float
    error_yield: float
    error_yield_random: float
    drift_alarms: int
    seconds: float
    events_per_second: float

    def document(self) -> dict[str, Any]:
        """As a JSON object."""
        return asdict(self)

    def summary(self) -> str:
        """In plain words."""
        estimate = self.production_accuracy_estimate
        alarms = "alarm" if self.drift_alarms == 1 else "alarms"
        return f"""
{self.events:,} events in {self.seconds:.1f} s, {self.events_per_second:,.0f} a second.

Budget      {self.routed:,} events were sent to review, {self.routed_ratio:.2%} of all;
            {self.budget:.2%} was allowed. {self.labels_learned:,} labels were learned.
Errors      {self.error_yield:.1%} of the reviewed items were errors of production;
            at random it would have been {self.error_yield_random:.1%}.
Model       The online model was right on {self.model_accuracy:.1%} of all events;
            with as many labels at random, on {self.random_model_accuracy:.1%}.
Production  It was right on {self.production_accuracy_true:.1%}.
            Estimated from the reviews alone: {_percent(estimate.value)},
            {estimate.level:.0%} interval {estimate.low:.1%} to {estimate.high:.1%}.
            The plain mean over the reviewed items says {_percent(self.production_accuracy_naive)}:
            biased, since the doubtful ones are reviewed.
Drift       {self.drift_alarms} {alarms} on the drift topic.
"""


def _percent(share: float | None) -> str:
    return "(no label came back)" if share is None else f"{share:.1%}"
