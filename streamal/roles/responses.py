"""What the gates do about drift for the time being."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from streamal.events import DriftResponse


@dataclass(frozen=True, slots=True)
class Standing:
    """All responses that are in force, together; see `streamal.core.types.Conditions`."""

    budget_factor: float = 1.0
    exploration: float | None = None
    trust: float = 1.0


def in_force(responses: Iterable[DriftResponse], now: float) -> Standing:
    """The strongest of each kind among those that have not ended by `now` (epoch seconds)."""
    standing = [each for each in responses if each.until.timestamp() > now]
    explored = [each.exploration for each in standing if each.exploration is not None]
    return Standing(
        budget_factor=max((each.budget_factor for each in standing), default=1.0),
        exploration=max(explored, default=None),
        trust=min((each.trust for each in standing), default=1.0),
    )
