"""Information density: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from math import fsum
from typing import Annotated, ClassVar

from streamal.core.parameters import Range
from streamal.core.strategies.base import MAXIMUM, Strategy, within_unit
from streamal.core.strategies.recent_events import RecentEvents
from streamal.core.types import Context, JsonState, Source

__all__ = ["InformationDensity"]


class InformationDensity(Strategy):
    """Uncertain items that are typical of the recent stream, rather than uncertain outliers.

    A label of an item in a crowded region tells about many others. Looks at numbers and booleans
    only. Its cost grows with the window: tens of microseconds per item at the default.

    Formula:
        (1 - (p1 - p2)) * D^beta, where p1 and p2 are the two largest class probabilities and D the
        mean of 1 / (1 + r) over the remembered items, with r the root mean square difference of
        the standardised features (clipped at 4 deviations). D is 1 while nothing is remembered.

    Range:
        0 when one class is certain, 1 when fewer than two are known. With equal best classes and
        beta 1 about 0.4 for the typical item of unrelated features, near 1 where all recent items
        are alike.

    Args:
        source: whose probabilities are measured: production's, the online model's, or the mean of
            the committee's.
        beta: how much density counts; 0 leaves margin.
        window: how many of the latest items are compared with; at most 6000 values are kept, so
            more than 30 features make the default window shorter.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> strategy = InformationDensity()
        >>> for x in (0.0, 0.1, 0.2, 0.1, 0.0, 5.0):
        ...     strategy.commit(Context("past", {"x": x}, Production()))
        >>> even = {"cat": 0.5, "dog": 0.5}
        >>> typical = Context("e1", {"x": 0.1}, Production(), even)
        >>> outlier = Context("e2", {"x": -9.0}, Production(), even)
        >>> strategy.score(typical) > strategy.score(outlier)
        True

    References:
        Settles, B., and Craven, M. (2008). An analysis of active learning strategies for sequence
        labeling tasks. EMNLP 2008, 1070-1079. Theirs is entropy and the cosine, made for text.
    """

    name: ClassVar[str] = "information_density"

    def __init__(
        self,
        source: Source = Source.MODEL,
        beta: Annotated[float, Range(0, 10)] = 1.0,
        window: Annotated[int, Range(10, 1000)] = 200,
    ) -> None:
        self.source = source
        self.beta = beta
        self.window = window
        self._recent = RecentEvents(window)

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
        return within_unit((1.0 - (first - second)) * self._density(context) ** self.beta)

    def commit(self, context: Context) -> None:
        """Remember the item."""
        self._recent.add(context.features)

    def state(self) -> JsonState:
        """The remembered items."""
        return self._recent.state()

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._recent.restore(state)

    def _density(self, context: Context) -> float:
        distances = self._recent.distances(context.features)
        if not distances.size:
            return 1.0
        similarities = 1.0 / (1.0 + distances)
        # NumPy's sum depends on the processor's vectors; replicas on others must agree.
        return fsum(similarities.tolist()) / distances.size
