"""The gate: decides on every prediction, exactly once.

poll → decide → one transaction of reviews, dead letters, window increments, gate state and input
offsets. When it does not go through, memory returns to what was last committed and the same batch
is polled again; decisions are hashes of the event, so it comes out the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from streamal.core.gate import Gate
from streamal.core.types import Conditions, Decision
from streamal.errors import Rebalanced, Reject, Retriable
from streamal.events import DecodedPrediction, ReviewRequest
from streamal.events.formats import Outcome
from streamal.events.topics import Topics
from streamal.ports import Broker, Clock, Consumer, Record, TopicPartition
from streamal.roles.appraisal import Appraisal, Reviewing, appraise
from streamal.roles.breaker import Breaker
from streamal.roles.closing import close_all
from streamal.roles.dead_letters import DeadLetterBox
from streamal.roles.delivery import Delivery
from streamal.roles.gate_batch import Decided, GateBatch
from streamal.roles.gate_state import GateStateReader, state_key
from streamal.roles.gold import GoldShare
from streamal.roles.intake import Intake, usable
from streamal.roles.models_topic import ModelFollower
from streamal.roles.observation import Observing
from streamal.roles.partition import GatePartition
from streamal.roles.segments import SegmentNames
from streamal.roles.synthesis import Synthesis
from streamal.state.gold import GOLD_HEADER
from streamal.telemetry.metrics import Metrics

__all__ = ["GateOptions", "GateRole"]

_log = logging.getLogger(__name__)

#: Seconds between two measurements of the consumer lag: one request to each broker every time.
_LAG_INTERVAL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class GateOptions:
    """Settings of the gate role, see `streamal.settings`."""

    group: str
    topics: Topics
    committee: tuple[str, ...]
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
        intake: reads production's messages.
        reviewing: writes review requests.
        segments: names the segments that an event is counted in.
        dead_letters: writes dead letters.
        new_gate: makes a fresh gate for one of as many partitions as it is told.
        states: finds the states that earlier transactions stored.
        models: follows the online model.
        delivery: opens the transactional or the plain producer.
        breaker: stops the role when too much is rejected.
        observing: counts what events look like; None where data drift is not watched.
        gold: items with a known answer to mix in; None for none.
        synthesis: asks about made-up items; None for none.
        clock: time of day.
        metrics: counts.
        observer: called with every decision that was committed; for the demo and backtests.
    """

    name = "gate"

    def __init__(
        self,
        *,
        broker: Broker,
        options: GateOptions,
        intake: Intake,
        reviewing: Reviewing,
        segments: SegmentNames,
        dead_letters: DeadLetterBox,
        new_gate: Callable[[int], Gate],
        states: GateStateReader,
        models: ModelFollower,
        delivery: Callable[[], Delivery],
        breaker: Breaker,
        observing: Observing | None,
        clock: Clock,
        metrics: Metrics,
        gold: GoldShare | None = None,
        synthesis: Synthesis | None = None,
        observer: Callable[[Appraisal, Decision], None] | None = None,
    ) -> None:
        self._broker = broker
        self._options = options
        self._intake = intake
        self._reviewing = reviewing
        self._segments = segments
        self._dead_letters = dead_letters
        self._new_gate = new_gate
        self._states = states
        self._models = models
        self._open_delivery = delivery
        self._breaker = breaker
        self._observing = observing
        self._clock = clock
        self._metrics = metrics
        self._observer = observer
        self._gold = gold
        self._synthesis = synthesis
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
        """Poll one batch, decide and commit it.

        Raises:
            Retriable: the batch was not committed; call `recover`, then step again.
            BreakerOpen: too many rejects; the batch was not committed.
        """
        self._models.follow()
        self._segments.follow(self._models.segments)
        self._show_standing()
        records = self.consumer.poll(
            self._options.poll_timeout_seconds, self._options.max_batch_records
        )
        self._measure_lag()
        due = self._due([record for record in records if self._is_fresh(record)])
        if not due:
            return
        with self._metrics.batch_seconds.time():
            self.delivery.begin()
            self._batch.clear()
            for together in due:
                self._handle(together)
            self._commit({together[0].partition for together in due})
        self._report()

    def _show_standing(self) -> None:
        standing = self._models.standing(self._clock.now())
        exploration = max(self._options.exploration, standing.exploration or 0.0)
        shown = self._metrics.drift_response
        shown.labels(action="budget").set(standing.budget_factor)
        shown.labels(action="exploration").set(exploration)
        shown.labels(action="trust").set(standing.trust)

    def _due(self, fresh: Sequence[Record]) -> list[list[Record]]:
        """The records that may be decided now, in lists of one or of a window of a partition."""
        now, due = self._clock.now(), []
        for record in fresh:
            due += self._partitions[record.partition].gathering.add(record, now)
        for partition in self._partitions.values():
            due += partition.gathering.overdue(now)
        return due

    def _is_fresh(self, record: Record) -> bool:
        """Whether to decide on it; a record before the committed offset only refreshes the ids."""
        partition = self._partitions[record.partition]
        if record.offset >= partition.next_offset:
            return True
        for outcome in self._intake.read(record, self._clock.now()):
            if not isinstance(outcome, Reject):
                partition.remember(outcome.event_id)
        return False

    def _handle(self, together: Sequence[Record]) -> None:
        partition = self._partitions[together[0].partition]
        with self._metrics.decision_seconds.time():
            conditions = self._conditions(self._clock.now())
            appraised = [
                (record, appraisal)
                for record in together
                for outcome in self._intake.read(record, conditions.now)
                if (appraisal := self._appraise(record, outcome, partition, conditions)) is not None
            ]
            if partition.gate.policy.decision_window is not None:
                partition.gate.plan([each.context for _, each in appraised], conditions)
            for record, appraisal in appraised:
                self._decide(record, appraisal, partition, conditions)
        partition.next_offset = together[-1].offset + 1

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

    def _appraise(
        self, record: Record, outcome: Outcome, partition: GatePartition, conditions: Conditions
    ) -> Appraisal | None:
        """What is known about an event in a record; None when it goes to the dead letters."""
        try:
            prediction = usable(outcome)
            partition.claim(prediction.event_id)
        except Reject as reject:
            self._dead_letters.send(self.delivery.producer, record, reject)
            self._batch.rejected.append(reject)
            self._breaker.count(rejected=True)
            return None
        self._breaker.count(rejected=False)
        return appraise(
            prediction,
            self._models.serving,
            self._options.committee,
            boundary=partition.gate.strategy.asks_boundary,
            labelled=partition.gate.strategy.asks_labelled,
            lookahead=partition.gate.strategy.asks_lookahead,
            trust=conditions.trust,
        )

    def _decide(
        self,
        record: Record,
        appraisal: Appraisal,
        partition: GatePartition,
        conditions: Conditions,
    ) -> None:
        prediction = appraisal.prediction
        segments = self._segments.of(prediction)
        decision = partition.decide(
            appraisal.context,
            conditions,
            prediction.timestamp.timestamp(),
            appraisal.outlook.expected_correct,
            segments,
            {} if self._observing is None else self._observing.values(appraisal),
        )
        self._batch.decided.append(Decided(record, appraisal, decision))
        if decision.query:
            self._ask(self._reviewing.request(appraisal, decision, segments, conditions.now))
            self._mix_in_gold(prediction, decision, conditions.now)
            self._make_up(appraisal, decision, partition, conditions)

    def _mix_in_gold(self, neighbour: DecodedPrediction, decision: Decision, now: float) -> None:
        """Beside a request perhaps one whose answer is known; no event, and not of the budget."""
        gold = None if self._gold is None else self._gold.beside(neighbour)
        if gold is not None:
            item, prediction = gold
            appraisal = appraise(prediction, self._models.serving, self._options.committee)
            request = self._reviewing.request(appraisal, decision, {}, now)
            self._ask(request, ((GOLD_HEADER, item.encode()),))

    def _make_up(
        self,
        appraisal: Appraisal,
        decision: Decision,
        partition: GatePartition,
        conditions: Conditions,
    ) -> None:
        """Beside a request perhaps one about what no event ever was; of the same budget."""
        if self._synthesis is None or partition.synthetic is None:
            return
        serving, account = self._models.serving, partition.synthetic
        found = self._synthesis.beside(
            appraisal, decision, partition.gate, account, serving, conditions
        )
        if found is not None:
            outcome, request = found
            self._batch.made_up.append(outcome)
            if request is not None:
                self._ask(request)

    def _ask(self, request: ReviewRequest, headers: tuple[tuple[str, bytes], ...] = ()) -> None:
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
            for window in self._partitions[number].window_increments():
                key = f"{number}|{window.window_start.timestamp():.0f}".encode()
                producer.send(topics.windows, window.to_bytes(), key=key)
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
            new_summary=None if self._observing is None else self._observing.summary,
            synthetic=None if self._synthesis is None else self._synthesis.account(number, count),
        )

    def _report(self) -> None:
        """Count what was committed."""
        self._batch.report(self._metrics, self._clock.now(), self._observer)
        decided = sum(partition.decided for partition in self._partitions.values())
        requested = sum(partition.requested for partition in self._partitions.values())
        if decided:
            self._metrics.budget_spent.set(requested / decided)

    def _measure_lag(self) -> None:
        now = self._clock.now()
        if now < self._lag_due or not self._partitions:
            return
        self._lag_due = now + _LAG_INTERVAL_SECONDS
        sources = [self._source(number) for number in self._partitions]
        for source, end in self.consumer.end_offsets(sources).items():
            lag = max(0, end - self.consumer.position(source))
            self._metrics.lag.labels(
                role="gate", topic=source.topic, partition=str(source.partition)
            ).set(lag)
