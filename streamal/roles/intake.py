"""From a record of the `predictions` topic to a prediction worth deciding on."""

from __future__ import annotations

from dataclasses import dataclass

from streamal.core.types import Production
from streamal.errors import Reject
from streamal.events import Output, Prediction
from streamal.events.formats import Envelope, Format
from streamal.ports import Record
from streamal.roles.rules import TaskRules

__all__ = ["Intake", "as_production"]


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


def as_production(output: Output | None) -> Production:
    """The core's view of a prediction; nothing known when there is none."""
    if output is None:
        return Production()
    return Production(
        label=output.label, probabilities=output.probabilities or {}, value=output.value
    )
