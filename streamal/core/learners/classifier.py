"""A River classifier behind a contract: text labels in, proper probabilities out, or nothing."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from river.base import Classifier
from river.compose import Pipeline

from streamal.core.learners.hyperplane import boundary_distance
from streamal.core.learners.river_classes import if_imported
from streamal.core.types import NOTHING, Probabilities
from streamal.errors import Reject

__all__ = ["GuardedClassifier", "RiverModel", "takes_weight"]

RiverModel: TypeAlias = "Classifier | Pipeline"

#: Memory and the cost of a prediction grow with each class, and a review tool that sends free text
#: as labels would make a class of every answer.
MAX_CLASSES = 1000

#: What arithmetic on odd data raises. Anything else is a defect and must surface.
_ODD_DATA = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


def takes_weight(model: RiverModel) -> bool:
    """Whether `learn_one` makes use of a sample weight `w`."""
    if isinstance(model, Pipeline):
        return takes_weight(next(reversed(model.steps.values())))
    if isinstance(model, if_imported("river.multiclass", "OneVsRestClassifier")):
        return takes_weight(model.classifier)
    return "w" in inspect.signature(model.learn_one).parameters


class GuardedClassifier:
    """A River classifier whose output can be relied on.

    Classes reach River as small integers in order of appearance: their hashes are the same in every
    process, and River keeps classes in sets, so text would make the order of sums, and with it the
    last bits of a probability, differ between replicas. A classifier for two classes only is put
    into a one-vs-rest, so that classes may appear over time.

    Args:
        model: any River classifier, or a pipeline that ends in one, that has learned nothing.
    """

    def __init__(self, model: RiverModel) -> None:
        weighted = takes_weight(model)
        self._model = model if model._multiclass else _one_vs_rest(model)  # noqa: SLF001 - River's only way to say so
        self._weighted = weighted
        #: Class to the code that River knows it by.
        self._codes: dict[str, int] = {}

    def predict_proba(self, columns: Mapping[str, Any]) -> Probabilities:
        """Finite, non-negative probabilities summing to 1, in order of appearance; or nothing.

        Empty before the first label, and when River's answer is empty, all zero or not finite, or
        it cannot work with these columns.
        """
        if not self._codes:
            return NOTHING
        try:
            raw = self._model.predict_proba_one(columns)
            votes = [float(raw.get(code, 0.0)) for code in self._codes.values()]
        except _ODD_DATA:
            return NOTHING
        shares = [max(vote, 0.0) for vote in votes]  # NaN stays and spoils the total
        total = math.fsum(shares)
        if not 0.0 < total < math.inf:
            return NOTHING
        return {label: p / total for label, p in zip(self._codes, shares, strict=True)}

    def boundary_distance(self, columns: Mapping[str, Any]) -> float | None:
        """See `Learner.boundary_distance`."""
        if len(self._codes) < 2:
            return None
        try:
            return boundary_distance(self._model, columns, tuple(self._codes.values()))
        except _ODD_DATA:
            return None

    def learn(
        self, columns: Mapping[str, Any], label: str, *, weight: float = 1.0, copies: int = 1
    ) -> None:
        """Learn one item.

        Args:
            columns: as the classifier expects them.
            label: the true class.
            weight: importance, > 0; has no effect on a classifier that takes no weights.
            copies: how often the item is learned, >= 1; one weighted step where weights are taken.

        Raises:
            Reject: `unlearnable`, when River cannot work with these columns, or the label would be
                one class too many.
        """
        code = self._codes.get(label, len(self._codes))
        if code >= MAX_CLASSES:
            raise Reject("unlearnable", f"{label!r} would be class {code + 1}")
        try:
            if self._weighted:
                self._model.learn_one(columns, code, w=weight * copies)
            else:
                for _ in range(copies):
                    self._model.learn_one(columns, code)
        except _ODD_DATA as error:
            name = type(self._model).__name__
            raise Reject("unlearnable", f"{name}: {type(error).__name__}: {error}") from error
        self._codes[label] = code


def _one_vs_rest(model: RiverModel) -> RiverModel:
    from river.multiclass import OneVsRestClassifier  # noqa: PLC0415 - see `river_classes`

    return OneVsRestClassifier(model)
