"""River's linear classifiers as matrices: what they predict, and how far a boundary is.

A classifier without weights (a tree, a mixture, a pipeline of the user's own) has no hyperplane and
no distance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from streamal.core.features import Vector
from streamal.core.learners.encoded import Encoded, Table, column_sums, weighted_sums
from streamal.core.learners.river_classes import if_imported

__all__ = ["LinearVotes", "Planes", "logistic_shares"]

#: From here on River's sigmoid is 0 or 1.
_LARGEST_LOGIT: Final = 30.0


#: Weights by column, and the intercept.
_Plane: TypeAlias = tuple[Mapping[Any, float], float]


class Planes:
    """One linear function w . x + b for each class.

    Args:
        names: of the columns.
        weights: shape (classes, columns).
        intercepts: shape (classes,).
    """

    def __init__(self, names: tuple[str, ...], weights: Table, intercepts: Vector) -> None:
        self.names = names
        self.weights = weights
        self.intercepts = intercepts[:, None]

    @classmethod
    def of(
        cls, model: object, codes: Sequence[int], names: tuple[str, ...] | None = None
    ) -> Planes | None:
        """Those of a River classifier for several classes; None when it is not linear.

        Args:
            model: the classifier.
            codes: the classes as River knows them; those that it has no function for are left out.
            names: of the columns to come; None for all that have a weight.
        """
        read = _planes(model, codes)
        if not read:
            return None
        if names is None:
            names = tuple(dict.fromkeys(name for weights, _ in read for name in weights))
        table = [[weights.get(name, 0.0) for name in names] for weights, _ in read]
        intercepts = np.array([intercept for _, intercept in read])
        return cls(names, np.array(table, dtype=np.float64).reshape(len(read), -1), intercepts)

    def __len__(self) -> int:
        return len(self.weights)

    def at(self, columns: Encoded) -> Table:
        """The value of every function, shape (classes, n); NaN where a column is no number."""
        return weighted_sums(self.weights, columns.chosen(self.names)) + self.intercepts

    def boundary_distance(self, columns: Encoded) -> Vector:
        """The distance from each item to the nearest boundary of the region of its class.

        With linear functions f of weights w, the item x belongs to the class t with the largest
        f(x), and min over the others j of (f_t(x) - f_j(x)) / ||w_t - w_j|| is how far it must be
        moved until another class wins.

        Returns:
            At least 0, in units of the columns; NaN when it is not finite.
        """
        with np.errstate(all="ignore"):
            values = self.at(columns)
            best = values.argmax(axis=0)
            nearest = np.full(len(columns), np.inf)
            for code in np.unique(best).tolist():
                items = np.flatnonzero(best == code)
                nearest[items] = self._nearest(code, values[:, items])
            nearest[~np.isfinite(nearest)] = np.nan
        return nearest

    def _nearest(self, code: int, values: Table) -> Vector:
        """Where two classes have the same weights, no move changes the lead."""
        slopes = np.sqrt(np.add.reduce((self.weights[code] - self.weights) ** 2, axis=1))
        others = np.arange(len(self)) != code
        leads, slopes = (values[code] - values)[others], slopes[others, None]
        flat = np.where(leads == 0.0, 0.0, leads * np.inf)
        distances: Table = np.where(slopes > 0.0, leads / slopes, flat)
        nearest: Vector = distances.min(axis=0)
        return nearest

    @classmethod
    def stacked(cls, planes: Sequence[Planes]) -> Planes:
        """Those of several classifiers with the same columns, one after the other."""
        return cls(
            planes[0].names,
            np.concatenate([each.weights for each in planes]),
            np.concatenate([each.intercepts[:, 0] for each in planes]),
        )


class LinearVotes:
    """What a linear classifier of River's predicts for many items.

    Args:
        planes: one function for each class.
        softmax: whether the classes share one distribution; else each has a logistic function.
    """

    def __init__(self, planes: Planes, *, softmax: bool) -> None:
        self.planes = planes
        self.softmax = softmax

    @classmethod
    def of(cls, model: object, codes: Sequence[int], columns: Encoded) -> LinearVotes | None:
        """Those of a classifier; None when it is none that is known to predict so.

        Args:
            model: a River classifier for several classes.
            codes: all classes as River knows them.
            columns: of the items to come.
        """
        softmax = type(model) is _linear("SoftmaxRegression")
        if not softmax and not _has_logistic_functions(model):
            return None
        planes = Planes.of(model, codes, columns.names)
        return None if planes is None or len(planes) < len(codes) else cls(planes, softmax=softmax)

    def __call__(self, columns: Encoded) -> Table:
        """Shares of the classes, shape (classes, n)."""
        logits = self.planes.at(columns)
        if not self.softmax:
            return logistic_shares(logits)
        shares: Table = np.exp(logits - logits.max(axis=0))
        return shares


def logistic_shares(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """River's shares of classes that have a logistic function each; even where none has any.

    Args:
        logits: shape (..., classes, n).
    """
    shares: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-logits))
    small = logits < -_LARGEST_LOGIT
    if small.any():
        shares[small] = 0.0
        shares = np.where((column_sums(shares) == 0.0)[..., None, :], 1.0, shares)
    return shares


def _has_logistic_functions(model: Any) -> bool:  # noqa: ANN401 - River's classes
    if type(model) is not if_imported("river.multiclass", "OneVsRestClassifier"):
        return False
    binary = model.classifier
    if type(binary) in (_linear("LogisticRegression"), _linear("Perceptron")):
        logistic = if_imported("river.optim.losses", "BinaryLoss")
        return type(binary.loss).mean_func is logistic.mean_func
    return type(binary) in (_linear("PAClassifier"), _linear("ALMAClassifier"))


def _planes(model: object, codes: Sequence[int]) -> list[_Plane]:
    """Weights by column and intercept of each class that the classifier has a function for."""
    river: Any = model
    if isinstance(model, _linear("SoftmaxRegression")):
        return [(river.weights[code], 0.0) for code in codes if code in river.weights]
    if not isinstance(model, if_imported("river.multiclass", "OneVsRestClassifier")):
        return []
    # Every class's own classifier is a copy of this one.
    kind, known = river.classifier, river.classifiers
    if isinstance(kind, _linear("ALMAClassifier")):
        return [(known[code].w, 0.0) for code in codes if code in known]
    if isinstance(kind, (if_imported("river.linear_model.base", "GLM"), _linear("PAClassifier"))):
        own = [known[code] for code in codes if code in known]
        return [(each.weights, float(each.intercept)) for each in own]
    return []


def _linear(name: str) -> Any:  # noqa: ANN401 - River's classes
    return if_imported("river.linear_model", name)
