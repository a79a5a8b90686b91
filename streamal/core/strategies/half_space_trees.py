"""How rare an item is among recent ones, whatever the model thinks of it."""

from __future__ import annotations

from math import log2
from typing import Annotated, ClassVar, cast

import numpy as np

from streamal.core.batch import Batch
from streamal.core.features import Vector
from streamal.core.parameters import Range
from streamal.core.strategies.base import ANY_TASK, MAXIMUM, Strategy, within_unit
from streamal.core.strategies.half_spaces import HalfSpaces
from streamal.core.strategies.running_scale import RunningScale
from streamal.core.types import Features, JsonState, Task


class HalfSpaceTrees(Strategy):
    """How rare the item's region of the feature space was in the recent past (novelty).

    Finds what the model was never shown, however sure of it the model is: new devices, broken
    sensors, edge cases. It does not look at the model at all, so on its own it also asks about
    rare items that everybody gets right; combine it. Looks at numbers and booleans only.

    Formula:
        1 - log2((1 + u) / 2) / h with u the mean over the trees of sum over the levels k of
        2^k * m_k / W, where m_k is the number of items of the last full window of W that were in
        the item's half-space at depth k of h; a tree is left where fewer than W / 10 were. u is
        the paper's score; the logarithm undoes its crowding near the bottom. Half-spaces are those
        of standardised features, on the scale of the window's beginning.

    Range:
        0 when all of the last window were where the item is, 1 when none were anywhere near. 1 too
        during the first window, after a feature appears that was never seen before (the trees are
        grown anew), and for an item that has none of the known features.

    Args:
        n_trees: number of trees.
        height: halvings from root to leaf.
        window: how many items make one window.

    Examples:
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> def item(x, y):
        ...     return Context("e", {"x": x, "y": y}, Production())
        >>> strategy = HalfSpaceTrees(window=100)
        >>> past = strategy.score(Batch.of([item(n % 10, n % 7) for n in range(200)]))
        >>> typical, novel = strategy.score(Batch.of([item(5.0, 3.0), item(50.0, -20.0)])).tolist()
        >>> typical < novel
        True

    References:
        Tan, S. C., Ting, K. M., and Liu, T. F. (2011). Fast anomaly detection for streaming data.
        IJCAI 2011, 1511-1516.
    """

    name: ClassVar[str] = "half_space_trees"

    def __init__(
        self,
        n_trees: Annotated[int, Range(1, 20)] = 10,
        height: Annotated[int, Range(2, 7)] = 6,
        window: Annotated[int, Range(10, 1000)] = 250,
    ) -> None:
        self.n_trees = n_trees
        self.height = height
        self.window = window
        self._scale = RunningScale()
        self._spaces = self._grown()

    @property
    def tasks(self) -> frozenset[Task]:
        """Any: only features are looked at."""
        return ANY_TASK

    def score(self, batch: Batch) -> Vector:
        """See the class."""
        return within_unit(np.array([self._noted(features) for features in batch.features.rows]))

    def _noted(self, features: Features) -> float:
        """The score of one item, which is then counted in the current window."""
        mass = self._spaces.mass(features)
        if self._scale.update(features):
            self._spaces = self._grown()
        self._spaces.add(features)
        return MAXIMUM if mass is None else 1.0 - log2((1.0 + mass) / 2.0) / self.height

    def state(self) -> JsonState:
        """The features' scale and the masses in the leaves; the trees grow again from the seed."""
        return {"scale": self._scale.state(), "spaces": self._spaces.state()}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._scale.restore(cast("JsonState", state.get("scale", {})))
        self._spaces = self._grown()
        self._spaces.restore(cast("JsonState", state.get("spaces", {})))

    def _grown(self) -> HalfSpaces:
        return HalfSpaces(self._scale, self.n_trees, self.height, self.window)
