"""How far an item lies from the boundary between two classes of a linear classifier.

Reads the weights of River's linear models. A classifier without them (a tree, a mixture, a pipeline
of the user's own) has no hyperplane and no distance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, isfinite, sqrt
from typing import Any

from streamal.core.learners.river_classes import if_imported

__all__ = ["boundary_distance"]


@dataclass(frozen=True, slots=True)
class _Plane:
    """One class's linear function: w . x + b."""

    weights: Mapping[str, float]
    intercept: float

    def at(self, columns: Mapping[str, Any]) -> float:
        terms = [w * columns[name] for name, w in self.weights.items() if name in columns]
        return fsum(terms) + self.intercept

    def distance_of_weights(self, other: _Plane) -> float:
        names = dict.fromkeys((*self.weights, *other.weights))
        mine, theirs = self.weights.get, other.weights.get
        return sqrt(fsum([(mine(name, 0.0) - theirs(name, 0.0)) ** 2 for name in names]))


def boundary_distance(
    model: object, columns: Mapping[str, Any], codes: Sequence[int]
) -> float | None:
    """The distance from an item to the nearest boundary of the region that its class is given.

    With linear functions f of weights w, the item x belongs to the class t with the largest f(x),
    and min over the others j of (f_t(x) - f_j(x)) / ||w_t - w_j|| is how far it must be moved until
    another class wins.

    Args:
        model: a River classifier for several classes.
        columns: numbers by column, as the model learned them.
        codes: the classes as River knows them.

    Returns:
        At least 0, in units of the columns; None when the model is not linear, knows fewer than two
        classes, or the distance is not finite.
    """
    planes = [plane for code in codes if (plane := _plane(model, code)) is not None]
    if len(planes) < 2:
        return None
    values = [plane.at(columns) for plane in planes]
    best = max(range(len(planes)), key=values.__getitem__)
    nearest = min(
        _distance(values[best] - value, planes[best].distance_of_weights(plane))
        for number, (value, plane) in enumerate(zip(values, planes, strict=True))
        if number != best
    )
    return nearest if isfinite(nearest) else None


def _distance(lead: float, slope: float) -> float:
    """Where two classes have the same weights, no move changes the lead."""
    if slope > 0.0:
        return lead / slope
    return 0.0 if lead == 0.0 else float("inf")


def _plane(model: object, code: int) -> _Plane | None:
    if isinstance(model, if_imported("river.linear_model", "SoftmaxRegression")):
        return _Plane(dict(model.weights[code].items()), 0.0) if code in model.weights else None
    one_vs_rest = if_imported("river.multiclass", "OneVsRestClassifier")
    if not isinstance(model, one_vs_rest) or code not in model.classifiers:
        return None
    binary = model.classifiers[code]
    if isinstance(binary, if_imported("river.linear_model", "ALMAClassifier")):
        return _Plane(binary.w, 0.0)
    sloped = (
        if_imported("river.linear_model.base", "GLM"),
        if_imported("river.linear_model", "PAClassifier"),
    )
    if isinstance(binary, sloped):
        return _Plane(binary.weights, float(binary.intercept))
    return None
