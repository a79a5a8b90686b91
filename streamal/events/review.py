"""What a human-review tool consumes: the stable contract of the `reviews` topic."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from streamal.events.base import (
    Event,
    EventId,
    FeatureMap,
    Metadata,
    Name,
    UtcDatetime,
)
from streamal.events.prediction import ModelRef, Output

__all__ = [
    "Adjudication",
    "ModelView",
    "ReviewReason",
    "ReviewRequest",
    "StrategyAdvice",
    "TaskName",
]

#: What production predicts, and so what a reviewer is asked for.
TaskName = Literal["classification", "regression"]

#: Why an item was routed. `exploration` and `stopped` items came by the floor and `advance` ones
#: because the stream was young, not by their score; `rate_limited` ones came although the hourly
#: limit had cut their propensity down.
ReviewReason = Literal[
    "above_threshold",
    "at_threshold",
    "exploration",
    "max_pending",
    "rate_limited",
    "stopped",
    "advance",
]


class ModelView(BaseModel):
    """The online model's opinion at decision time.

    Attributes:
        version: snapshot version; 0 before the first snapshot.
        label: its most probable class; None while it has learned nothing.
        probabilities: class to probability; empty while it has learned nothing.
        value: its predicted number in a regression; None while it has learned nothing.
    """

    model_config = ConfigDict(frozen=True)

    version: int = Field(ge=0)
    label: str | None = None
    probabilities: dict[str, float] = Field(default_factory=dict)
    value: float | None = None


class Adjudication(BaseModel):
    """Asks a lead to decide what the reviewers could not agree on.

    Attributes:
        asked_at: when the votes were found to disagree.
        answers: annotator to their class, or to their number in a regression.
    """

    model_config = ConfigDict(frozen=True)

    asked_at: UtcDatetime
    answers: dict[Name, str | float]


_Unit = Annotated[float, Field(ge=0, le=1)]


class StrategyAdvice(BaseModel):
    """What the strategies of a bandit had to say; the trainer credits them by it.

    Attributes:
        followed: the strategy whose rank is the score.
        mixture: strategy to the probability with which it was followed.
        ranks: strategy to the share of recent items that it ranks below this one, in [0, 1].
    """

    model_config = ConfigDict(frozen=True)

    followed: str
    mixture: dict[str, _Unit]
    ranks: dict[str, _Unit]


class ReviewRequest(Event):
    """One item that a human should look at, with everything as it was decided on.

    Attributes:
        event_id: echoes the prediction's; labels refer to it.
        pipeline: name of the pipeline that asks.
        task: what is asked for: a class in `label`, or a number in `value`.
        occurred_at: when production made the prediction.
        decided_at: when the gate decided.
        expires_at: labels that arrive later are neither learned nor estimated with.
        features: the model inputs as decided on.
        prediction: what production said.
        model: the online model's opinion.
        produced_by: the production model.
        score: informativeness in [0, 1].
        strategy: registered name of the strategy that scored.
        policy: registered name of the budget policy.
        threshold: the policy's threshold at that moment.
        propensity: P(routed), in (0, 1]; weight a label by its inverse to undo the selection.
        reason: which rule routed the item.
        advice: with `strategy` "bandit", what its strategies had to say.
        priority: order of work in [0, 1], highest first. Exploration items have 1: few, and the
            accuracy estimate rests on their being answered.
        expected_correct: predicted P(production is right) in [0, 1], from the past only. In a
            regression, right means within the tolerated distance of the truth.
        tolerance: in a regression, how far from the truth production may be and still be right, in
            the truth's unit; None in a classification.
        expected_loss: in a regression, predicted |production - truth| in the truth's unit, from the
            past only; None while nothing was learned, and in a classification.
        metadata: as production published it.
        segments: key to value of the segments that the event was counted in (`windows`); a value
            without a name of its own is `other`.
        required_labels: how many annotators are to answer, each for themselves; >= 1.
        synthetic: whether the item is made up: no event was ever like it, production never saw it,
            and it was not sampled. `prediction` is then the online model's, `produced_by` is
            "streamal", `propensity` 1 and `segments` empty; leave it out of every estimate.
        adjudication: only in a second request for the same event, written by the trainer when the
            answers disagree: a lead answers it with `adjudicates`. None in the first request.
    """

    event_id: EventId
    pipeline: str
    task: TaskName = "classification"
    occurred_at: UtcDatetime
    decided_at: UtcDatetime
    expires_at: UtcDatetime
    features: FeatureMap
    prediction: Output
    model: ModelView
    produced_by: ModelRef
    score: float = Field(ge=0, le=1)
    strategy: str
    policy: str
    threshold: float
    propensity: float = Field(gt=0, le=1)
    reason: ReviewReason
    advice: StrategyAdvice | None = None
    priority: float = Field(ge=0, le=1)
    expected_correct: float = Field(ge=0, le=1)
    tolerance: float | None = Field(default=None, ge=0)
    expected_loss: float | None = Field(default=None, ge=0)
    metadata: Metadata = Field(default_factory=dict)
    segments: dict[str, str] = Field(default_factory=dict)
    required_labels: int = Field(default=1, ge=1)
    synthetic: bool = False
    adjudication: Adjudication | None = None
