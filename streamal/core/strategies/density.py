"""Doubtful items that stand for many others of the recent stream."""

from __future__ import annotations

from abc import abstractmethod
from base64 import b64decode, b64encode
from math import fsum
from typing import Annotated, ClassVar

import numpy as np

from streamal.core.batch import Batch, Matrix
from streamal.core.features import Vector
from streamal.core.parameters import Range
from streamal.core.strategies.base import MAXIMUM, ProbabilityStrategy, within_unit
from streamal.core.strategies.recent_events import RecentEvents
from streamal.core.strategies.uncertainty import margin_of
from streamal.core.types import Features, JsonState, Source


class _Crowded(ProbabilityStrategy):
    """One minus the margin, times a weight in [0, 1] of the item's place among recent ones."""

    def score(self, batch: Batch) -> Vector:
        """See the class; 1 for fewer than two classes."""
        weights = np.array([self._noted(features) for features in batch.features.rows])
        scores = np.full(len(batch), MAXIMUM)
        for rows, classes, p in batch.probabilities(self.source).blocks:
            if len(classes) > 1:
                scores[rows] = within_unit(self.uncertainty(p) * weights[rows])
        return scores

    def uncertainty(self, p: Matrix) -> Vector:
        """One minus the margin."""
        return margin_of(p)

    @abstractmethod
    def _noted(self, features: Features) -> float:
        """The weight of an item, which is then remembered."""


class InformationDensity(_Crowded):
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
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> even = {"cat": 0.5, "dog": 0.5}
        >>> places = (0.0, 0.1, 0.2, 0.1, 0.0, 5.0, 0.1, -9.0)
        >>> items = [Context(f"e{x}", {"x": x}, Production(), even) for x in places]
        >>> *_, typical, outlier = InformationDensity().score(Batch.of(items)).tolist()
        >>> typical > outlier
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
        super().__init__(source)
        self.beta = beta
        self.window = window
        self._recent = RecentEvents(window)

    def state(self) -> JsonState:
        """The remembered items."""
        return self._recent.state()

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._recent.restore(state)

    def _noted(self, features: Features) -> float:
        """How crowded the place of an item is, to the power of beta; then it is remembered."""
        distances = self._recent.distances(features)
        self._recent.add(features)
        if not distances.size:
            return 1.0
        similarities = 1.0 / (1.0 + distances)
        # NumPy's sum depends on the processor's vectors; replicas on others must agree.
        weight: float = (fsum(similarities.tolist()) / distances.size) ** self.beta
        return weight


class NearestNewNeighbour(_Crowded):
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
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> even = {"cat": 0.5, "dog": 0.5}
        >>> places = (0.0, 1.0, 2.0, 3.0, 10.0, 1.5, -9.0)
        >>> items = [Context(f"e{x}", {"x": x}, Production(), even) for x in places]
        >>> *_, between, outlier = NearestNewNeighbour().score(Batch.of(items)).tolist()
        >>> between, outlier
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
        super().__init__(source)
        self.window = window
        self._recent = RecentEvents(window)
        #: Distance of each remembered item to the nearest one that was remembered with it.
        self._nearest = np.empty(0, np.float32)

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

    def _noted(self, features: Features) -> float:
        """How crowded it is becoming; then it is remembered who has the item as the nearest."""
        distances = self._recent.distances(features)
        self._recent.add(features)
        kept = len(self._recent)
        if not distances.size:
            self._nearest = np.full(kept, np.inf, np.float32)
            return 1.0
        nearest = np.append(np.minimum(self._nearest, distances), distances.min())
        neighbours = int(np.count_nonzero(distances < self._nearest))
        self._nearest = nearest[-kept:]
        return 1.0 - 0.5 ** (1 + neighbours)
