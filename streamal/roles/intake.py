"""From a record of the `predictions` topic to a prediction worth deciding on."""

from __future__ import annotations

from dataclasses import dataclass

from streamal.core.types import Probabilities, Production
from streamal.errors import Reject
from streamal.events import DetectedObject, Output, Prediction
from streamal.events.formats import Envelope, Format
from streamal.ports import Record
from streamal.roles.rules import TaskRules

__all__ = ["Intake", "as_production"]

#: Stands for all that a detected object may be if it is not what production says; no class of
#: production's can be called so.
_ANYTHING_ELSE = ""


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
        label=output.label,
        probabilities=output.probabilities or {},
        value=output.value,
        token_probabilities=output.token_probabilities or (),
        objects=None if output.objects is None else tuple(map(_as_distribution, output.objects)),
    )


def _as_distribution(found: DetectedObject) -> Probabilities:
    """An object's classes; a score alone is that of its class against everything else."""
    if found.probabilities is not None and len(found.probabilities) > 1:
        return found.probabilities
    score = 1.0 if found.score is None else found.score
    return {found.label or "object": score, _ANYTHING_ELSE: 1.0 - score}
