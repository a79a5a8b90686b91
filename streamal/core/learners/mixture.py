"""Expert advice: a mixture of classifiers that follows whichever predicts best lately."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

from river.base import Classifier

__all__ = ["FixedShareMixture"]

#: Least likelihood that an expert is charged with: one confident mistake (a k-NN says 0 or 1
#: easily) must not silence it for hundreds of labels.
_LEAST = 1e-3


class FixedShareMixture(Classifier):  # type: ignore[misc]  # River is untyped to mypy
    """Predicts the weighted mean of its experts' probabilities.

    Before a label is learned, every expert predicts it, and its weight is multiplied by the
    probability that it gave to the truth. Then all experts get back an equal share of the total, so
    that one that was bad in the past can take over after a drift. Every expert learns every label.

    River's own mixtures are for regression (EWARegressor) or need a trained second stage
    (StackingClassifier), which costs labels that a small budget doesn't have.

    Source: Herbster and Warmuth (1998), "Tracking the Best Expert", Machine Learning 32, with log
    loss and learning rate 1, which makes it a Bayesian mixture.

    Args:
        experts: at least one classifier for several classes that outputs probabilities.
        share: part of the total weight that is spread evenly after each label, in [0, 1].
    """

    def __init__(self, experts: Sequence[Classifier], share: float = 0.01) -> None:
        self.experts = experts
        self.share = share
        self._weights = [1.0 / len(experts)] * len(experts)

    @property
    def _multiclass(self) -> bool:
        return True

    def learn_one(self, x: dict[str, Any], y: Hashable) -> None:
        """Weigh the experts by what each predicts for `x`, then let each learn it."""
        gains = []
        for expert, weight in zip(self.experts, self._weights, strict=True):
            gains.append(weight * max(_LEAST, _shares(expert, x).get(y, 0.0)))
            expert.learn_one(x, y)
        total = math.fsum(gains)
        even = self.share / len(gains)
        self._weights = [(1.0 - self.share) * gain / total + even for gain in gains]

    def predict_proba_one(self, x: dict[str, Any], **_: object) -> dict[Hashable, float]:
        """The weighted mean over the experts that have an answer; unnormalised."""
        mean: dict[Hashable, float] = {}
        for expert, weight in zip(self.experts, self._weights, strict=True):
            for label, p in _shares(expert, x).items():
                mean[label] = mean.get(label, 0.0) + weight * p
        return mean


def _shares(expert: Classifier, x: dict[str, Any]) -> dict[Hashable, float]:
    """The expert's probabilities summing to 1, or nothing when they cannot be made to."""
    raw: dict[Hashable, float] = expert.predict_proba_one(x)
    total = math.fsum(raw.values())
    return {label: p / total for label, p in raw.items()} if 0.0 < total < math.inf else {}
