"""River's adaptive random forest, made safe against a first item with few features."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

from river.forest import ARFClassifier

__all__ = ["AdaptiveRandomForest"]


class AdaptiveRandomForest(ARFClassifier):  # type: ignore[misc]  # River is untyped to mypy
    """River's ARFClassifier, which starts over when items turn out much wider than the first.

    River derives how many columns a leaf may look at, the square root of all, from the first item
    and keeps that number. A first item with most features missing would leave the forest nearly
    blind for ever. Items without any column are not learned.

    Source: Gomes et al. (2017), "Adaptive Random Forests for Evolving Data Stream Classification",
    Machine Learning 106.
    """

    data: list[Any]
    max_features: Any

    def learn_one(self, x: dict[str, Any], y: Hashable, **kwargs: object) -> None:
        """Learn an item that has columns."""
        if not x:
            return
        wanted = round(math.sqrt(len(x)))
        if not self.data or wanted >= 2 * self.max_features:
            self.data = []
            self.max_features = wanted
        super().learn_one(x, y, **kwargs)
