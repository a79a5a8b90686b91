"""What the trainer tells people about labels: requests to adjudicate, and annotators in quarantine.

They leave in the transaction that reports the label record they follow from, so each is on the log
once, whatever crashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from streamal.events import Adjudication, DriftEvent, ReviewRequest
from streamal.events.topics import Topics
from streamal.ports import Producer
from streamal.state.verdicts import Dispute, Effect, Quarantine

__all__ = ["Notices"]

#: Before anything else: votes were spent on the item already, and nothing comes of them without it.
_ADJUDICATION_PRIORITY = 1.0


@dataclass(frozen=True, slots=True)
class Notices:
    """Sends what follows from label records.

    Attributes:
        pipeline: name of the pipeline.
        topics: names.
        adjudication_seconds: how long a lead is given to adjudicate.
        least_agreement: agreement that an annotator owes, in (0, 1).
    """

    pipeline: str
    topics: Topics
    adjudication_seconds: float
    least_agreement: float

    def send(self, producer: Producer, effects: Sequence[Effect]) -> None:
        """Queue all notices on `producer`, in its transaction."""
        for effect in effects:
            if isinstance(effect, Dispute):
                request = self.request(effect)
                key = request.event_id.encode()
                producer.send(self.topics.reviews, request.to_bytes(), key=key)
            elif isinstance(effect, Quarantine):
                event = self.alarm(effect)
                producer.send(self.topics.drift, event.to_bytes(), key=event.detector.encode())

    def request(self, dispute: Dispute) -> ReviewRequest:
        """The second request for an event: for a lead, with what the reviewers said."""
        asked_at = dispute.asked_at
        return dispute.review.model_copy(
            update={
                "expires_at": asked_at + timedelta(seconds=self.adjudication_seconds),
                "priority": _ADJUDICATION_PRIORITY,
                "required_labels": 1,
                "adjudication": Adjudication(asked_at=asked_at, answers=dispute.answers),
            }
        )

    def alarm(self, quarantine: Quarantine) -> DriftEvent:
        """An annotator's agreement has collapsed, or a lead has quarantined them."""
        change = quarantine.agreement - self.least_agreement
        return DriftEvent(
            pipeline=self.pipeline,
            detector="annotator_agreement",
            cause=f"annotator {quarantine.annotator} is in quarantine: agreement "
            f"{quarantine.agreement:.0%} over {quarantine.compared} comparisons, "
            f"{self.least_agreement:.0%} is owed",
            harmful=False,
            statistic=change,
            low=change,
            high=change,
            window_start=quarantine.since,
            window_seconds=0.0,
            detected_at=quarantine.since,
        )
