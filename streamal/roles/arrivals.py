"""New events of a partition: read, told from those handled before, and all else turned away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Final, cast

from streamal.errors import Reject
from streamal.events import DecodedPrediction
from streamal.events.formats import Outcome
from streamal.ports import Producer, Record
from streamal.roles.breaker import Breaker
from streamal.roles.dead_letters import DeadLetterBox
from streamal.roles.intake import Intake
from streamal.roles.partition import GatePartition

_PLAIN: Final = frozenset({DecodedPrediction})


@dataclass(frozen=True, slots=True)
class Arrival:
    """New events of one partition; a record may bring several.

    Attributes:
        partition: where they came from.
        records: of each event, the record that it came in.
        predictions: what production said.
    """

    partition: GatePartition
    records: Sequence[Record]
    predictions: Sequence[DecodedPrediction]

    def take(self, start: int, stop: int) -> Arrival:
        """Those from `start` up to `stop`."""
        return Arrival(self.partition, self.records[start:stop], self.predictions[start:stop])


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Reads records of a partition.

    Attributes:
        intake: reads production's messages.
        dead_letters: writes dead letters.
        breaker: stops the role when too much is rejected.
    """

    intake: Intake
    dead_letters: DeadLetterBox
    breaker: Breaker

    def read(
        self,
        partition: GatePartition,
        records: Sequence[Record],
        now: float,
        producer: Producer,
        rejected: list[Reject],
    ) -> Arrival:
        """The new events in records that follow one another.

        Args:
            partition: where the records come from; claims the events.
            records: in the order of the log.
            now: seconds since the epoch.
            producer: takes the dead letters.
            rejected: takes why records became dead letters.

        Raises:
            BreakerOpen: the share of rejects passed its limit.
        """
        outcomes = self.intake.read_all(records, now)
        sources, predictions, usable = self._usable(records, outcomes)
        claimed = partition.claim([prediction.event_id for prediction in predictions])
        if usable and all(claimed):
            self.breaker.accept(len(predictions))
            return Arrival(partition, sources, predictions)
        new = iter(claimed)
        for record, found in zip(records, outcomes, strict=True):
            for outcome in found:
                reject = _reject(outcome, new)
                if reject is None:
                    self.breaker.accept()
                else:
                    self.dead_letters.send(producer, record, reject)
                    rejected.append(reject)
                    self.breaker.reject()
        return Arrival(partition, [*compress(sources, claimed)], [*compress(predictions, claimed)])

    def remember(self, partition: GatePartition, records: Sequence[Record], now: float) -> None:
        """Refresh the memory of ids with what was decided by another gate, or in an earlier life.

        Args:
            partition: where the records come from.
            records: from before the committed offset.
            now: seconds since the epoch.
        """
        _, predictions, _ = self._usable(records, self.intake.read_all(records, now))
        partition.remember([prediction.event_id for prediction in predictions])

    @staticmethod
    def _usable(
        records: Sequence[Record], outcomes: Sequence[Sequence[Outcome]]
    ) -> tuple[list[Record], list[DecodedPrediction], bool]:
        """Predictions with their records, and whether there was nothing else."""
        plain = [outcome for found in outcomes for outcome in found]
        if len(plain) == len(records) and all(outcomes) and _PLAIN.issuperset(map(type, plain)):
            # One prediction in each record, as nearly always.
            return list(records), cast("list[DecodedPrediction]", plain), True
        pairs = [
            (record, outcome)
            for record, found in zip(records, outcomes, strict=True)
            for outcome in found
            if not isinstance(outcome, Reject)
        ]
        usable = len(pairs) == sum(map(len, outcomes))
        return [record for record, _ in pairs], [outcome for _, outcome in pairs], usable


def _reject(outcome: Outcome, new: Iterator[bool]) -> Reject | None:
    """Why something in a record is not decided on; None when it is."""
    if isinstance(outcome, Reject):
        return outcome
    if next(new):
        return None
    return Reject("duplicate_event", f"event_id: {outcome.event_id!r} was handled already")
