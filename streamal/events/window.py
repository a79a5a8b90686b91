"""Counts over *all* events, routed or not: what an unbiased estimate needs of the rest."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from streamal.events.base import Event, UtcDatetime

__all__ = ["DataSummary", "SegmentStats", "VariableCounts", "WindowStats"]


class SegmentStats(BaseModel):
    """One segment's part of an increment; of the reachable events only.

    Attributes:
        events: those that had a chance to be routed.
        sum_expected_correct: sum over them of predicted P(production is right).
        sum_expected_loss: in a regression, sum over them of predicted |production - truth|.
    """

    model_config = ConfigDict(frozen=True)

    events: int = Field(ge=0)
    sum_expected_correct: float = Field(default=0.0, ge=0)
    sum_expected_loss: float = Field(default=0.0, ge=0)


class VariableCounts(BaseModel):
    """How often one variable fell into each bin; see `streamal.core.drift.table` for the bins.

    Attributes:
        level: coarseness of the bins of numbers: each level more merges neighbours in pairs.
        numbers: bin (its index as text) to count; bins follow from the leading bits of a number.
        categories: text to count.
        other: values of categories that found no room.
    """

    model_config = ConfigDict(frozen=True)

    level: int = Field(default=0, ge=0)
    numbers: dict[int, int] = Field(default_factory=dict)
    categories: dict[str, int] = Field(default_factory=dict)
    other: int = Field(default=0, ge=0)


class DataSummary(BaseModel):
    """What events looked like, for data drift.

    Attributes:
        events: events counted; those without a value of a variable have it missing.
        tables: variable to its counts, such as `feature.age`, `class` or `uncertainty`.
    """

    model_config = ConfigDict(frozen=True)

    events: int = Field(ge=0)
    tables: dict[str, VariableCounts] = Field(default_factory=dict)


class WindowStats(Event):
    """An increment to one event-time window of one partition, written with each gate transaction.

    Increments add up: the sum of a window's records is its total, whatever order events came in.

    Attributes:
        pipeline: name of the pipeline.
        partition: partition of `predictions` that the events came from.
        window_start: first instant of the window (event time).
        window_seconds: length of the window.
        events: accepted events.
        routed: of these, sent to review.
        unreachable: of these, decided while a hard rate limit left them no chance (propensity 0);
            they are outside of the population that estimates speak for.
        sum_expected_correct: sum over the reachable events of predicted P(production is right).
        sum_propensity: sum over the reachable events of their propensity.
        sum_expected_loss: in a regression, sum over the reachable events of predicted
            |production - truth|; events about which nothing was known count as 0.
        segments: key to value to that segment's part, in the names that review requests of the
            same events carry. The key `prediction` is always there for a classification: counts of
            the predicted classes.
        summary: what these events looked like; None where data drift is not watched.
    """

    pipeline: str
    partition: int = Field(ge=0)
    window_start: UtcDatetime
    window_seconds: float = Field(gt=0)
    events: int = Field(ge=0)
    routed: int = Field(ge=0)
    unreachable: int = Field(ge=0)
    sum_expected_correct: float = Field(ge=0)
    sum_propensity: float = Field(ge=0)
    sum_expected_loss: float = Field(default=0.0, ge=0)
    segments: dict[str, dict[str, SegmentStats]] = Field(default_factory=dict)
    summary: DataSummary | None = None
