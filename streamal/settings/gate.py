"""What is routed to review, and under which budget."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from streamal.settings.common import Name, Parameters, Section, comma_separated

__all__ = [
    "BreakerSettings",
    "GateSettings",
]


class BreakerSettings(Section):
    """When the gate stops rather than drain the topic into dead letters.

    Attributes:
        max_reject_share: largest share of rejects among the last `window_events`, in (0, 1]; 1
            switches the breaker off.
        window_events: how many events the share is taken over.
        min_events: events seen before the breaker may open.
    """

    max_reject_share: float = Field(default=0.5, gt=0, le=1)
    window_events: int = Field(default=1000, ge=1)
    min_events: int = Field(default=100, ge=1)


class GateSettings(Section):
    """What is routed to review, and under which budget.

    Attributes:
        strategy: registered name of the query strategy.
        strategy_parameters: its constructor's parameters.
        policy: registered name of the budget policy.
        policy_parameters: its constructor's parameters.
        budget: share of events to route, in (0, 1].
        exploration: share of the budget spent on uniformly drawn events, in [0, 0.9]; 0 makes
            unbiased estimates impossible.
        advance_labels: labels over all partitions that a new pipeline spends at once, before the
            budget has earned them, and saves again afterwards; 0 waits.
        max_per_hour: hard limit of routed events per hour over all partitions.
        max_pending: unanswered reviews from which only exploration goes on.
        stop_at_accuracy: accuracy, in (0, 1), from which only exploration goes on, once it is
            reached for sure.
        synthetic_share: of the questions that the strategy steers, how many are about items that it
            makes up, in [0, 0.5]; only with `query_synthesis`, for events of numbers and booleans.
        stop_on: whose accuracy that is: that of the online `model` or of `production`.
        committee: who sits on the committee that strategies with `source = "committee"` ask:
            `learner` (the members of learner.committee_size), `event` (what the event carries),
            `production`, and `model` (the online model itself).
        delivery: `exactly_once` (transactions) or `at_least_once`.
        max_batch_records: most events decided in one transaction.
        poll_timeout_seconds: longest wait for events.
        duplicate_memory_events: how many recent event ids per partition are remembered; a repeated
            one is rejected.
        instance: name of this gate process, unique among those that run at the same time and kept
            over a restart: a restarted gate then aborts at once what its predecessor left open.
            Unset: a random one, and what a killed gate left open is aborted by the broker after
            broker.transaction_timeout_seconds.
        breaker: when to stop.
    """

    strategy: str = "margin"
    strategy_parameters: Parameters = Field(default_factory=dict)
    policy: str = "quantile"
    policy_parameters: Parameters = Field(default_factory=dict)
    budget: float = Field(default=0.05, gt=0, le=1)
    exploration: float = Field(default=0.2, ge=0, le=0.9)
    advance_labels: float = Field(default=10.0, ge=0, le=10_000)
    max_per_hour: float | None = Field(default=None, gt=0)
    max_pending: int | None = Field(default=None, ge=1)
    stop_at_accuracy: float | None = Field(default=None, gt=0, lt=1)
    synthetic_share: float = Field(default=0.0, ge=0, le=0.5)
    stop_on: Literal["model", "production"] = "model"
    committee: Annotated[
        tuple[Literal["learner", "event", "production", "model"], ...],
        NoDecode,
        BeforeValidator(comma_separated),
    ] = ("learner", "event")
    delivery: Literal["exactly_once", "at_least_once"] = "exactly_once"
    max_batch_records: int = Field(default=2000, ge=1, le=100_000)
    poll_timeout_seconds: float = Field(default=0.5, gt=0, le=60)
    duplicate_memory_events: int = Field(default=10_000, ge=0, le=10_000_000)
    instance: Name | None = None
    breaker: BreakerSettings = BreakerSettings()
