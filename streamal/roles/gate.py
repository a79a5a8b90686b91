"""The gate: decides on every prediction, exactly once.

poll → decide → one transaction of reviews, dead letters, window increments, gate state and input
offsets. When it does not go through, memory returns to what was last committed and the same batch
is polled again; decisions are hashes of the event, so it comes out the same.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from streamal.core.assess import Assessed, Items, Seats, assess
from streamal.core.gate import Gate
from streamal.core.types import Conditions
from streamal.errors import Rebalanced, Retriable
from streamal.events import ReviewRequest
from streamal.events.topics import Topics
from streamal.ports import Broker, Clock, Consumer, Headers, Record, TopicPartition
from streamal.roles.arrivals import Arrival, Arrivals
from streamal.roles.closing import close_all
from streamal.roles.delivery import Delivery
from streamal.roles.gate_batch import Decided, GateBatch, Observer
from streamal.roles.gate_state import GateStateReader, state_key
from streamal.roles.items import items_of
from streamal.roles.models_topic import ModelFollower
from streamal.roles.observation import Observing
from streamal.roles.partition import GatePartition
from streamal.roles.questions import Questions
from streamal.roles.reviewing import Routed
from streamal.roles.segments import SegmentNames
from streamal.telemetry.metrics import Metrics

_log = logging.getLogger(__name__)

#: Seconds between two measurements of the consumer lag: one request to each broker every time.
_LAG_INTERVAL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class GateOptions:
    """Settings of the gate role, see `streamal.settings`."""

    group: str
    topics: Topics
    committee: Seats
    max_batch_records: int
    poll_timeout_seconds: float
    duplicate_memory_events: int
    window_seconds: float
    pipeline: str
    budget: float
    exploration: float
    stop_on: Literal["model", "production"]


class GateRole:
    """Consumes predictions as a member of a group; see the module docstring.

    Args:
        broker: the log.
        options: settings.
        arrivals: reads production's messages, and turns away what cannot be decided on.
        questions: makes review requests.
        segments: names the segments that an event is counted in.
        new_gate: makes a fresh gate for one of as many partitions as it is told.
        states: finds the states that earlier transactions stored.
        models: follows the online model.
        delivery: opens the transactional or the plain producer.
        observing: counts what events look like; None where data drift is not watched.
        clock: time of day.
        metrics: counts.
        observer: told of every decision that was committed; for the demo.
    """

    name = "gate"

    def __init__(
        self,
        *,
        broker: Broker,
        options: GateOptions,
        arrivals: Arrivals,
        questions: Questions,
        segments: SegmentNames,
        new_gate: Callable[[int], Gate],
        states: GateStateReader,
        models: ModelFollower,
        delivery: Callable[[], Delivery],
        observing: Observing | None,
        clock: Clock,
        metrics: Metrics,
        observer: Observer | None = None,
    ) -> None:
        self._broker = broker
        self._options = options
        self._arrivals = arrivals
        self._questions = questions
        self._segments = segments
        self._new_gate = new_gate
        self._states = states
        self._models = models
        self._open_delivery = delivery
        self._observing = observing
        self._clock = clock
        self._metrics = metrics
        self._observer = observer
        self._partitions: dict[int, GatePartition] = {}
        self._batch = GateBatch()
        self._lag_due = 0.0
        self._consumer: Consumer | None = None
        self._delivery: Delivery | None = None

    def start(self) -> None:
        """Load the newest model, then join the group."""
        self.close()
        self._models.start()
        self._delivery = self._open_delivery()
        self._consumer = self._broker.consumer(group=self._options.group)
        self._consumer.subscribe(
            [self._options.topics.predictions],
            on_assigned=self._on_assigned,
            on_revoked=self._on_revoked,
        )
        self._metrics.budget_target.set(self._options.budget)

    @property
    def consumer(self) -> Consumer:
        """The group member; only after `start`."""
        if self._consumer is None:
            raise RuntimeError("the gate was not started")
        return self._consumer

    @property
    def delivery(self) -> Delivery:
        """The producer side; only after `start`."""
        if self._delivery is None:
            raise RuntimeError("the gate was not started")
        return self._delivery

    def step(self) -> None:
        """Poll what has come, decide and commit it.

        Raises:
            Retriable: nothing of it was committed; call `recover`, then step again.
            BreakerOpen: too many rejects; nothing of it was committed.
        """
        self._models.follow()
        self._segments.follow(self._models.segments)
        records = self.consumer.poll(
            self._options.poll_timeout_seconds, self._options.max_batch_records
        )
        now = self._clock.now()
        self._show_standing(now)
        self._measure_lag(now)
        due = self._due(self._fresh(records, now), now)
        if not due:
            return
        with self._metrics.batch_seconds.time():
            self.delivery.begin()
            self._batch = GateBatch()
            started = time.perf_counter()
            self._handle(due, self._conditions(now))
            self._batch.seconds = time.perf_counter() - started
            self._commit({together[0].partition for together in due})
        self._report()

    def _show_standing(self, now: float) -> None:
        standing = self._models.standing(now)
        exploration = max(self._options.exploration, standing.exploration or 0.0)
        shown = self._metrics.drift_response
        shown.labels(action="budget").set(standing.budget_factor)
        shown.labels(action="exploration").set(exploration)
        shown.labels(action="trust").set(standing.trust)

    def _fresh(self, records: Sequence[Record], now: float) -> dict[int, list[Record]]:
        """By partition, what is to be decided; what lies before the committed offset is not."""
        fresh: dict[int, list[Record]] = {number: [] for number in {r.partition for r in records}}
        if len(fresh) == 1:
            fresh[records[0].partition] = list(records)
        else:
            for record in records:
                fresh[record.partition].append(record)
        for number, together in fresh.items():
            partition = self._partitions[number]
            if together[0].offset < partition.next_offset:
                old = [record for record in together if record.offset < partition.next_offset]
                self._arrivals.remember(partition, old, now)
                del together[: len(old)]
        return fresh

    def _due(self, fresh: dict[int, list[Record]], now: float) -> list[list[Record]]:
        """What may be decided now: lists of one partition, windows where there are windows."""
        due: list[list[Record]] = []
        for number, records in fresh.items():
            due += self._partitions[number].gathering.add(records, now)
        for partition in self._partitions.values():
            due += partition.gathering.overdue(now)
        return due

    def _conditions(self, now: float) -> Conditions:
        standing = self._models.standing(now)
        return Conditions(
            now=now,
            pending=self._models.pending,
            budget_factor=standing.budget_factor,
            exploration=standing.exploration,
            trust=standing.trust,
            accuracy_low=self._accuracy_low(),
        )

    def _accuracy_low(self) -> float | None:
        quality = self._models.quality
        if quality is None:
            return None
        on_model = self._options.stop_on == "model"
        return quality.model_at_least if on_model else quality.production_at_least

    def _handle(self, due: Sequence[Sequence[Record]], conditions: Conditions) -> None:
        """Read everything, ask the model about all of it at once, then decide list by list."""
        arrivals = [
            self._arrivals.read(
                self._partitions[together[0].partition],
                together,
                conditions.now,
                self.delivery.producer,
                self._batch.rejected,
            )
            for together in due
        ]
        predictions = [each for arrival in arrivals for each in arrival.predictions]
        if predictions:
            items = items_of(predictions)
            assessed = assess(
                items,
                self._models.serving.model,
                arrivals[0].partition.gate.strategy,
                self._options.committee,
                trust=conditions.trust,
            )
            start = 0
            for arrival in arrivals:
                stop = start + len(arrival.predictions)
                if stop > start:
                    part = items.take(start, stop), assessed.take(start, stop)
                    self._decide(arrival, *part, conditions)
                start = stop
        for together in due:
            self._partitions[together[0].partition].next_offset = together[-1].offset + 1

    def _decide(
        self, arrival: Arrival, items: Items, assessed: Assessed, conditions: Conditions
    ) -> None:
        """Decide on events of one partition, and ask people about those that are routed."""
        # A question about a made-up item is paid for before the next event is decided.
        step = len(items) if arrival.partition.synthetic is None else 1
        for start in range(0, len(items), step):
            stop = start + step
            self._decide_part(
                arrival.take(start, stop),
                items.take(start, stop),
                assessed.take(start, stop),
                conditions,
            )

    def _decide_part(
        self, arrival: Arrival, items: Items, assessed: Assessed, conditions: Conditions
    ) -> None:
        predictions = arrival.predictions
        segments = self._segments.columns(predictions)
        decisions = arrival.partition.decide(
            items,
            assessed,
            conditions,
            [prediction.occurred_at for prediction in predictions],
            segments,
        )
        self._batch.decided.append(Decided(arrival.records, predictions, assessed, decisions))
        serving = self._models.serving
        for row in decisions.routed:
            routed = Routed(
                predictions[row], assessed.outlooks.item(row), serving.version, decisions.item(row)
            )
            named = {
                key: name for key, names in segments.items() if (name := names[row]) is not None
            }
            for request, headers in self._questions.about(routed, named, serving, conditions.now):
                self._ask(request, headers)
            found = self._questions.made_up(
                assessed.batch, row, routed, arrival.partition, serving, conditions
            )
            if found is not None:
                outcome, made_up = found
                self._batch.made_up.append(outcome)
                if made_up is not None:
                    self._ask(made_up)

    def _ask(self, request: ReviewRequest, headers: Headers = ()) -> None:
        self.delivery.producer.send(
            self._options.topics.reviews,
            request.to_bytes(),
            key=request.event_id.encode(),
            headers=headers,
        )

    def _commit(self, numbers: set[int]) -> None:
        """One transaction: what was sent, the window increments, the states and the offsets."""
        topics, producer = self._options.topics, self.delivery.producer
        states = {number: self._partitions[number].state() for number in numbers}
        for number, state in states.items():
            for key, window in self._partitions[number].window_increments():
                producer.send(topics.windows, window, key=key)
            producer.send(
                topics.gate_state, state, key=state_key(number), partition=self._lane(number)
            )
        offsets = {
            TopicPartition(topics.predictions, number): self._partitions[number].next_offset
            for number in numbers
        }
        self.delivery.commit(offsets, self.consumer)
        for number, state in states.items():
            self._partitions[number].commit(state)

    def _lane(self, number: int) -> int:
        """The partition of `gate-state` that holds the state of `number`."""
        count = len(self.consumer.partitions_for(self._options.topics.gate_state))
        return number % max(count, 1)

    def recover(self, error: Retriable) -> None:
        """Return to what the log says was committed.

        Raises:
            Retriable: the broker still does not answer; call again later.
        """
        self._metrics.transactions.labels(role="gate", outcome="aborted").inc()
        if isinstance(error, Rebalanced):
            self.delivery.abort()
            self._roll_back()
            return
        self.delivery.reopen()
        self._load(sorted(self._partitions))

    def _roll_back(self) -> None:
        """Decide the batch again, as far as its partitions are still ours."""
        held = self.consumer.assignment()
        for partition in list(self._partitions.values()):
            source = self._source(partition.number)
            if source in held:
                partition.rollback()
                self.consumer.seek(source, partition.next_offset)
            else:
                del self._partitions[partition.number]

    def close(self) -> None:
        """Drop an open batch and leave the group."""
        parts = (self._delivery, self._consumer, self._models)
        self._delivery = self._consumer = None
        self._partitions.clear()
        close_all(*(part.close for part in parts if part is not None))

    def _source(self, number: int) -> TopicPartition:
        return TopicPartition(self._options.topics.predictions, number)

    def _on_assigned(self, partitions: Sequence[TopicPartition]) -> None:
        if self._consumer is not None:  # while it leaves, it takes over nothing any more
            self._load([source.partition for source in partitions])

    def _on_revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """Forget them; between two steps everything about them is in the log."""
        for source in partitions:
            self._partitions.pop(source.partition, None)
            self._metrics.forget_partition(source.topic, source.partition)

    def _load(self, numbers: Sequence[int]) -> None:
        """Rebuild these partitions from the log: offset, state, and ids seen before the offset."""
        sources = [self._source(number) for number in numbers]
        if not sources:
            return
        first = self.consumer.beginning_offsets(sources)
        resume = {
            source.partition: offset if offset is not None else first[source]
            for source, offset in self.consumer.committed(sources).items()
        }
        states = self._states.read(resume)
        for source in sources:
            partition = self._fresh_partition(source.partition, resume[source.partition])
            if source.partition in states:
                partition.restore(states[source.partition])
            self._partitions[source.partition] = partition
            rewind = resume[source.partition] - self._options.duplicate_memory_events
            self.consumer.seek(source, max(first[source], rewind))

    def _fresh_partition(self, number: int, next_offset: int) -> GatePartition:
        count = max(1, len(self.consumer.partitions_for(self._options.topics.predictions)))
        return GatePartition(
            number,
            self._new_gate(count),
            next_offset=next_offset,
            duplicate_memory=self._options.duplicate_memory_events,
            window_seconds=self._options.window_seconds,
            pipeline=self._options.pipeline,
            observing=self._observing,
            synthetic=None
            if (synthesis := self._questions.synthesis) is None
            else synthesis.account(number, count),
        )

    def _report(self) -> None:
        """Count what was committed."""
        self._batch.report(self._metrics, self._clock.now(), self._observer)
        decided = sum(partition.decided for partition in self._partitions.values())
        requested = sum(partition.requested for partition in self._partitions.values())
        if decided:
            self._metrics.budget_spent.set(requested / decided)

    def _measure_lag(self, now: float) -> None:
        if now < self._lag_due or not self._partitions:
            return
        self._lag_due = now + _LAG_INTERVAL_SECONDS
        sources = [self._source(number) for number in self._partitions]
        for source, end in self.consumer.end_offsets(sources).items():
            lag = max(0, end - self.consumer.position(source))
            self._metrics.lag.labels(
                role="gate", topic=source.topic, partition=str(source.partition)
            ).set(lag)
