"""A closed, matured window with all that was estimated from."""

from __future__ import annotations

from dataclasses import dataclass

from streamal.core.estimation import LabelledItems, Responses, WindowTotals
from streamal.core.estimation.loss import LabelledLosses, LossTotals
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
        losses: in a regression, how far production was off on its labelled items; None in a
            classification.
        loss_totals: in a regression, sums over its reachable events; None when they are not known.
    """

    start: float
    seconds: float
    totals: WindowTotals | None
    items: LabelledItems
    responses: Responses
    outcomes: tuple[ReviewOutcome, ...]
    losses: LabelledLosses | None = None
    loss_totals: LossTotals | None = None

    @property
    def end(self) -> float:
        """First instant after it."""
        return self.start + self.seconds
