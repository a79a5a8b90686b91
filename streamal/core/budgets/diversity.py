"""Picking items that are good and unlike one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamal.core.chance import draw
from streamal.core.types import Candidate, Features

__all__ = ["diverse_order"]

#: Numeric features that are compared, in order of appearance; as many as the strategies compare.
_MOST_FEATURES: Final = 64
#: Values beyond this would overflow when squared.
_LARGEST: Final = 1e150
#: Standard deviations at which values are clipped, so that one wild feature does not drown others.
_LIMIT: Final = 4.0
#: Decimals of a marginal value: sums in other orders, on other processors, agree to more than that.
_DECIMALS: Final = 9

_Matrix = NDArray[np.float64]


def diverse_order(candidates: Sequence[Candidate], picks: int, diversity: float) -> list[int]:
    """The positions of the best candidates, in the order in which they are picked.

    Each pick is the largest score * (1 - diversity * c), where c is the largest 1 / (1 + d) to one
    picked before, with d the root mean square distance per feature in standard deviations. Among
    equals the hash of the event decides. Takes picks * candidates * features steps.

    Args:
        candidates: to choose from.
        picks: how many to pick, at most all.
        diversity: weight of being unlike those picked before, in [0, 1].
    """
    scores = np.array([candidate.score for candidate in candidates], np.float64)
    ties = np.array([draw(0, candidate.event_id, "tie") for candidate in candidates])
    points = _points([candidate.features for candidate in candidates]) if diversity else None
    closeness = np.zeros(len(candidates))
    left = np.ones(len(candidates), bool)
    order: list[int] = []
    for _ in range(picks):
        values = np.where(left, np.round(scores * (1.0 - diversity * closeness), _DECIMALS), -1.0)
        best = np.flatnonzero(values == values.max())
        number = int(best[np.argmin(ties[best])])
        order.append(number)
        left[number] = False
        if points is not None:
            closeness = np.maximum(closeness, _closeness(points, number))
    return order


def _closeness(points: _Matrix, number: int) -> NDArray[np.float64]:
    """1 / (1 + d) of every point to one of them."""
    difference = points - points[number]
    squares = np.einsum("ij,ij->i", difference, difference) / max(1, points.shape[1])
    closeness: NDArray[np.float64] = 1.0 / (1.0 + np.sqrt(squares))
    return closeness


def _points(features: Sequence[Features]) -> _Matrix | None:
    """Numbers and booleans, standardised over the window; the mean where there is none."""
    names: dict[str, None] = {}
    for each in features:
        names.update(dict.fromkeys(name for name, value in each.items() if _is_number(value)))
    columns = [
        [_number(each.get(name)) for each in features] for name in list(names)[:_MOST_FEATURES]
    ]
    if not columns:
        return None
    matrix = np.array(columns, np.float64).T
    known = ~np.isnan(matrix)
    mean = np.where(known, matrix, 0.0).sum(axis=0) / known.sum(axis=0)
    centred = np.where(known, matrix - mean, 0.0)
    deviation = np.sqrt((centred**2).sum(axis=0) / known.sum(axis=0))
    # A constant column tells nobody apart.
    scaled = centred / np.where(deviation > 0.0, deviation, 1.0)
    return np.clip(scaled, -_LIMIT, _LIMIT)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and -_LARGEST < value < _LARGEST


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and _is_number(value) else np.nan
