"""By which names a gate counts segments: those that the trainer listed, the same on every gate.

Values of a metadata key may be many; only so many of them get a name, the others are counted as
`other`. The trainer, which sees the reviews of all gates, lists the most frequent values in its
heartbeats. As long as its list has room, a gate names a new value by itself, so that a canary is
counted from its first event on. The name travels in the review request: what is estimated for a
segment is exactly what was counted for it, whatever names were in force (docs/decisions/0013).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streamal.events import DecodedPrediction
from streamal.events.segments import OTHER, PREDICTION, segment_value

__all__ = ["SegmentNames", "segment_limits"]


def segment_limits(keys: Sequence[str], values: int, classes: int) -> dict[str, int]:
    """Key to the number of its values that get a name; the predicted class is always a key.

    Args:
        keys: the configured keys.
        values: most named values of each.
        classes: most named classes; 0 counts none.
    """
    limits = dict.fromkeys(keys, values)
    return {**limits, PREDICTION: classes} if classes else limits


class SegmentNames:
    """Names the segments of events; one for each gate. Used by one thread.

    Args:
        limits: key to the number of its values that get a name, > 0.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        self._limits = dict(limits)
        self._listed: Mapping[str, Sequence[str]] = {}
        self._known: dict[str, set[str]] = {key: set() for key in limits}

    def follow(self, listed: Mapping[str, Sequence[str]]) -> None:
        """Take up the trainer's list; names that this gate gave on its own end with a new one."""
        if listed != self._listed:
            self._listed = listed
            self._known = {
                key: set(listed.get(key, ())[:limit]) for key, limit in self._limits.items()
            }

    def columns(self, predictions: Sequence[DecodedPrediction]) -> dict[str, list[str | None]]:
        """Key to the name that each event is to be counted under, None where it does not apply."""
        return {key: self._column(key, predictions) for key in self._limits}

    def _column(self, key: str, predictions: Sequence[DecodedPrediction]) -> list[str | None]:
        named: dict[str | None, str | None] = {None: None}
        column: list[str | None] = []
        for each in predictions:
            value = segment_value(key, each.model, each.prediction, each.metadata)
            if value not in named:
                named[value] = self._name(key, str(value))
            column.append(named[value])
        return column

    def _name(self, key: str, value: str) -> str:
        known = self._known[key]
        if value not in known and len(known) < self._limits[key]:
            known.add(value)
        return value if value in known else OTHER
