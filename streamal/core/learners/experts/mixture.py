"""Expert advice: a mixture of classifiers that follows whichever predicts best lately."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from river.base import Classifier

from streamal.core.learners.encoded import Encoded, Table, column_sums
from streamal.core.learners.experts.expert import Expert, Lesson, View
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
            self._weigh(self._space.view_of(x), self._classes.index(y))
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
        if not self._classes:
            return {}
        shares = self.votes(Encoded.of_row(x))[:, 0].tolist()
        return dict(zip(self._classes, shares, strict=True))

    def votes(self, columns: Encoded) -> Table:
        """The weighted mean over the experts for many items, shape (classes, n).

        Only after the first label.
        """
        if len(self._classes) < 2:
            return np.ones((1, len(columns)))
        advice = self._advice(self._space.view(columns))
        mean = np.zeros_like(advice[0])
        for weight, shares in zip(self._weights.tolist(), advice, strict=True):
            mean += weight * shares
        return np.ascontiguousarray(mean[:, : len(columns)])

    def _weigh(self, view: View, code: int) -> None:
        likelihoods = np.array([shares[code, 0] for shares in self._advice(view)])
        gains = self._weights * np.maximum(_LEAST, likelihoods)
        even = self.share / len(gains)
        self._weights = (1.0 - self.share) * gains / gains.sum() + even

    def _advice(self, view: View) -> list[Table]:
        """Probabilities that each expert gives, shape (classes, n)."""
        advice = [expert.predict(view) for expert in self.experts]
        return [shares / column_sums(shares) for shares in advice]
