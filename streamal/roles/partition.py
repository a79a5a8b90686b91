"""All that a gate remembers of one partition, and how it goes back when a commit fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from streamal.core.assess import Assessed, Items
from streamal.core.drift import Summary
from streamal.core.gate import Decisions, Gate
from streamal.core.types import Conditions
from streamal.core.window_sums import WindowSums, by_window
from streamal.roles.gathering import Gathering
from streamal.roles.observation import Observing
from streamal.roles.synthesis import SyntheticAccount


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

    def claim(self, event_ids: Sequence[str]) -> list[bool]:
        """Whether each id is new; remembered until `capacity` later ones have come."""
        if self._capacity == 0:
            return [True] * len(event_ids)
        known, fresh = self._known, []
        for event_id in event_ids:
            new = event_id not in known
            fresh.append(new)
            if new:
                known.add(event_id)
                self._order.append(event_id)
        self._uncommitted += sum(fresh)
        return fresh

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


class GatePartition:
    """Gate, window sums, offsets and recent ids of one partition.

    Args:
        number: the partition.
        gate: a fresh gate; `restore` may replace its state.
        next_offset: where the group stands: older records only refresh the memory of ids.
        duplicate_memory: how many event ids are remembered.
        window_seconds: length of an event-time window.
        pipeline: name of the pipeline.
        observing: counts what events look like; None where data drift is not watched.
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
        observing: Observing | None = None,
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
        self._windows: dict[float, WindowSums] = {}
        self._observing = observing
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

    def remember(self, event_ids: Sequence[str]) -> None:
        """Take note of ids that were handled before this process took over."""
        self._ids.claim(event_ids)
        self._ids.commit()

    def claim(self, event_ids: Sequence[str]) -> list[bool]:
        """Whether each event is new; what is new is remembered, so that it is claimed once."""
        return self._ids.claim(event_ids)

    def decide(
        self,
        items: Items,
        assessed: Assessed,
        conditions: Conditions,
        occurred_at: Sequence[float],
        segments: Mapping[str, Sequence[str | None]],
    ) -> Decisions:
        """Decide on events that were claimed, and take note of them.

        Args:
            items: the events; a window of them where the policy decides windows.
            assessed: what is known about them.
            conditions: time, pending reviews, and what is done about drift.
            occurred_at: event times, seconds since the epoch.
            segments: key to the name that each event is counted under.
        """
        decisions = self.gate.decide(assessed.batch, conditions)
        for start, rows in by_window(occurred_at, self._window_seconds).items():
            self._windows.setdefault(start, WindowSums()).book(
                [decisions.queries[row] for row in rows],
                decisions.propensities[rows],
                assessed.outlooks.expected_correct[rows],
                assessed.outlooks.expected_loss[rows],
                {key: [names[row] for row in rows] for key, names in segments.items()},
            )
            if self._observing is not None:
                columns = self._observing.columns(items.pick(rows))
                summary = self._summaries.setdefault(start, self._observing.summary())
                summary.add(len(rows), columns)
        self.decided += len(decisions)
        self.routed += len(decisions.routed)
        self.threshold = decisions.offers[-1].threshold
        return decisions

    def window_increments(self) -> Iterator[tuple[bytes, bytes]]:
        """Keys and values of the `windows` records for the events since the last commit.

        The values are `WindowStats` as JSON. They are written with every transaction, and our own
        counts need no validation.
        """
        for start, sums in sorted(self._windows.items()):
            document: dict[str, Any] = {
                "schema_version": 1,
                "pipeline": self._pipeline,
                "partition": self.number,
                "window_start": datetime.fromtimestamp(start, UTC),
                "window_seconds": self._window_seconds,
                **sums.json(),
            }
            if start in self._summaries:
                document["summary"] = self._summaries[start].json()
            yield (
                f"{self.number}|{start:.0f}".encode(),
                orjson.dumps(document, option=orjson.OPT_UTC_Z),
            )

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
