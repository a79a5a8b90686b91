"""The seam where production's wire formats plug in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from msgspec import Struct

from streamal.errors import Reject
from streamal.events.decoded import DecodedPrediction

__all__ = ["Envelope", "Format", "Outcome"]

#: A prediction, or why one of several in a message is none.
Outcome: TypeAlias = DecodedPrediction | Reject


class Envelope(Struct, frozen=True, gc=False):
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

    def read(self, envelope: Envelope) -> Sequence[Outcome]:
        """The predictions of a message, in the order in which they are to be decided on.

        Most formats hold one in each message. Where there are several, a `Reject` stands in the
        place of one that is unusable. None at all means that the message is the half of a
        prediction whose other half will come.

        Raises:
            Reject: nothing in this message is a usable prediction; the reason says why.
        """
        ...
