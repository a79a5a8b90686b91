"""What the live dashboard shows: numbers over time, all from topics.

Windows, drift events, requests and labels are read into a view like the trainer's, and estimated
with the trainer's own code; so the page and the trainer agree, and neither asks the other.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median, quantiles
from typing import Final

from streamal.console.items import Items
from streamal.core.estimation import Estimate
from streamal.errors import Reject, StreamalError
from streamal.events import DriftEvent
from streamal.events.topics import Topics
from streamal.ports import Broker, Clock, Consumer, TopicPartition
from streamal.roles.closing import close_all
from streamal.roles.loop import CATCH_UP_POLL_SECONDS
from streamal.roles.quality import Quality
from streamal.roles.review_view import ReviewView
from streamal.state.durable import DurableFile
from streamal.state.pending import PendingView

__all__ = ["Accuracy", "Board", "Numbers", "Pace", "Points"]

_log = logging.getLogger(__name__)

Points = list[tuple[float, float]]

_HOUR: Final = 3600.0
_BUCKETS: Final = 48
_BATCH: Final = 1000
#: Fewer answers in a bucket have no tail worth showing.
_FEWEST_FOR_TAIL: Final = 5


@dataclass(frozen=True, slots=True)
class Accuracy:
    """An accuracy window by window, and over all windows up to each.

    Attributes:
        windows: middle of the window and value; oldest first.
        running: the same moment, with value, low and high over all windows so far; once the
            interval says anything.
        overall: value, low and high by now; None before the first window has matured.
    """

    windows: Points
    running: list[tuple[float, float, float, float]]
    overall: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class _Closed:
    """One matured window, and what all windows up to it say."""

    middle: float
    production: Estimate
    production_so_far: Estimate
    model: Estimate
    model_so_far: Estimate


@dataclass(frozen=True, slots=True)
class Pace:
    """One reviewer's recent work.

    Attributes:
        name: of the reviewer.
        last_hour: labels within the last hour.
        total: answers of any kind in the range.
        passed: of these, unsure or skipped.
        seconds: median time between two answers of one sitting; None with fewer than two.
    """

    name: str
    last_hour: int
    total: int
    passed: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """Everything the page shows; times in epoch seconds.

    Attributes:
        start: left end of all charts.
        end: right end.
        throughput: events a second, by window.
        routed: share of events sent to review, by window.
        routed_ratio: the same over the whole range; None without events.
        budget: the share that is allowed.
        waiting: open items over time.
        latency: median seconds from decision to label, over time.
        latency_tail: the 90th percentile.
        production: production's accuracy.
        model: the online model's.
        drifts: drift events in the range.
        pace: reviewers, busiest first.
        response_rate: share of requests that were answered before they expired; None so far.
        level: confidence of the intervals.
    """

    start: float
    end: float
    throughput: Points
    routed: Points
    routed_ratio: float | None
    budget: float
    waiting: Points
    latency: Points
    latency_tail: Points
    production: Accuracy
    model: Accuracy
    drifts: list[DriftEvent]
    pace: list[Pace]
    response_rate: float | None
    level: float


class Board:
    """Follows the topics on the role's thread; answers questions on any.

    Args:
        broker: the log.
        topics: names.
        open_pending: opens the view.
        open_view: opens its feed.
        new_quality: makes an estimator over the view.
        file: the console's, for what its people and others answered.
        items: the queue.
        clock: time of day.
        budget: share of events that may be routed.
        level: confidence of the intervals.
        label_horizon_seconds: how long after its end a window matures.
    """

    def __init__(
        self,
        *,
        broker: Broker,
        topics: Topics,
        open_pending: Callable[[], PendingView],
        open_view: Callable[[PendingView], ReviewView],
        new_quality: Callable[[PendingView], Quality],
        file: DurableFile,
        items: Items,
        clock: Clock,
        budget: float,
        level: float,
        label_horizon_seconds: float,
    ) -> None:
        self._file = file
        self._items = items
        self._clock = clock
        self._budget = budget
        self._level = level
        self._topics = topics
        self._lock = threading.Lock()
        self._horizon = label_horizon_seconds
        self._closed: list[_Closed] = []
        self._closed_until = 0.0
        self._drifts: list[DriftEvent] = []
        self._pending = open_pending()
        self._closes: list[Callable[[], None]] = [self._pending.close]
        try:
            self._view = open_view(self._pending)
            self._closes.append(self._view.close)
            self._reader: Consumer = broker.consumer()
            self._closes.append(self._reader.close)
            self._sources = self._seek()
        except StreamalError:
            self.close()
            raise
        self._quality = new_quality(self._pending)

    def follow(self) -> None:
        """Take in what has come; returns at once when nothing has."""
        with self._lock:
            self._view.follow(0.0)
            records = self._reader.poll(0.0, _BATCH)
            labels = [record for record in records if record.topic == self._topics.labels]
            if labels:
                self._view.catch_up()
                self._pending.register_labels(labels)
            for record in records:
                if record.topic == self._topics.drift:
                    self._take_drift(record.value)

    def catch_up(self) -> None:
        """Take in everything up to the end of the topics as it is now."""
        self._view.catch_up()
        ends = self._reader.end_offsets(self._sources)
        while any(self._reader.position(source) < end for source, end in ends.items()):
            self.follow()
            self._view.follow(CATCH_UP_POLL_SECONDS)

    def resume(self) -> None:
        """After a failed poll: go back to what is in the view."""
        with self._lock:
            self._view.resume()
            self._drifts.clear()
            self._seek()

    def close(self) -> None:
        """Free the connections and the view."""
        with self._lock:
            closes, self._closes = self._closes, []
            close_all(*reversed(closes))

    def numbers(self, seconds: float | None) -> Numbers:
        """The last `seconds`, or all that is kept."""
        now = self._clock.now()
        with self._lock:
            self._close_matured(now)
            measures = self._pending.measures
            windows = measures.windows(0.0 if seconds is None else now - seconds, now + _HOUR)
            first = min((window.window_start for window in windows), default=now - _HOUR)
            start = first if seconds is None else now - seconds
            closed = [each for each in self._closed if each.middle >= start]
            response_rate = measures.response_rate(now)
            drifts = [each for each in self._drifts if each.window_start.timestamp() >= start]
        events = sum(window.events for window in windows)
        length = next((window.window_seconds for window in windows), 0.0)
        tail, middle = self._latency(start, now)
        return Numbers(
            start=start,
            end=now,
            throughput=[
                (
                    w.window_start + length / 2,
                    w.events / min(length, max(1.0, now - w.window_start)),
                )
                for w in windows
            ],
            routed=[
                (w.window_start + length / 2, w.routed / w.events) for w in windows if w.events
            ],
            routed_ratio=sum(w.routed for w in windows) / events if events else None,
            budget=self._budget,
            waiting=self._waiting(start, now),
            latency=middle,
            latency_tail=tail,
            production=_accuracy(
                [(each.middle, each.production, each.production_so_far) for each in closed]
            ),
            model=_accuracy([(each.middle, each.model, each.model_so_far) for each in closed]),
            drifts=drifts,
            pace=self._pace(start, now),
            response_rate=response_rate,
            level=self._level,
        )

    def _close_matured(self, now: float) -> None:
        """Close the windows one by one, to see what each added to those before it."""
        windows = self._pending.measures.windows(self._closed_until, now - self._horizon)
        for end in sorted({each.window_start + each.window_seconds for each in windows}):
            for report in self._quality.advance(end + self._horizon):
                self._closed.append(
                    _Closed(
                        (report.window_start + end) / 2,
                        report.production,
                        self._quality.production.anytime(),
                        report.model,
                        self._quality.model.anytime(),
                    )
                )
            self._closed_until = end

    def _seek(self) -> list[TopicPartition]:
        """Labels from where the view is, drift events from the beginning: there are few."""
        sources = [
            TopicPartition(topic, number)
            for topic in (self._topics.labels, self._topics.drift)
            for number in self._reader.partitions_for(topic)
        ]
        self._reader.assign(sources)
        applied = self._pending.offsets()
        for source, first in self._reader.beginning_offsets(sources).items():
            self._reader.seek(source, max(applied.get(source, 0), first))
        return sources

    def _take_drift(self, value: bytes | None) -> None:
        try:
            self._drifts.append(DriftEvent.from_bytes(value))
        except Reject as reject:
            _log.warning("on %s: not a drift event: %s", self._topics.drift, reject)

    def _waiting(self, start: float, end: float) -> Points:
        """Open items at the end of each of some stretches."""
        rows = self._file.query(
            "SELECT decided_at, min(ifnull(done_at, expires_at), expires_at) FROM items "
            "WHERE expires_at >= ?",
            (start,),
        )
        step = (end - start) / _BUCKETS or 1.0
        changes = [0] * (_BUCKETS + 2)
        for opened, closed in rows:
            changes[_bucket(opened, start, step)] += 1
            changes[_bucket(max(closed, opened), start, step)] -= 1
        level, points = 0, Points()
        for index in range(_BUCKETS + 1):
            level += changes[index]
            points.append((start + index * step, float(level)))
        return points

    def _latency(self, start: float, end: float) -> tuple[Points, Points]:
        """The 90th percentile and the median of the time to a label, over time."""
        rows = self._file.query(
            "SELECT answered_at, max(0.0, answered_at - decided_at) FROM answers "
            "JOIN items USING (event_id) WHERE kind = 'label' AND answered_at >= ?",
            (start,),
        )
        step = (end - start) / _BUCKETS or 1.0
        buckets: dict[int, list[float]] = {}
        for at, seconds in rows:
            buckets.setdefault(_bucket(at, start, step), []).append(seconds)
        middle = [(start + n * step, median(found)) for n, found in sorted(buckets.items())]
        tail = [
            (start + n * step, quantiles(found, n=10)[-1])
            for n, found in sorted(buckets.items())
            if len(found) >= _FEWEST_FOR_TAIL
        ]
        return tail, middle

    def _pace(self, start: float, now: float) -> list[Pace]:
        rows = self._file.query(
            "SELECT annotator, kind, answered_at FROM answers WHERE answered_at >= ? "
            "ORDER BY answered_at",
            (min(start, now - _HOUR),),
        )
        people: dict[str, list[tuple[str, float]]] = {}
        for name, kind, at in rows:
            people.setdefault(name, []).append((kind, at))
        pace = [_pace(name, answers, now) for name, answers in people.items()]
        return sorted(pace, key=lambda each: (-each.last_hour, -each.total, each.name))


#: A longer gap between two answers was a break.
_SITTING_SECONDS: Final = 600.0


def _pace(name: str, answers: Sequence[tuple[str, float]], now: float) -> Pace:
    times = [at for _, at in answers]
    gaps = [b - a for a, b in pairwise(times) if b - a <= _SITTING_SECONDS]
    return Pace(
        name=name,
        last_hour=sum(kind == "label" and at >= now - _HOUR for kind, at in answers),
        total=len(answers),
        passed=sum(kind in {"unsure", "skip"} for kind, _ in answers),
        seconds=median(gaps) if gaps else None,
    )


def _bucket(at: float, start: float, step: float) -> int:
    """The stretch that a time falls into; earlier ones count from the beginning."""
    return min(_BUCKETS + 1, max(0, int((at - start) / step)))


def _accuracy(closed: Sequence[tuple[float, Estimate, Estimate]]) -> Accuracy:
    """From the middle of each window, its estimate, and that of all windows up to it."""
    running = [
        (middle, found.value, found.interval.low, found.interval.high)
        for middle, _, found in closed
        if found.labelled
    ]
    return Accuracy(
        # A window without a label says nothing.
        windows=[(middle, found.value) for middle, found, _ in closed if found.labelled],
        running=[each for each in running if each[3] - each[2] < 1],
        overall=running[-1][1:] if running else None,
    )
