"""What a lead decides about an annotator; travels on `labels`, in order with their answers."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from streamal.events.base import Event, Name, UtcDatetime

__all__ = ["AnnotatorRuling"]


class AnnotatorRuling(Event):
    """A lead's decision about an annotator.

    It lies on `labels` so that the model stays a function of that log: what it sets free is learned
    at its offset, on every replay.

    Attributes:
        annotator: who is decided about.
        ruling: `quarantine` holds the annotator's answers from here on; `release` trusts them again
            and counts what was held; `dismiss` drops what was held and turns later answers away.
        ruled_by: the lead.
        ruled_at: when they decided.
        note: why, for colleagues.
    """

    from_outside: ClassVar[bool] = True

    annotator: Name
    ruling: Literal["quarantine", "release", "dismiss"]
    ruled_by: Name
    ruled_at: UtcDatetime
    note: str | None = Field(default=None, max_length=10_000)
