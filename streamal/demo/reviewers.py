"""Simulated reviewers: an oracle with delay and a little noise."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from streamal.core.chance import draw
from streamal.events import LabelEvent, ReviewRequest
from streamal.events.topics import Topics
from streamal.ports import Broker, Consumer, Producer

__all__ = ["Reviewers"]

_BATCH = 1000


@dataclass(order=True)
class _Task:
    due: float
    event_id: str
    label: str = field(compare=False)


class Reviewers:
    """Read `reviews`, think for a while, publish `labels`.

    Args:
        broker: the log.
        topics: names.
        truth: event id to true class.
        classes: what a wrong answer may be.
        seed: of delays and mistakes, which are hashes of the event like every other draw.
        delay_seconds: mean time until an answer; each is drawn between a fifth and nine fifths.
        noise: share of wrong answers, in [0, 1].
        left: share of requests that are left to the person at the keyboard, in [0, 1].
        names: who answers; more than one take turns by a hash of the event.
    """

    def __init__(
        self,
        broker: Broker,
        topics: Topics,
        truth: Mapping[str, str],
        classes: tuple[str, ...],
        *,
        seed: int,
        delay_seconds: float,
        noise: float,
        left: float = 0.0,
        names: tuple[str, ...] = ("oracle",),
    ) -> None:
        self._topics = topics
        self._truth = truth
        self._classes = classes
        self._seed = seed
        self._delay_seconds = delay_seconds
        self._noise = noise
        self._left = left
        self._names = names
        self._tasks: list[_Task] = []
        self._consumer: Consumer = broker.consumer(group=f"reviewers-of-{topics.reviews}")
        self._consumer.subscribe([topics.reviews])
        self._producer: Producer = broker.producer()
        self.reviewed: list[str] = []

    def step(self, now: float) -> None:
        """Take up new requests and publish the answers that are due."""
        for record in self._consumer.poll(0.0, _BATCH):
            request = ReviewRequest.from_bytes(record.value)
            self.reviewed.append(request.event_id)
            if self._left and draw(self._seed, request.event_id, "left") < self._left:
                continue
            heapq.heappush(self._tasks, self._task(request, now))
        while self._tasks and self._tasks[0].due <= now:
            self._answer(heapq.heappop(self._tasks), now)
        self._producer.flush()

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()
        self._producer.close()

    def _task(self, request: ReviewRequest, now: float) -> _Task:
        event_id = request.event_id
        delay = self._delay_seconds * (0.2 + 1.6 * draw(self._seed, event_id, "delay"))
        label = self._truth[event_id]
        if draw(self._seed, event_id, "noise") < self._noise:
            others = [name for name in self._classes if name != label]
            label = others[int(draw(self._seed, event_id, "mistake") * len(others))]
        return _Task(now + delay, event_id, label)

    def _name(self, event_id: str) -> str:
        return self._names[int(draw(self._seed, event_id, "reviewer") * len(self._names))]

    def _answer(self, task: _Task, now: float) -> None:
        event = LabelEvent(
            event_id=task.event_id,
            label=task.label,
            annotator=self._name(task.event_id),
            labelled_at=datetime.fromtimestamp(now, UTC),
        )
        self._producer.send(self._topics.labels, event.to_bytes(), key=task.event_id.encode())
