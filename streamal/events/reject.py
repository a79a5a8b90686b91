"""The headers of a dead letter. Its key and value are the original's bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

__all__ = ["DeadLetter"]

_PREFIX = "streamal."


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Why a message could not be used and where it lies.

    Attributes:
        reason: snake_case word from a fixed set; also a metric label.
        detail: one line for a human.
        role: which role rejected it, gate or trainer.
        topic: source topic.
        partition: source partition.
        offset: source offset.
        truncated_from: original size in bytes when the value was cut to fit, else None.
    """

    reason: str
    detail: str
    role: str
    topic: str
    partition: int
    offset: int
    truncated_from: int | None = None

    def headers(self) -> tuple[tuple[str, bytes], ...]:
        """As Kafka record headers, each prefixed with `streamal.`."""
        fields = {
            "reason": self.reason,
            "detail": self.detail,
            "role": self.role,
            "source-topic": self.topic,
            "source-partition": str(self.partition),
            "source-offset": str(self.offset),
        }
        if self.truncated_from is not None:
            fields["truncated-from-bytes"] = str(self.truncated_from)
        return tuple(
            (_PREFIX + name, text.encode("utf-8", "replace")) for name, text in fields.items()
        )

    @classmethod
    def from_headers(cls, headers: tuple[tuple[str, bytes], ...]) -> Self:
        """Read back what `headers` wrote.

        Raises:
            KeyError: a header is missing.
        """
        fields = {
            name.removeprefix(_PREFIX): value.decode("utf-8", "replace") for name, value in headers
        }
        truncated = fields.get("truncated-from-bytes")
        return cls(
            reason=fields["reason"],
            detail=fields["detail"],
            role=fields["role"],
            topic=fields["source-topic"],
            partition=int(fields["source-partition"]),
            offset=int(fields["source-offset"]),
            truncated_from=None if truncated is None else int(truncated),
        )
