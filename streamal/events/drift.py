"""What travels on the `drift` topic, and what answers it on the way to the gates."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from streamal.events.base import Event, Name, UtcDatetime

__all__ = ["DriftCause", "DriftEvent", "DriftResponse"]

#: `harmful`: production became worse; `change`: its accuracy changed otherwise; `data`: the events
#: look different.
DriftCause = Literal["harmful", "change", "data"]


class DriftResponse(BaseModel):
    """What is done about a drift for a time; gates follow it until then.

    Attributes:
        cause: what it answers.
        budget_factor: by what the budget is raised; what that spends more is saved afterwards.
        exploration: share of the budget that is spent uniformly, where that is more than set.
        trust: how much the online model's opinion counts, in [0, 1].
        learner: what was done with the online model, once.
        until: when it ends.
    """

    model_config = ConfigDict(frozen=True)

    cause: DriftCause
    budget_factor: float = Field(default=1.0, ge=1)
    exploration: float | None = Field(default=None, ge=0, le=1)
    trust: float = Field(default=1.0, ge=0, le=1)
    learner: Literal["keep", "reset", "reweight"] = "keep"
    until: UtcDatetime


class DriftEvent(Event):
    """Something has changed, as far as a detector can tell, or is done about it.

    Attributes:
        pipeline: name of the pipeline.
        kind: `drift`, or `response` for what is done about one; that follows its drift.
        detector: what noticed it: `accuracy_shift`, `data_drift`, `annotator_agreement` or a
            registered detector.
        subject: what a registered detector followed: `risk`, P(production is wrong), which in a
            regression is P(off by more than the tolerance); `overconfidence`, confidence less
            correctness; `absolute_error`, |prediction - truth| in the truth's unit. None for the
            others.
        cause: one line for a human.
        harmful: whether production has become worse.
        statistic: the detector's measure of the change; for `accuracy_shift` the difference of
            accuracies, after minus before, in [-1, 1]; for `data_drift` the largest stability
            index; for `annotator_agreement` an annotator's mean agreement minus the one that is
            owed, in [-1, 1].
        low: lower end of the statistic's interval; the statistic itself where there is none.
        high: upper end of the statistic's interval; the statistic itself where there is none.
        threshold: what the statistic was compared with; None where there is no single number.
        variables: for `data_drift`, the variables that differ, with their stability indexes.
        response: what is done, in an event of that kind.
        window_start: first instant of the event-time window that shows the change.
        window_seconds: length of that window.
        detected_at: when the detector saw it.
    """

    pipeline: str
    kind: Literal["drift", "response"] = "drift"
    detector: Name
    subject: Literal["risk", "overconfidence", "absolute_error"] | None = None
    cause: str
    harmful: bool
    statistic: float
    low: float
    high: float
    threshold: float | None = None
    variables: dict[str, float] = Field(default_factory=dict)
    response: DriftResponse | None = None
    window_start: UtcDatetime
    window_seconds: float
    detected_at: UtcDatetime
