"""From a record of the `predictions` topic to a prediction worth deciding on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from streamal.errors import Reject
from streamal.events import Prediction
from streamal.events.formats import Envelope, Format
from streamal.ports import Record
from streamal.roles.rules import TaskRules


class Read(NamedTuple):
    """What was in one record."""

    predictions: Sequence[Prediction] = ()
    rejects: Sequence[Reject] = ()


@dataclass(frozen=True, slots=True)
class Intake:
    """Reads production's messages and turns away what can't be decided on.

    Attributes:
        format: adapter to production's wire format.
        rules: what the pipeline's task allows.
        max_event_bytes: larger messages are rejected unparsed.
        max_future_seconds: how far ahead of the clock an event may be dated.
    """

    format: Format
    rules: TaskRules
    max_event_bytes: int
    max_future_seconds: float

    def read_all(self, records: Sequence[Record], now: float) -> list[Read]:
        """What is in each record."""
        return [self._read_one(record, now) for record in records]

    def _read_one(self, record: Record, now: float) -> Read:
        try:
            return Read((self.read(record, now),))
        except Reject as reject:
            return Read((), (reject,))

    def read(self, record: Record, now: float) -> Prediction:
        """The prediction in `record`.

        Args:
            record: a message of the `predictions` topic.
            now: seconds since the epoch.

        Raises:
            Reject: with the reason.
        """
        size = len(record.value or b"")
        if size > self.max_event_bytes:
            raise Reject("too_large", f"{size} bytes, at most {self.max_event_bytes} are read")
        prediction = self.format.read(
            Envelope(record.value, record.key, record.timestamp_ms, dict(record.headers))
        )
        ahead = prediction.timestamp.timestamp() - now
        if ahead > self.max_future_seconds:
            raise Reject(
                "future_timestamp",
                f"timestamp: {ahead:.0f} s ahead, at most {self.max_future_seconds:.0f} s are",
            )
        self.rules.check_prediction(prediction.prediction)
        return prediction
