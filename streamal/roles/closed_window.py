"""A closed, matured window with all that was estimated from."""

from __future__ import annotations

from dataclasses import dataclass

from streamal.core.estimation import LabelledItems, Responses, WindowTotals
from streamal.state.measures import ReviewOutcome

__all__ = ["ClosedWindow"]


@dataclass(frozen=True, slots=True)
class ClosedWindow:
    """What one window leaves behind.

    Attributes:
        start: first instant, seconds since the epoch.
        seconds: its length.
        totals: sums over its reachable events; None when they are not known.
        items: its labelled items, with whether production was right.
        responses: matured and answered reviews by stratum.
        outcomes: its reviews, answers after the label horizon left out.
    """

    start: float
    seconds: float
    totals: WindowTotals | None
    items: LabelledItems
    responses: Responses
    outcomes: tuple[ReviewOutcome, ...]

    @property
    def end(self) -> float:
        """First instant after it."""
        return self.start + self.seconds
