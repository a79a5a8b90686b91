"""What is summed up over all events of a window, routed or not: all that estimates need of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from streamal.core.features import Vector
from streamal.core.types import JsonState


@dataclass(slots=True)
class SegmentSums:
    """Sums over the reachable events of one segment; see `WindowSums`."""

    events: int = 0
    sum_expected_correct: float = 0.0
    sum_expected_loss: float = 0.0


@dataclass(slots=True)
class WindowSums:
    """Sums over the events of one event-time window.

    Attributes:
        events: decided events.
        routed: of these, sent to review.
        unreachable: of these, without a chance to be routed (propensity 0): outside of the
            population that estimates speak for, and of all sums.
        sum_expected_correct: of predicted P(production is right).
        sum_propensity: of the propensities.
        sum_expected_loss: in a regression, of predicted |production - truth|; events about which
            nothing was known count as 0.
        segments: key to value to that segment's sums.
    """

    events: int = 0
    routed: int = 0
    unreachable: int = 0
    sum_expected_correct: float = 0.0
    sum_propensity: float = 0.0
    sum_expected_loss: float = 0.0
    segments: dict[str, dict[str, SegmentSums]] = field(default_factory=dict)

    @property
    def reachable(self) -> int:
        """Size of the population that estimates speak for."""
        return self.events - self.unreachable

    def book(
        self,
        queries: Sequence[bool],
        propensities: Vector,
        expected_correct: Vector,
        expected_loss: Vector,
        segments: Mapping[str, Sequence[str | None]],
    ) -> None:
        """Add events.

        Args:
            queries: whether each was routed.
            propensities: P(routed), shape (n,).
            expected_correct: predicted P(production is right), shape (n,).
            expected_loss: predicted |production - truth|, NaN where nothing was known, shape (n,).
            segments: key to the segment of each, None for none.
        """
        reachable = propensities > 0.0
        self.events += len(queries)
        self.routed += sum(queries)
        self.unreachable += len(queries) - int(np.count_nonzero(reachable))
        correct = np.where(reachable, expected_correct, 0.0)
        losses = np.where(reachable, np.nan_to_num(expected_loss), 0.0)
        self.sum_propensity += float(propensities.sum())
        self.sum_expected_correct += float(correct.sum())
        self.sum_expected_loss += float(losses.sum())
        for key, values in segments.items():
            named = values
            if not reachable.all():
                named = [
                    value if reached else None
                    for value, reached in zip(values, reachable.tolist(), strict=True)
                ]
            self._book_segments(key, named, correct, losses)

    def json(self) -> JsonState:
        """The sums as JSON values."""
        return {
            "events": self.events,
            "routed": self.routed,
            "unreachable": self.unreachable,
            "sum_expected_correct": self.sum_expected_correct,
            "sum_propensity": self.sum_propensity,
            "sum_expected_loss": self.sum_expected_loss,
            "segments": {
                key: {name: asdict(sums) for name, sums in sorted(named.items())}
                for key, named in sorted(self.segments.items())
            },
        }

    def _book_segments(
        self, key: str, values: Sequence[str | None], correct: Vector, losses: Vector
    ) -> None:
        codes: dict[str | None, int] = {}
        numbered = [codes.setdefault(value, len(codes)) for value in values]
        counts = np.bincount(numbered, minlength=len(codes)).tolist()
        sums = np.bincount(numbered, correct, len(codes)).tolist()
        loss_sums = np.bincount(numbered, losses, len(codes)).tolist()
        known = self.segments.setdefault(key, {})
        for value, code in codes.items():
            if value is not None:
                segment = known.setdefault(value, SegmentSums())
                segment.events += counts[code]
                segment.sum_expected_correct += sums[code]
                segment.sum_expected_loss += loss_sums[code]


def by_window(occurred_at: Sequence[float], seconds: float) -> dict[float, list[int]]:
    """First instant of each event-time window to the positions of its events, ascending.

    Args:
        occurred_at: event times, seconds since the epoch.
        seconds: length of a window.
    """
    starts = np.floor(np.asarray(occurred_at, dtype=np.float64) / seconds) * seconds
    if len(starts) and (starts == starts[0]).all():
        return {float(starts[0]): list(range(len(starts)))}
    windows: dict[float, list[int]] = {}
    for row, start in enumerate(starts.tolist()):
        windows.setdefault(start, []).append(row)
    return windows
