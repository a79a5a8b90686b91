"""Expert advice: a mixture of classifiers that follows whichever predicts best lately."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from river.base import Classifier

from streamal.core.learners.experts.expert import Expert, Lesson, Vector, View
from streamal.core.learners.experts.space import VectorSpace

__all__ = ["ExpertMixture"]

#: Least likelihood that an expert is charged with: one confident mistake (a k-NN says 0 or 1
#: easily) must not silence it for hundreds of labels.
_LEAST = 1e-3


class ExpertMixture(Classifier):  # type: ignore[misc]  # River is untyped to mypy
    """Predicts the weighted mean of its experts' probabilities.

    Before a label is learned, every expert predicts it, and its weight is multiplied by the
    probability that it gave to the truth. Then all experts get back an equal share of the total, so
    that one that was bad in the past can take over after a drift. Every expert learns every label.

    River's own mixtures are for regression (EWARegressor) or need a trained second stage
    (StackingClassifier), which costs labels that a small budget doesn't have.

    Source: Herbster and Warmuth (1998), "Tracking the Best Expert", Machine Learning 32, with log
    loss and learning rate 1, which makes it a Bayesian mixture.

    Args:
        experts: at least one, none of which has learned anything.
        half_life: labels after which an item counts half in the level of its columns, > 0.
        share: part of the total weight that is spread evenly after each label, in [0, 1].
    """

    def __init__(
        self, experts: Sequence[Expert], half_life: float = 1.0, share: float = 0.01
    ) -> None:
        self.experts = experts
        self.half_life = half_life
        self.share = share
        self._space = VectorSpace(half_life)
        self._weights = np.full(len(experts), 1.0 / len(experts))
        #: In order of appearance.
        self._classes: list[Hashable] = []

    @property
    def _multiclass(self) -> bool:
        return True

    def learn_one(self, x: dict[str, Any], y: Hashable, w: float = 1.0) -> None:
        """Weigh the experts by what each predicts for `x`, then let each learn it.

        Args:
            x: numbers by column; a column of earlier items that is missing counts as 0.
            y: the true class.
            w: importance, > 0; 1 counts once.
        """
        if y not in self._classes:
            self._classes.append(y)
        elif len(self._classes) > 1:
            self._weigh(self._space.view(x), self._classes.index(y))
        raw, view = self._space.learn(x)
        lesson = Lesson(
            view,
            raw,
            self._space.mean,
            self._space.scale,
            self._classes.index(y),
            len(self._classes),
            w,
        )
        for expert in self.experts:
            expert.learn(lesson)
        self._space.move_level(raw)

    def predict_proba_one(self, x: dict[str, Any], **_: object) -> dict[Hashable, float]:
        """The weighted mean over the experts."""
        if len(self._classes) < 2:
            return dict.fromkeys(self._classes, 1.0)
        mean: Vector = self._weights @ self._advice(self._space.view(x))
        return dict(zip(self._classes, mean.tolist(), strict=True))

    def _weigh(self, view: View, code: int) -> None:
        gains = self._weights * np.maximum(_LEAST, self._advice(view)[:, code])
        even = self.share / len(gains)
        self._weights = (1.0 - self.share) * gains / gains.sum() + even

    def _advice(self, view: View) -> Vector:
        """Probabilities of each expert, (experts, classes)."""
        advice: Vector = np.stack([expert.predict(view) for expert in self.experts])
        advice /= advice.sum(axis=1, keepdims=True)
        return advice
