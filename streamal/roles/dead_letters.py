"""Writing dead letters: the original bytes, and why they could not be used."""

from __future__ import annotations

from dataclasses import dataclass

from streamal.errors import Reject
from streamal.events import DeadLetter
from streamal.ports import Producer, Record

__all__ = ["DeadLetterBox"]

#: Room that a record's headers, key and batch overhead need beside its value.
_OVERHEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class DeadLetterBox:
    """Sends rejected records to the dead-letter topic.

    Attributes:
        topic: the dead-letter topic.
        role: which role rejects.
        max_message_bytes: largest record that may be written; longer originals are cut, and the
            headers say where the whole lies.
    """

    topic: str
    role: str
    max_message_bytes: int

    def send(self, producer: Producer, record: Record, reject: Reject) -> None:
        """Queue one dead letter on `producer`, in its transaction if it has one."""
        value = record.value
        room = self.max_message_bytes - _OVERHEAD_BYTES - len(record.key or b"")
        cut = value is not None and len(value) > room
        letter = DeadLetter(
            reason=reject.reason,
            detail=reject.detail,
            role=self.role,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            truncated_from=len(value) if cut and value is not None else None,
        )
        producer.send(
            self.topic,
            value[:room] if cut and value is not None else value,
            key=record.key,
            headers=letter.headers(),
        )
