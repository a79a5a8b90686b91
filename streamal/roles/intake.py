"""From records of the `predictions` topic to predictions worth deciding on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streamal.errors import Reject
from streamal.events import DecodedPrediction
from streamal.events.formats import Envelope, Format, Outcome
from streamal.ports import Record
from streamal.roles.rules import TaskRules


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

    def read(self, record: Record, now: float) -> Sequence[Outcome]:
        """The predictions in one record, see `read_all`."""
        return self.read_all((record,), now)[0]

    def read_all(self, records: Iterable[Record], now: float) -> list[Sequence[Outcome]]:
        """The predictions in each record.

        Args:
            records: messages of the `predictions` topic.
            now: seconds since the epoch.

        Returns:
            For each record, in order: its predictions in the order in which they are to be decided
            on, with a `Reject` in the place of one that is unusable; a `Reject` alone for a record
            that is unusable as a whole; nothing for one that the format holds back.
        """
        read, check, latest = self.format.read, self.rules.check_prediction, self._latest(now)
        outcomes: list[Sequence[Outcome]] = []
        for record in records:
            try:
                value, headers = record.value, record.headers
                if value is not None and len(value) > self.max_event_bytes:
                    raise self._too_large(len(value))
                found = read(
                    Envelope(
                        value, record.key, record.timestamp_ms, dict(headers) if headers else {}
                    )
                )
                if len(found) == 1 and type(found[0]) is DecodedPrediction:
                    if found[0].occurred_at > latest:
                        raise self._too_early(found[0], now)
                    check(found[0].prediction)
                else:
                    found = [self._checked(each, now) for each in found]
            except Reject as reject:
                found = (reject,)
            outcomes.append(found)
        return outcomes

    def _latest(self, now: float) -> float:
        return now + self.max_future_seconds

    def _checked(self, outcome: Outcome, now: float) -> Outcome:
        if isinstance(outcome, Reject):
            return outcome
        if outcome.occurred_at > self._latest(now):
            return self._too_early(outcome, now)
        try:
            self.rules.check_prediction(outcome.prediction)
        except Reject as reject:
            return reject
        return outcome

    def _too_large(self, size: int) -> Reject:
        return Reject("too_large", f"{size} bytes, at most {self.max_event_bytes} are read")

    def _too_early(self, prediction: DecodedPrediction, now: float) -> Reject:
        ahead = prediction.occurred_at - now
        return Reject(
            "future_timestamp",
            f"timestamp: {ahead:.0f} s ahead, at most {self.max_future_seconds:.0f} s are",
        )
