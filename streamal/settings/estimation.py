"""How production's accuracy is estimated."""

from __future__ import annotations

from pydantic import Field

from streamal.settings.common import Section

__all__ = [
    "EstimationSettings",
]


class EstimationSettings(Section):
    """How production's accuracy is estimated.

    Attributes:
        window_seconds: length of an event-time window.
        label_horizon_seconds: how long after a decision a label still counts for estimates; at most
            labels.ttl_seconds. A window is estimated once its last decision is that old, so this is
            how far estimates lag behind; labels that come later are learned all the same.
        level: confidence level of intervals, in (0, 1).
    """

    window_seconds: float = Field(default=3600, gt=0)
    label_horizon_seconds: float = Field(default=86_400, gt=0)
    level: float = Field(default=0.95, gt=0, lt=1)
