"""Nearest new neighbour: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Annotated, ClassVar

import numpy as np

from streamal.core.parameters import Range
from streamal.core.strategies.base import MAXIMUM, Strategy, within_unit
from streamal.core.strategies.recent_events import RecentEvents
from streamal.core.types import Context, JsonState, Source

__all__ = ["NearestNewNeighbour"]


class NearestNewNeighbour(Strategy):
    """Uncertain items that are closer to recent ones than anything before (DBALStream).

    An item that becomes the nearest neighbour of many lies where the stream is getting denser: it
    stands for a crowd, and for one that was not there yet. An outlier is nobody's neighbour, and a
    repetition comes too late. Looks at numbers and booleans only. Its cost grows with the window:
    tens of microseconds per item at the default.

    Formula:
        (1 - (p1 - p2)) * (1 - 2^-(1 + n)), where p1 and p2 are the two largest class probabilities
        and n is the number of remembered items to which this one is nearer than every item that
        was remembered with them. Distances are root mean squares of the standardised
        features (clipped at 4 deviations). The second factor is 1 while nothing is remembered.

    Range:
        0 when one class is certain, 1 when fewer than two are known. With equal best classes 0.5
        for an item that is nobody's nearest, towards 1 with each that it is.

    Args:
        source: whose probabilities are measured: production's, the online model's, or the mean of
            the committee's.
        window: how many of the latest items are compared with; at most 6000 values are kept, so
            more than 60 features make the default window shorter.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> strategy = NearestNewNeighbour()
        >>> for x in (0.0, 1.0, 2.0, 3.0, 10.0):
        ...     strategy.commit(Context("past", {"x": x}, Production()))
        >>> even = {"cat": 0.5, "dog": 0.5}
        >>> between = Context("e1", {"x": 1.5}, Production(), even)
        >>> outlier = Context("e2", {"x": -9.0}, Production(), even)
        >>> strategy.score(between), strategy.score(outlier)
        (0.875, 0.5)

    References:
        Ienco, D., Zliobaite, I., and Pfahringer, B. (2014). High density-focused uncertainty
        sampling for active learning over evolving stream data. BigMine 2014, JMLR W&CP 36, 133-148.
        Theirs never asks about an item that is nobody's nearest; here it counts half.
    """

    name: ClassVar[str] = "nearest_new_neighbour"

    def __init__(
        self,
        source: Source = Source.MODEL,
        window: Annotated[int, Range(10, 1000)] = 100,
    ) -> None:
        self.source = source
        self.window = window
        self._recent = RecentEvents(window)
        #: Distance of each remembered item to the nearest one that was remembered with it.
        self._nearest = np.empty(0, np.float32)

    @property
    def asks_committee(self) -> bool:
        """Whether the committee is the source."""
        return self.source is Source.COMMITTEE

    def score(self, context: Context) -> float:
        """See the class."""
        probabilities = context.probabilities(self.source)
        if len(probabilities) < 2:
            return MAXIMUM
        second, first = sorted(probabilities.values())[-2:]
        return within_unit((1.0 - (first - second)) * self._novel_density(context))

    def commit(self, context: Context) -> None:
        """Remember the item, and to whom it is the nearest."""
        distances = self._recent.distances(context.features)
        nearest = np.minimum(self._nearest, distances)
        own = distances.min() if distances.size else np.float32(np.inf)
        self._recent.add(context.features)
        kept = len(self._recent)
        self._nearest = np.append(nearest, own).astype(np.float32)[-kept:] if kept else nearest

    def state(self) -> JsonState:
        """The remembered items and their nearest distances."""
        nearest = b64encode(self._nearest.astype("<f4").tobytes()).decode()
        return {"recent": self._recent.state(), "nearest": nearest}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        recent = state.get("recent")
        self._recent.restore(recent if isinstance(recent, dict) else {})
        encoded = b64decode(str(state.get("nearest", "")))
        self._nearest = np.frombuffer(encoded, "<f4").astype(np.float32)

    def _novel_density(self, context: Context) -> float:
        distances = self._recent.distances(context.features)
        if not distances.size:
            return 1.0
        neighbours = int(np.count_nonzero(distances < self._nearest))
        return 1.0 - 0.5 ** (1 + neighbours)
