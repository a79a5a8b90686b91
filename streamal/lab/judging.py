"""Whether predictions are right, and how far off they are, whatever the task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from streamal.core.batch import Outlooks, Outputs
from streamal.core.features import Vector
from streamal.core.types import Truth


@dataclass(frozen=True, slots=True)
class Judge:
    """Compares predictions with truths; a prediction of None is never right.

    Attributes:
        tolerance: in a regression, how far apart two numbers may be; None for classes.
    """

    tolerance: float | None

    def said(self, production: Outputs) -> Sequence[Truth | None]:
        """What production predicted for each item: a class, or a number."""
        return production.labels if self.tolerance is None else _numbers(production.values)

    def known(self, outlooks: Outlooks) -> Sequence[Truth | None]:
        """What the online model predicts for each item."""
        if self.tolerance is None:
            return outlooks.probabilities.top_classes()
        return _numbers(outlooks.values)

    def right(self, said: Sequence[Truth | None], truths: Sequence[Truth]) -> list[bool]:
        """Whether each prediction counts as right."""
        if self.tolerance is None:
            return [one == truth for one, truth in zip(said, truths, strict=True)]
        return [loss is not None and loss <= self.tolerance for loss in self.losses(said, truths)]

    def losses(self, said: Sequence[Truth | None], truths: Sequence[Truth]) -> list[float | None]:
        """|prediction - truth| of each; None without a prediction, and for classes."""
        if self.tolerance is None:
            return [None] * len(truths)
        return [_loss(one, truth) for one, truth in zip(said, truths, strict=True)]


def _numbers(values: Vector) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


def _loss(said: Truth | None, truth: Truth) -> float | None:
    if said is None or isinstance(said, str) or isinstance(truth, str):
        return None
    return abs(said - truth)
