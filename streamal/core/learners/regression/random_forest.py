"""River's adaptive random forest for numbers, made safe against first items of another width."""

from __future__ import annotations

import math
from typing import Any

from river.forest import ARFRegressor

__all__ = ["AdaptiveRandomForestRegressor"]


class AdaptiveRandomForestRegressor(ARFRegressor):  # type: ignore[misc]  # River is untyped to mypy
    """River's ARFRegressor, which starts over when items turn out much wider or narrower.

    River derives how many columns a leaf may look at, the square root of all, from the first item,
    and draws a leaf's columns from the item that made it. After a first item with most features
    missing, or with many that never come back, the trees would be nearly blind for ever. Items
    without any column are not learned.

    Source: Gomes, Barddal, Ferreira and Bifet (2018), "Adaptive Random Forests for Data Stream
    Regression", ESANN.
    """

    data: list[Any]
    max_features: Any
    _items = 0
    _width = 0.0

    def learn_one(self, x: dict[str, Any], y: float, **kwargs: object) -> None:
        """Learn an item that has columns."""
        if not x:
            return
        self._items += 1
        self._width += (len(x) - self._width) / self._items
        wanted = max(1, round(math.sqrt(self._width)))
        if not self.data or max(wanted, self.max_features) >= 2 * min(wanted, self.max_features):
            self.data = []
            self.max_features = wanted
        super().learn_one(x, y, **kwargs)
