"""All that a gate remembers of one partition, and how it goes back when a commit fails."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from streamal.core.drift import Summary
from streamal.core.gate import Gate
from streamal.core.types import Conditions, Context, Decision, FeatureValue
from streamal.errors import Reject
from streamal.events import DataSummary, SegmentStats, WindowStats
from streamal.roles.gathering import Gathering
from streamal.roles.synthesis import SyntheticAccount

__all__ = ["GatePartition", "RecentIds"]


class RecentIds:
    """The latest event ids of a partition, so that a repeated one is recognised.

    Nothing of it is stored: it is a view of the log, rebuilt by re-reading the records before the
    committed offset.

    Args:
        capacity: how many ids are remembered; 0 recognises nothing.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._order: deque[str] = deque()
        self._known: set[str] = set()
        self._uncommitted = 0

    def __contains__(self, event_id: str) -> bool:
        return event_id in self._known

    def add(self, event_id: str) -> None:
        """Remember an id until `capacity` later ones have come."""
        if self._capacity == 0 or event_id in self._known:
            return
        self._order.append(event_id)
        self._known.add(event_id)
        self._uncommitted += 1

    def commit(self) -> None:
        """Keep what was added, and forget the oldest beyond the capacity."""
        self._uncommitted = 0
        while len(self._order) > self._capacity:
            self._known.discard(self._order.popleft())

    def rollback(self) -> None:
        """Forget what was added since the last commit."""
        for _ in range(self._uncommitted):
            self._known.discard(self._order.pop())
        self._uncommitted = 0


@dataclass(slots=True)
class _Segment:
    """An increment to one segment of a window, see `SegmentStats`."""

    events: int = 0
    sum_expected_correct: float = 0.0
    sum_expected_loss: float = 0.0


@dataclass(slots=True)
class _Sums:
    """An increment to one window, see `WindowStats`."""

    events: int = 0
    routed: int = 0
    unreachable: int = 0
    sum_expected_correct: float = 0.0
    sum_propensity: float = 0.0
    sum_expected_loss: float = 0.0
    segments: dict[tuple[str, str], _Segment] = field(default_factory=dict)

    def add(
        self,
        decision: Decision,
        expected_correct: float,
        expected_loss: float,
        segments: Mapping[str, str],
    ) -> None:
        self.events += 1
        self.routed += decision.query
        if decision.propensity <= 0:
            self.unreachable += 1
            return
        self.sum_expected_correct += expected_correct
        self.sum_propensity += decision.propensity
        self.sum_expected_loss += expected_loss
        for named in segments.items():
            segment = self.segments.setdefault(named, _Segment())
            segment.events += 1
            segment.sum_expected_correct += expected_correct
            segment.sum_expected_loss += expected_loss

    def by_segment(self) -> dict[str, dict[str, SegmentStats]]:
        """Key to value to what was added for it."""
        found: dict[str, dict[str, SegmentStats]] = {}
        for (key, name), segment in sorted(self.segments.items()):
            found.setdefault(key, {})[name] = SegmentStats(
                events=segment.events,
                sum_expected_correct=segment.sum_expected_correct,
                sum_expected_loss=segment.sum_expected_loss,
            )
        return found


class GatePartition:
    """Gate, window sums, offsets and recent ids of one partition.

    Args:
        number: the partition.
        gate: a fresh gate; `restore` may replace its state.
        next_offset: where the group stands: older records only refresh the memory of ids.
        duplicate_memory: how many event ids are remembered.
        window_seconds: length of an event-time window.
        pipeline: name of the pipeline.
        new_summary: makes an empty summary of what events look like; None counts nothing of it.
        synthetic: of questions about made-up items; None where none are asked.
    """

    def __init__(
        self,
        number: int,
        gate: Gate,
        *,
        next_offset: int,
        duplicate_memory: int,
        window_seconds: float,
        pipeline: str,
        new_summary: Callable[[], Summary] | None = None,
        synthetic: SyntheticAccount | None = None,
    ) -> None:
        self.number = number
        self.gate = gate
        self.next_offset = next_offset
        self.decided = 0
        self.routed = 0
        #: The policy's threshold at the latest event; None before the first.
        self.threshold: float | None = None
        self.synthetic = synthetic
        self.gathering = Gathering(gate.policy.decision_window)
        self._ids = RecentIds(duplicate_memory)
        self._window_seconds = window_seconds
        self._pipeline = pipeline
        self._windows: dict[float, _Sums] = {}
        self._new_summary = new_summary
        self._summaries: dict[float, Summary] = {}
        self._committed = self.state()

    def restore(self, state: bytes) -> None:
        """Continue from the value of a `gate-state` record."""
        self._take(orjson.loads(state))
        self._committed = self.state()

    def state(self) -> bytes:
        """The value of a `gate-state` record: JSON, with the next offset for orientation."""
        document: dict[str, Any] = {
            "schema_version": 1,
            "pipeline": self._pipeline,
            "partition": self.number,
            "next_offset": self.next_offset,
            "decided": self.decided,
            "routed": self.routed,
            "threshold": self.threshold,
            "gate": self.gate.state(),
        }
        if self.synthetic is not None:
            document["synthetic"] = self.synthetic.state()
        return orjson.dumps(document)

    @property
    def requested(self) -> int:
        """Events routed and made-up items asked about: what was spent."""
        return self.routed + (0 if self.synthetic is None else self.synthetic.asked)

    def remember(self, event_id: str) -> None:
        """Take note of an id that was handled before this process took over."""
        self._ids.add(event_id)
        self._ids.commit()

    def claim(self, event_id: str) -> None:
        """Remember a new event, and turn away one that was seen before.

        Raises:
            Reject: `duplicate_event`.
        """
        if event_id in self._ids:
            raise Reject("duplicate_event", f"event_id: {event_id!r} was handled already")
        self._ids.add(event_id)

    def decide(
        self,
        context: Context,
        conditions: Conditions,
        occurred_at: float,
        expected_correct: float,
        segments: Mapping[str, str],
        observed: Mapping[str, FeatureValue],
    ) -> Decision:
        """Decide on an event that was claimed, and take note of it.

        Args:
            context: what is known about the event.
            conditions: time, pending reviews, and what is done about drift.
            occurred_at: event time, seconds since the epoch.
            expected_correct: predicted P(production is right), in [0, 1].
            segments: key to the name that the event is counted under.
            observed: variable to value, for data drift.
        """
        decision = self.gate.decide(context, conditions)
        self.gate.commit(context, decision, conditions)
        start = math.floor(occurred_at / self._window_seconds) * self._window_seconds
        self._windows.setdefault(start, _Sums()).add(
            decision, expected_correct, context.expected_loss or 0.0, segments
        )
        if self._new_summary is not None:
            if start not in self._summaries:
                self._summaries[start] = self._new_summary()
            self._summaries[start].add(observed)
        self.decided += 1
        self.routed += decision.query
        self.threshold = decision.threshold
        return decision

    def window_increments(self) -> list[WindowStats]:
        """What to add to each window for the events since the last commit."""
        return [
            WindowStats(
                pipeline=self._pipeline,
                partition=self.number,
                window_start=datetime.fromtimestamp(start, UTC),
                window_seconds=self._window_seconds,
                events=sums.events,
                routed=sums.routed,
                unreachable=sums.unreachable,
                sum_expected_correct=sums.sum_expected_correct,
                sum_propensity=sums.sum_propensity,
                sum_expected_loss=sums.sum_expected_loss,
                segments=sums.by_segment(),
                summary=self._summary(start),
            )
            for start, sums in sorted(self._windows.items())
        ]

    def _summary(self, start: float) -> DataSummary | None:
        summary = self._summaries.get(start)
        return None if summary is None else DataSummary.model_validate(summary.json())

    def commit(self, state: bytes) -> None:
        """The transaction with `state` went through."""
        self._committed = state
        self._ids.commit()
        self._forget_increments()

    def _forget_increments(self) -> None:
        self._windows.clear()
        self._summaries.clear()

    def rollback(self) -> None:
        """The transaction did not go through: be as after the last one that did."""
        document = orjson.loads(self._committed)
        self._take(document)
        self.next_offset = document["next_offset"]
        self._ids.rollback()
        self._forget_increments()
        self.gathering.clear()

    def _take(self, document: dict[str, Any]) -> None:
        self.gate.restore(document["gate"])
        self.decided, self.routed = document["decided"], document["routed"]
        self.threshold = document["threshold"]
        if self.synthetic is not None:
            self.synthetic.restore(document.get("synthetic", {}))
