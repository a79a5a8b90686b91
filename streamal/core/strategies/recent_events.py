"""The latest events as points, for the strategies that measure how crowded a region is."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import ClassVar, Final, cast

import numpy as np
from numpy.typing import NDArray

from streamal.core.strategies.running_scale import RunningScale
from streamal.core.types import Features, JsonState

#: Steps per standard deviation: an event's value takes one byte, and is off by 1.6 % of a standard
#: deviation at most. As numbers in JSON the window would be six times as large.
_STEPS: Final = 31
_CENTRE: Final = 128


class RecentEvents:
    """A window of standardised events, one byte per value.

    Args:
        window: how many of the latest events are remembered; fewer when they have so many features
            that `VALUES` would be exceeded.
    """

    #: Most values in the window: 8 kB in each batch's transaction.
    VALUES: ClassVar[int] = 6000

    def __init__(self, window: int) -> None:
        self._window = window
        self._scale = RunningScale()
        self._points = b""

    def __len__(self) -> int:
        width = len(self._scale.names)
        return len(self._points) // width if width else 0

    def distances(self, features: Features) -> NDArray[np.float32]:
        """Root mean square difference per feature to each remembered event, in deviations.

        Returns:
            One distance >= 0 per event, about 1.4 between unrelated ones; empty while nothing with
            numeric features was remembered.
        """
        point = self._scale.standardised(features)
        width = len(point)
        if not self._points:
            return np.empty(0, np.float32)
        points = np.frombuffer(self._points, np.uint8).reshape(-1, width).astype(np.float32)
        points -= np.frombuffer(_quantised(point), np.uint8)
        # Sums of whole numbers below 2^24: exact in any order, on any processor.
        squares = np.einsum("ij,ij->i", points, points)
        distances: NDArray[np.float32] = np.sqrt(squares / width) / _STEPS
        return distances

    def add(self, features: Features) -> None:
        """Remember an event, as it looks on the scale of the events before it."""
        before = len(self._scale.names)
        if self._scale.update(features):
            self._widen(before, len(self._scale.names))
        point = self._scale.standardised(features)
        if point:
            keep = min(self._window, self.VALUES // len(point)) * len(point)
            self._points = (self._points + _quantised(point))[-keep:]

    def state(self) -> JsonState:
        """Scale and window."""
        return {"scale": self._scale.state(), "points": b64encode(self._points).decode()}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._scale.restore(cast("JsonState", state.get("scale", {})))
        self._points = b64decode(str(state.get("points", "")))

    def _widen(self, before: int, width: int) -> None:
        """Give the remembered events the mean of features that were never seen before."""
        filling = bytes([_CENTRE]) * (width - before)
        rows = range(0, len(self._points), before) if before else ()
        self._points = b"".join(self._points[row : row + before] + filling for row in rows)


def _quantised(point: list[float]) -> bytes:
    return bytes([_CENTRE + round(_STEPS * value) for value in point])
