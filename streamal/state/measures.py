"""Read-only questions to the pending view: the human side's health, and estimation's inputs."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from streamal.core.estimation import LatencyDistribution, kaplan_meier
from streamal.events import Heartbeat, ReviewRequest

__all__ = [
    "AnnotatorAnswer",
    "LabelledReview",
    "ReviewMeasures",
    "ReviewOutcome",
    "WindowTotals",
]


#: Any time to come, as a number that SQLite can add: 10,000 years, in seconds.
_FOREVER = 3.2e11

#: Latest reviews that the distribution of latencies is taken from: quantiles to about a percent.
_LATENCY_REVIEWS = 5_000


@dataclass(frozen=True, slots=True)
class WindowTotals:
    """One event-time window, summed over the partitions of `predictions`.

    Attributes:
        window_start: first instant of the window, seconds since the Unix epoch.
        window_seconds: its length.
        events: accepted events, routed or not.
        routed: of these, sent to review.
        unreachable: of these, without any chance to be routed; outside of the population.
        sum_expected_correct: sum over the reachable events of g = predicted P(production is right).
        sum_propensity: sum over the reachable events of their propensity.
        sum_expected_loss: in a regression, sum over the reachable events of predicted
            |production - truth|.
    """

    window_start: float
    window_seconds: float
    events: int
    routed: int
    unreachable: int
    sum_expected_correct: float
    sum_propensity: float
    sum_expected_loss: float = 0.0

    @property
    def reachable(self) -> int:
        """Size of the population that estimates speak for."""
        return self.events - self.unreachable


@dataclass(frozen=True, slots=True)
class ReviewOutcome:
    """One requested review, answered or not, as estimation needs it. Times are epoch seconds.

    Attributes:
        event_id: identity of the event.
        occurred_at: event time; decides which window it belongs to.
        decided_at: when the gate decided.
        expires_at: end of its label horizon; until then an unanswered review is undecided.
        propensity: P(routed), in (0, 1].
        expected_correct: g = predicted P(production is right), in [0, 1].
        reason: which rule routed it; a stratum of response.
        production_label: production's class; None for a regression.
        model_label: the online model's class at decision time; None while it knew nothing.
        label: the final class, after consensus; None while there is none.
        value: the final number of a regression; None while there is none.
        answered_at: log time of that answer; None without one.
        production_value: in a regression, production's number.
        model_value: in a regression, the online model's at decision time; None while it knew
            nothing.
        tolerance: in a regression, how far from the truth is still right.
        expected_loss: in a regression, g = predicted |production - truth|; None while nothing was
            known.
    """

    event_id: str
    occurred_at: float
    decided_at: float
    expires_at: float
    propensity: float
    expected_correct: float
    reason: str
    production_label: str | None
    model_label: str | None
    label: str | None
    value: float | None
    answered_at: float | None
    production_value: float | None = None
    model_value: float | None = None
    tolerance: float | None = None
    expected_loss: float | None = None

    @property
    def is_answered(self) -> bool:
        """Whether there is a final answer: a class, or a number."""
        return self.label is not None or self.value is not None

    @property
    def production_loss(self) -> float | None:
        """|production - truth|; None without an answer, and in a classification."""
        return _distance(self.production_value, self.value)

    @property
    def model_loss(self) -> float | None:
        """The online model's; None too while it knew nothing."""
        return _distance(self.model_value, self.value)

    @property
    def production_correct(self) -> bool | None:
        """Whether production was right; None without an answer or without a production class."""
        if self.value is not None:
            return self._is_within(self.production_loss)
        return _agrees(self.production_label, self.label)

    @property
    def model_correct(self) -> bool | None:
        """Whether the online model was right; None without an answer or while it knew nothing."""
        if self.value is not None:
            return self._is_within(self.model_loss)
        return _agrees(self.model_label, self.label)

    def _is_within(self, loss: float | None) -> bool | None:
        return None if loss is None or self.tolerance is None else loss <= self.tolerance


@dataclass(frozen=True, slots=True)
class AnnotatorAnswer:
    """What one annotator said about one event, as it stands.

    Attributes:
        annotator: who.
        label: the class; None in a regression.
        value: the number of a regression; None in a classification.
        labelled_at: when they say they answered, epoch seconds.
    """

    annotator: str
    label: str | None
    value: float | None
    labelled_at: float


@dataclass(frozen=True, slots=True)
class LabelledReview:
    """One review with a final answer, with its features, for retraining production.

    Attributes:
        review: the request as it lies on the topic.
        label: the final class; None in a regression.
        value: the final number of a regression; None in a classification.
        answers: every standing answer that counted, first come first; without held ones.
        adjudicated_by: the lead whose verdict it is; None where the votes carried it.
        answered_at: log time at which the event got its final answer, epoch seconds.
    """

    review: ReviewRequest
    label: str | None
    value: float | None
    answers: tuple[AnnotatorAnswer, ...]
    adjudicated_by: str | None
    answered_at: float

    @property
    def annotators(self) -> tuple[str, ...]:
        """Everybody whose answer counted."""
        return tuple(answer.annotator for answer in self.answers)


def _agrees(predicted: str | None, label: str | None) -> bool | None:
    return None if predicted is None or label is None else predicted == label


def _distance(predicted: float | None, truth: float | None) -> float | None:
    return None if predicted is None or truth is None else abs(predicted - truth)


class ReviewMeasures:
    """What can be asked of a pending view. Every `now` and range end is in epoch seconds.

    Args:
        connection: of the view.
        recent_seconds: how far back rates and latencies look, so that they follow the reviewers'
            present habits; > 0.
    """

    def __init__(self, connection: sqlite3.Connection, recent_seconds: float) -> None:
        self._connection = connection
        self._recent_seconds = recent_seconds

    def pending(self, now: float) -> int:
        """Reviews that are neither answered nor expired."""
        query = "SELECT count(*) FROM reviews WHERE expires_at >= ? AND answered_at IS NULL"
        count: int = self._connection.execute(query, (now,)).fetchone()[0]
        return count

    def response_rate(self, now: float) -> float | None:
        """Share of the recently expired reviews that were answered in time, in [0, 1].

        Only expired reviews count, answered or not: an answer shows at once but its absence only
        at expiry, so counting early answers would report reviewers better than they are.

        Returns:
            None while no review has expired within the recent past.
        """
        expired, answered = self._connection.execute(
            "SELECT count(*), count(answered_at) FROM reviews WHERE expires_at < ? "
            "AND expires_at >= ?",
            (now, now - self._recent_seconds),
        ).fetchone()
        return answered / expired if expired else None

    def response_rates(self, now: float) -> dict[str, float]:
        """`response_rate` by the rule that routed; without rules of which no review expired."""
        rows = self._connection.execute(
            "SELECT reason, 1.0 * count(answered_at) / count(*) FROM reviews WHERE expires_at < ? "
            "AND expires_at >= ? AND NOT synthetic GROUP BY reason ORDER BY reason",
            (now, now - self._recent_seconds),
        )
        return dict(rows)

    def latencies(self, now: float) -> LatencyDistribution:
        """How long answers take, from the latest reviews, those still waiting among them.

        Chosen by when the events occurred, which does not depend on who has answered.
        """
        rows = self._connection.execute(
            "SELECT coalesce(answered_at, min(?, expires_at)) - decided_at, "
            "answered_at IS NOT NULL FROM reviews WHERE occurred_at >= ? "
            "ORDER BY occurred_at DESC LIMIT ?",
            (now, now - self._recent_seconds, _LATENCY_REVIEWS),
        ).fetchall()
        seconds, ended = zip(*rows, strict=True) if rows else ((), ())
        # Clocks of different machines may make an answer look older than its request.
        return kaplan_meier([max(0.0, each) for each in seconds], ended)

    def label_latency_seconds(self, now: float, quantile: float = 0.5) -> float | None:
        """A quantile of the time from decision to answer, among recent answers.

        Args:
            now: the present.
            quantile: in [0, 1]; nearest rank, so the result is a latency that occurred.

        Returns:
            Seconds, >= 0; None without a recent answer.
        """
        since = now - self._recent_seconds
        query = "SELECT count(*) FROM reviews WHERE answered_at >= ?"
        count: int = self._connection.execute(query, (since,)).fetchone()[0]
        if count == 0:
            return None
        # Clocks of different machines may make an answer look older than its request.
        row = self._connection.execute(
            "SELECT max(0.0, answered_at - decided_at) AS latency FROM reviews "
            "WHERE answered_at >= ? ORDER BY latency LIMIT 1 OFFSET ?",
            (since, min(count - 1, int(quantile * count))),
        ).fetchone()
        latency: float = row[0]
        return latency

    def heartbeat(self, now: float) -> Heartbeat:
        """The human side as the gates are told of it."""
        return Heartbeat(
            sent_at=datetime.fromtimestamp(now, UTC),
            pending=self.pending(now),
            response_rate=self.response_rate(now),
            label_latency_seconds=self.label_latency_seconds(now),
        )

    def windows(self, start: float, end: float) -> list[WindowTotals]:
        """Windows that lie within [`start`, `end`), oldest first."""
        rows = self._connection.execute(
            "SELECT window_start, window_seconds, events, routed, unreachable, "
            "sum_expected_correct, sum_propensity, sum_expected_loss FROM windows "
            "WHERE window_start >= ? AND window_start + window_seconds <= ? "
            "ORDER BY window_start, window_seconds",
            (start, end),
        )
        return [WindowTotals(*row) for row in rows]

    def outcomes(
        self, start: float, end: float, *, horizon_seconds: float = math.inf
    ) -> list[ReviewOutcome]:
        """Reviews of events that occurred in [`start`, `end`), answered or not, oldest first.

        Not those of made-up items, which stand for no event.

        Args:
            start: first instant.
            end: first instant after.
            horizon_seconds: how long after its decision an answer of a review may still change; the
                answer that stood then is given, so that a report does not change afterwards.
        """
        rows = self._connection.execute(
            "SELECT reviews.event_id, occurred_at, decided_at, expires_at, propensity, "
            "expected_correct, reason, production_label, model_label, answers.label, "
            "answers.value, iif(coalesce(answers.label, answers.value) IS NULL, NULL, changed_at), "
            "production_value, model_value, tolerance, expected_loss "
            "FROM reviews LEFT JOIN answers ON answers.event_id = reviews.event_id AND sequence = "
            "(SELECT max(sequence) FROM answers AS past WHERE past.event_id = reviews.event_id "
            "AND past.changed_at <= decided_at + ?) "
            "WHERE occurred_at >= ? AND occurred_at < ? AND NOT synthetic "
            "ORDER BY occurred_at, reviews.event_id",
            (min(horizon_seconds, _FOREVER), start, end),
        )
        return [ReviewOutcome(*row) for row in rows]

    def labelled(
        self, start: float, end: float, *, synthetic: bool = False
    ) -> Iterator[LabelledReview]:
        """Reviews with a final answer of events that occurred in [`start`, `end`), oldest first.

        The view is not to be written to while this is read.

        Args:
            start: first instant.
            end: first instant after.
            synthetic: whether those of made-up items are among them, at the time of the event
                beside which they were asked about.
        """
        rows = self._connection.execute(
            "SELECT payload, reviews.label, reviews.value, adjudications.annotator, answered_at "
            "FROM reviews LEFT JOIN adjudications USING (event_id) "
            "WHERE answered_at IS NOT NULL AND occurred_at >= ? AND occurred_at < ? "
            "AND synthetic <= ? ORDER BY occurred_at, event_id",
            (start, end, int(synthetic)),
        )
        for payload, label, value, lead, answered_at in rows:
            review = ReviewRequest.from_bytes(payload)
            answers = self.answers(review.event_id)
            yield LabelledReview(review, label, value, answers, lead, answered_at)

    def synthetic(self, start: float, end: float) -> int:
        """Made-up items that people were asked about beside events of [`start`, `end`)."""
        query = (
            "SELECT count(*) FROM reviews WHERE synthetic AND occurred_at >= ? AND occurred_at < ?"
        )
        count: int = self._connection.execute(query, (start, end)).fetchone()[0]
        return count

    def answers(self, event_id: str) -> tuple[AnnotatorAnswer, ...]:
        """The standing answers to one review, first come first; held ones are left out."""
        rows = self._connection.execute(
            "SELECT annotator, label, value, labelled_at FROM votes WHERE event_id = ? "
            "AND held = 0 AND feedback IS NULL ORDER BY place, annotator",
            (event_id,),
        )
        return tuple(AnnotatorAnswer(*row) for row in rows)
