"""What a gate did in one transaction, to be counted once it is committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from streamal.core.assess import Assessed
from streamal.core.gate import Decisions
from streamal.errors import Reject
from streamal.events import DecodedPrediction
from streamal.ports import Record
from streamal.roles.synthesis import Outcome
from streamal.telemetry.metrics import Metrics, exemplar


@dataclass(frozen=True, slots=True)
class Decided:
    """Events of one partition that were decided together.

    Attributes:
        records: of each event, the record that it came in.
        predictions: what production said.
        assessed: what was known about them.
        decisions: the verdicts.
    """

    records: Sequence[Record]
    predictions: Sequence[DecodedPrediction]
    assessed: Assessed
    decisions: Decisions


#: Told of every decision that was committed.
Observer = Callable[[Decided], None]


@dataclass(slots=True)
class GateBatch:
    """Decisions, rejects and made-up items of one transaction.

    Attributes:
        decided: events, in the order of their decisions within each partition.
        rejected: why records went to the dead letters.
        made_up: what became of chances to ask about made-up items.
        seconds: time to read and decide, commit excluded.
    """

    decided: list[Decided] = field(default_factory=list)
    rejected: list[Reject] = field(default_factory=list)
    made_up: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0

    def report(self, metrics: Metrics, now: float, observer: Observer | None) -> None:
        """Count it.

        Args:
            metrics: counts.
            now: seconds since the epoch.
            observer: told of every decision.
        """
        metrics.transactions.labels(role="gate", outcome="committed").inc()
        for reason, count in Counter(reject.reason for reject in self.rejected).items():
            metrics.rejected.labels(role="gate", reason=reason).inc(count)
        for outcome, count in Counter(self.made_up).items():
            metrics.synthetic_reviews.labels(outcome=outcome).inc(count)
        for each in self.decided:
            _count(each, metrics, now)
            if observer is not None:
                observer(each)
        accepted = sum(len(each.decisions) for each in self.decided)
        metrics.events.inc(accepted + len(self.rejected))
        metrics.accepted.inc(accepted)
        if accepted:
            metrics.decision_seconds.observe_equal(self.seconds / accepted, accepted)


def _count(decided: Decided, metrics: Metrics, now: float) -> None:
    records, decisions = decided.records, decided.decisions
    metrics.decision_latency_seconds.observe_all(
        [max(0.0, now - record.timestamp_ms / 1000) for record in records],
        lambda number: exemplar(decided.predictions[number].event_id),
    )
    propensities = decisions.propensities
    metrics.score.observe_all(decisions.scores)
    metrics.propensity.observe_all(propensities)
    for reason, count in Counter(decisions.offers[row].reason for row in decisions.routed).items():
        metrics.routed.labels(reason=reason.value).inc(count)
    unreachable = int((propensities <= 0).sum())
    if unreachable:
        metrics.unreachable.inc(unreachable)
    metrics.threshold.labels(topic=records[-1].topic, partition=str(records[-1].partition)).set(
        decisions.offers[-1].threshold
    )
