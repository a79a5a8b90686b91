"""The seam where production's wire formats plug in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from streamal.events.prediction import Prediction

__all__ = ["Envelope", "Format"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message of the `predictions` topic, free of any broker's types.

    Attributes:
        value: the bytes that production wrote; None for a tombstone.
        key: the message's key.
        timestamp_ms: the message's timestamp in the log, milliseconds since the Unix epoch.
        headers: the message's headers; for repeated names the last one counts.
    """

    value: bytes | None
    key: bytes | None
    timestamp_ms: int
    headers: Mapping[str, bytes]


class Format(Protocol):
    """Reads production's messages."""

    def read(self, envelope: Envelope) -> Prediction:
        """One prediction.

        Raises:
            Reject: this message is not a usable prediction; the reason says why.
        """
        ...
