"""The review requests that follow from decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from streamal.core.batch import Outlook
from streamal.core.chance import draw
from streamal.core.types import Advice, Decision, Reason, Task, top_class
from streamal.events import DecodedPrediction, ModelView, ReviewRequest, StrategyAdvice
from streamal.roles.items import items_of
from streamal.roles.models_topic import ServingModel

#: Few exploration items exist and every unbiased estimate rests on their being answered, so they
#: are worked on first.
_EXPLORATION_PRIORITY = 1.0


@dataclass(frozen=True, slots=True)
class RequiredLabels:
    """How many annotators are asked about an item; a function of event and reason.

    Attributes:
        usual: where nothing else is said, >= 1.
        by_reason: for single reasons of routing.
        overlap: share of items that ask for one more, in [0, 1].
        seed: the pipeline's.
    """

    usual: int = 1
    by_reason: Mapping[str, int] = field(default_factory=dict)
    overlap: float = 0.0
    seed: int = 0

    def count(self, event_id: str, reason: Reason) -> int:
        """How many are to answer; >= 1."""
        overlaps = draw(self.seed, event_id, "overlap") < self.overlap
        return self.by_reason.get(reason.value, self.usual) + int(overlaps)


@dataclass(frozen=True, slots=True)
class Routed:
    """An event that people are asked about.

    Attributes:
        prediction: what production said.
        outlook: what the online model expects of it.
        model_version: of that model.
        decision: that routed it.
    """

    prediction: DecodedPrediction
    outlook: Outlook
    model_version: int
    decision: Decision


def asked_about(prediction: DecodedPrediction, serving: ServingModel, decision: Decision) -> Routed:
    """A prediction that goes out beside a routed event, under the same decision."""
    items = items_of([prediction])
    outlooks = serving.model.outlook(items.features, items.production)
    return Routed(prediction, outlooks.item(0), serving.version, decision)


@dataclass(frozen=True, slots=True)
class Reviewing:
    """Writes review requests.

    Attributes:
        pipeline: name of the pipeline.
        policy: registered name of the budget policy.
        ttl_seconds: how long after the decision a label is still used.
        required: how many annotators are asked.
        task: what people are asked for.
        tolerance: in a regression, how far from the truth is still right.
    """

    pipeline: str
    policy: str
    ttl_seconds: float
    required: RequiredLabels = RequiredLabels()
    task: Task = Task.CLASSIFICATION
    tolerance: float | None = None

    def request(self, routed: Routed, segments: Mapping[str, str], now: float) -> ReviewRequest:
        """The review request for a routed event.

        Args:
            routed: the event.
            segments: key to name of the segments that it was counted in.
            now: seconds since the epoch.
        """
        prediction, outlook, decision = routed.prediction, routed.outlook, routed.decision
        decided_at = datetime.fromtimestamp(now, UTC)
        exploring = decision.reason in (Reason.EXPLORATION, Reason.STOPPED)
        return ReviewRequest(
            event_id=prediction.event_id,
            pipeline=self.pipeline,
            task=self.task.value,
            occurred_at=prediction.timestamp,
            decided_at=decided_at,
            expires_at=decided_at + timedelta(seconds=self.ttl_seconds),
            features=prediction.features,
            prediction=prediction.prediction.event(),
            model=ModelView(
                version=routed.model_version,
                label=top_class(outlook.probabilities),
                probabilities=dict(outlook.probabilities),
                value=outlook.value,
            ),
            produced_by=prediction.model.event(),
            score=decision.score,
            strategy=decision.strategy,
            policy=self.policy,
            threshold=decision.threshold,
            propensity=decision.propensity,
            reason=decision.reason.value,
            advice=_on_the_wire(decision.advice),
            priority=_EXPLORATION_PRIORITY if exploring else decision.score,
            expected_correct=outlook.expected_correct,
            tolerance=self.tolerance,
            expected_loss=outlook.expected_loss,
            metadata=prediction.metadata,
            segments=dict(segments),
            required_labels=self.required.count(prediction.event_id, decision.reason),
        )


def _on_the_wire(advice: Advice | None) -> StrategyAdvice | None:
    if advice is None:
        return None
    return StrategyAdvice(
        followed=advice.followed, mixture=dict(advice.mixture), ranks=dict(advice.ranks)
    )
