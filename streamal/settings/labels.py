"""How labels are waited for and trusted."""

from __future__ import annotations

from pydantic import Field

from streamal.settings.common import Section

__all__ = [
    "LabelSettings",
]


class LabelSettings(Section):
    """How labels are waited for.

    Attributes:
        ttl_seconds: how long after the decision a label is still used.
    """

    ttl_seconds: float = Field(default=7 * 86_400, gt=0, le=3650 * 86_400)
