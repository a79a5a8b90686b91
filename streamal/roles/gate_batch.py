"""What a gate did in one batch, to be counted once the batch is committed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from streamal.core.types import Decision
from streamal.errors import Reject
from streamal.ports import Record
from streamal.roles.appraisal import Appraisal
from streamal.roles.synthesis import Outcome
from streamal.telemetry.metrics import Metrics, exemplar

__all__ = ["Decided", "GateBatch"]


class Decided(NamedTuple):
    """One decided event."""

    record: Record
    appraisal: Appraisal
    decision: Decision


class GateBatch:
    """Collects the decisions, rejects and made-up items of a batch.

    Attributes:
        decided: events, in the order of their decisions.
        rejected: why records went to the dead letters.
        made_up: what became of chances to ask about made-up items.
    """

    def __init__(self) -> None:
        self.decided: list[Decided] = []
        self.rejected: list[Reject] = []
        self.made_up: list[Outcome] = []

    def clear(self) -> None:
        """Begin another batch."""
        for each in (self.decided, self.rejected, self.made_up):
            each.clear()

    def report(
        self, metrics: Metrics, now: float, observer: Callable[[Appraisal, Decision], None] | None
    ) -> None:
        """Count it.

        Args:
            metrics: counts.
            now: seconds since the epoch.
            observer: called with every decision.
        """
        metrics.transactions.labels(role="gate", outcome="committed").inc()
        for reject in self.rejected:
            metrics.rejected.labels(role="gate", reason=reject.reason).inc()
        for outcome in self.made_up:
            metrics.synthetic_reviews.labels(outcome=outcome).inc()
        for each in self.decided:
            _count(each, metrics, now)
            if observer is not None:
                observer(each.appraisal, each.decision)
        metrics.events.inc(len(self.decided) + len(self.rejected))
        metrics.accepted.inc(len(self.decided))


def _count(decided: Decided, metrics: Metrics, now: float) -> None:
    record, appraisal, decision = decided
    metrics.decision_latency_seconds.observe(
        max(0.0, now - record.timestamp_ms / 1000), exemplar(appraisal.prediction.event_id)
    )
    metrics.score.observe(decision.score)
    metrics.propensity.observe(decision.propensity)
    if decision.query:
        metrics.routed.labels(reason=decision.reason.value).inc()
    if decision.propensity <= 0:
        metrics.unreachable.inc()
    metrics.threshold.labels(topic=record.topic, partition=str(record.partition)).set(
        decision.threshold
    )
