"""What is known about an event when the gate decides, and the review request that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from streamal.core.chance import draw
from streamal.core.learners import Model, Outlook
from streamal.core.types import (
    NONE_LABELLED,
    Advice,
    Context,
    Decision,
    Probabilities,
    Production,
    Reason,
    Task,
    top_class,
)
from streamal.events import DecodedPrediction, ModelView, ReviewRequest, StrategyAdvice
from streamal.roles.intake import as_production
from streamal.roles.responses import trusted

__all__ = ["Appraisal", "RequiredLabels", "Reviewing", "ServingModel", "appraise"]

#: Few exploration items exist and every unbiased estimate rests on their being answered, so they
#: are worked on first.
_EXPLORATION_PRIORITY = 1.0


@dataclass(frozen=True, slots=True)
class ServingModel:
    """The online model that a gate asks.

    Attributes:
        version: of the snapshot it came from; 0 is a model that has learned nothing.
        model: the model.
    """

    version: int
    model: Model


@dataclass(frozen=True, slots=True)
class Appraisal:
    """A prediction with all that the gate knows about it.

    Attributes:
        prediction: as production published it.
        outlook: the online model's opinion.
        context: what the strategy may look at.
        model_version: of the model that was asked.
    """

    prediction: DecodedPrediction
    outlook: Outlook
    context: Context
    model_version: int


def appraise(
    prediction: DecodedPrediction,
    serving: ServingModel,
    committee: tuple[str, ...],
    *,
    boundary: bool = False,
    labelled: bool = False,
    lookahead: bool = False,
    trust: float = 1.0,
) -> Appraisal:
    """Ask the online model and seat the committee.

    Args:
        prediction: what production said.
        serving: the online model.
        committee: who sits on the committee: `learner`, `event`, `production`, `model`.
        boundary: whether the strategy asks for the distance to the nearest class boundary.
        labelled: whether it asks for the latest labelled items.
        lookahead: whether the strategy asks what the model would predict after a label.
        trust: how much the online model's opinion counts, in [0, 1]. What is recorded for
            estimates is what the model said.
    """
    production = as_production(prediction.prediction)
    outlook = serving.model.outlook(prediction.features, production)
    counted = trusted(outlook, trust)
    context = Context(
        event_id=prediction.event_id,
        features=prediction.features,
        production=production,
        model=counted.probabilities,
        committee=_members(prediction, production, counted, committee),
        expected_correct=counted.expected_correct,
        boundary_distance=serving.model.boundary_distance(prediction.features, production)
        if boundary and trust > 0.0
        else None,
        strategy_weights=serving.model.strategy_weights,
        committee_values=_values(prediction, production, counted, committee),
        expected_loss=counted.expected_loss,
        labelled=serving.model.labelled(margins=boundary) if labelled else NONE_LABELLED,
        lookahead=serving.model.lookahead(
            prediction.features, production, event_id=prediction.event_id
        )
        if lookahead
        else None,
    )
    return Appraisal(prediction, outlook, context, serving.version)


def _members(
    prediction: DecodedPrediction,
    production: Production,
    outlook: Outlook,
    committee: tuple[str, ...],
) -> tuple[Probabilities, ...]:
    members: list[Probabilities] = []
    if "learner" in committee:
        members.extend(outlook.committee)
    if "event" in committee:
        members.extend(m for m in prediction.committee or () if isinstance(m, dict))
    if "production" in committee and production.probabilities:
        members.append(production.probabilities)
    if "model" in committee:
        members.append(outlook.probabilities)
    return tuple(members)


def _values(
    prediction: DecodedPrediction,
    production: Production,
    outlook: Outlook,
    committee: tuple[str, ...],
) -> tuple[float, ...]:
    """The numbers of the committee of a regression; empty in a classification."""
    if production.value is None:
        return ()
    values: list[float] = []
    if "learner" in committee:
        values.extend(outlook.committee_values)
    if "event" in committee:
        values.extend(m for m in prediction.committee or () if not isinstance(m, dict))
    if "production" in committee:
        values.append(production.value)
    if "model" in committee and outlook.value is not None:
        values.append(outlook.value)
    return tuple(values)


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

    def request(
        self, appraisal: Appraisal, decision: Decision, segments: Mapping[str, str], now: float
    ) -> ReviewRequest:
        """The review request for a routed event, with the segments that it was counted in."""
        prediction = appraisal.prediction
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
                version=appraisal.model_version,
                label=top_class(appraisal.outlook.probabilities),
                probabilities=dict(appraisal.outlook.probabilities),
                value=appraisal.outlook.value,
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
            expected_correct=appraisal.outlook.expected_correct,
            tolerance=self.tolerance,
            expected_loss=appraisal.outlook.expected_loss,
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
