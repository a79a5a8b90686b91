"""What happened in a period, from the topics alone: quality, drift, people, cost, weak spots."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from streamal.bootstrap import Pipeline
from streamal.core.estimation import Estimate
from streamal.errors import Reject
from streamal.events import DriftEvent
from streamal.operations.replay import replayed_view
from streamal.operations.weak_spots import Part, Totals, WeakSpots
from streamal.operations.weighting import Weighting, weighted_reviews
from streamal.ports import TopicPartition
from streamal.roles.loop import CATCH_UP_POLL_SECONDS
from streamal.roles.losses import LossEstimates
from streamal.roles.quality import Quality, WindowReport
from streamal.state.measures import WindowTotals
from streamal.state.pending import PendingView
from streamal.telemetry import Metrics

__all__ = ["Period", "Person", "Work", "look_back"]

_MOST_PARTS = 12
_BATCH_RECORDS = 1000


@dataclass(frozen=True, slots=True)
class Person:
    """One annotator's work in the period.

    Attributes:
        name: as labels name them.
        answers: standing answers.
        hours: clock hours in which they answered at all.
        median_latency_seconds: from the decision to the answer, by the annotator's clock.
        agreement: with consensus, leads and gold items, over all time; None before a comparison.
        kappa: mean Cohen's kappa with those who answered the same items; None without any.
    """

    name: str
    answers: int
    hours: int
    median_latency_seconds: float
    agreement: float | None
    kappa: float | None


@dataclass(frozen=True, slots=True)
class Work:
    """What was asked and answered about the period's events.

    Attributes:
        asked: reviews.
        finished: of these, with a final answer.
        made_up: made-up items that people were asked about besides.
        answers: standing answers of all annotators, also about those; what is paid for.
        wrong: final answers that say production was wrong.
        budget: share of events that may be asked about.
        required: answers that a review normally needs.
    """

    asked: int
    finished: int
    made_up: int
    answers: int
    wrong: int
    budget: float
    required: int


@dataclass(frozen=True, slots=True)
class Period:
    """Everything that the report shows.

    Attributes:
        pipeline: name of the pipeline.
        start: first instant of event time, seconds since the Unix epoch.
        end: first instant after.
        windows: counts of all windows within.
        matured: estimates of those whose answers are in, oldest first.
        production: accuracy over these.
        model: the online model's.
        losses: mean absolute errors over these; None in a classification.
        drifts: changes that were seen.
        work: what was asked and answered.
        people: who answered, most answers first.
        errors: sums over the labelled reviews.
        parts: where production errs more than elsewhere, worst first.
        regression: whether right means within a tolerance of a number.
    """

    pipeline: str
    start: float
    end: float
    windows: Sequence[WindowTotals]
    matured: Sequence[WindowReport]
    production: Estimate
    model: Estimate
    losses: LossEstimates | None
    drifts: Sequence[DriftEvent]
    work: Work
    people: Sequence[Person]
    errors: Totals
    parts: Sequence[Part]
    regression: bool

    @property
    def events(self) -> int:
        """Accepted events."""
        return sum(window.events for window in self.windows)

    @property
    def routed(self) -> int:
        """Of these, sent to review."""
        return sum(window.routed for window in self.windows)


def look_back(pipeline: Pipeline, *, start: float, end: float) -> Period:
    """Read the topics and sum a period up.

    Events are counted by windows, so the period is widened to whole ones.

    Args:
        pipeline: whose topics are read.
        start: first instant of event time, seconds since the Unix epoch.
        end: first instant after.

    Raises:
        TopicsInvalid: topics are missing or of the wrong shape.
        BrokerUnavailable: no broker answers.
    """
    length = pipeline.settings.estimation.window_seconds
    start, end = math.floor(start / length) * length, math.ceil(end / length) * length
    with (
        TemporaryDirectory(prefix="streamal-report-") as folder,
        replayed_view(pipeline, Path(folder) / "view.sqlite3") as view,
    ):
        return _summed_up(pipeline, view, start, end)


def _summed_up(pipeline: Pipeline, view: PendingView, start: float, end: float) -> Period:
    settings, now = pipeline.settings, pipeline.clock.now()
    horizon = settings.estimation.label_horizon_seconds
    quality = Quality(
        pipeline.quality_options(),
        view.measures,
        view.segments,
        Metrics(settings.pipeline.name),
        since=start,
    )
    matured = quality.advance(min(now, end + horizon))
    weighting = Weighting(settings.estimation.window_seconds, settings.labels.ttl_seconds, now)
    crew, spots = _Crew(view, now), WeakSpots()
    for weighted in weighted_reviews(view.measures, start, end, weighting, synthetic=True):
        if not weighted.labelled.review.synthetic:
            spots.add(weighted)
        for answer in weighted.labelled.answers:
            decided = weighted.labelled.review.decided_at.timestamp()
            crew.add(answer.annotator, decided, answer.labelled_at)
    outcomes = view.measures.outcomes(start, end)
    return Period(
        pipeline=settings.pipeline.name,
        start=start,
        end=end,
        windows=view.measures.windows(start, end),
        matured=matured,
        production=quality.production.overall(),
        model=quality.model.overall(),
        losses=None if quality.losses is None else quality.losses.overall(),
        drifts=_drifts(pipeline, start, end),
        work=Work(
            asked=len(outcomes),
            finished=spots.all.labelled,
            made_up=view.measures.synthetic(start, end),
            answers=crew.answers,
            wrong=sum(outcome.production_correct is False for outcome in outcomes),
            budget=settings.gate.budget,
            required=settings.labels.required,
        ),
        people=crew.people(),
        errors=spots.all,
        parts=spots.worst(_MOST_PARTS),
        regression=settings.pipeline.task == "regression",
    )


class _Crew:
    """Counts who answered what and when."""

    def __init__(self, view: PendingView, now: float) -> None:
        self._workforce = view.workforce(now)
        self._latencies: dict[str, list[float]] = defaultdict(list)
        self._hours: dict[str, set[int]] = defaultdict(set)

    @property
    def answers(self) -> int:
        """Of everybody."""
        return sum(map(len, self._latencies.values()))

    def add(self, name: str, decided_at: float, labelled_at: float) -> None:
        """An answer of someone; times in seconds since the Unix epoch."""
        self._latencies[name].append(max(0.0, labelled_at - decided_at))
        self._hours[name].add(int(labelled_at // 3600))

    def people(self) -> list[Person]:
        """Everybody who answered, most answers first."""
        agreements = {each.name: each.agreement for each in self._workforce.annotators}
        found = [
            Person(
                name=name,
                answers=len(latencies),
                hours=len(self._hours[name]),
                median_latency_seconds=median(latencies),
                agreement=agreements.get(name),
                kappa=self._workforce.kappas.get(name),
            )
            for name, latencies in self._latencies.items()
        ]
        return sorted(found, key=lambda person: (-person.answers, person.name))


def _drifts(pipeline: Pipeline, start: float, end: float) -> list[DriftEvent]:
    """Changes in windows of the period, in the order they were noticed."""
    consumer = pipeline.broker.consumer()
    found: list[DriftEvent] = []
    try:
        topic = pipeline.settings.topics.drift
        sources = [TopicPartition(topic, number) for number in consumer.partitions_for(topic)]
        consumer.assign(sources)
        for source, first in consumer.beginning_offsets(sources).items():
            consumer.seek(source, first)
        ends = consumer.end_offsets(sources)
        while any(consumer.position(source) < last for source, last in ends.items()):
            for record in consumer.poll(CATCH_UP_POLL_SECONDS, _BATCH_RECORDS):
                event = _drift(record.value)
                if event is not None and event.pipeline == pipeline.settings.pipeline.name:
                    found.append(event)
    finally:
        consumer.close()
    within = [each for each in found if start <= each.window_start.timestamp() < end]
    return sorted((each for each in within if each.kind == "drift"), key=lambda e: e.detected_at)


def _drift(value: bytes | None) -> DriftEvent | None:
    """None for what is no drift event; whoever wrote it there is none of a report's business."""
    try:
        return DriftEvent.from_bytes(value)
    except Reject:
        return None
