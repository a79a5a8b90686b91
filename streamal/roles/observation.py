"""What a gate counts of events for data drift: features, and what production said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt
from typing import Final

import numpy as np

from streamal.core.assess import Items
from streamal.core.batch import Distributions
from streamal.core.drift import FEATURE, Summary
from streamal.core.features import Vector
from streamal.core.strategies import JensenShannon
from streamal.core.strategies.base import opinions
from streamal.core.types import FeatureValue

_DISAGREEMENT: Final = JensenShannon()
#: What counts as a number for data drift; booleans are categories.
_NUMBERS: Final = frozenset({float, int})


@dataclass(frozen=True, slots=True)
class Observing:
    """Reads the variables of events.

    The online model's own opinion is not among them: it changes as the model learns, which is no
    drift.

    Attributes:
        features: watched features; empty for all.
        max_features: most features; of more, the alphabetically first.
        bins: most bins per variable.
    """

    features: frozenset[str]
    max_features: int
    bins: int

    def summary(self) -> Summary:
        """An empty summary of these bounds."""
        return Summary(self.bins, self.max_features)

    def columns(self, items: Items) -> dict[str, Vector | Sequence[FeatureValue]]:
        """Variable to the values that the items have of it; arrays hold numbers only."""
        found: dict[str, Vector | Sequence[FeatureValue]] = {
            FEATURE + name: self._values(items, name) for name in self._watched(items)
        }
        said = items.production
        found["class"] = list(said.labels)
        found["value"] = _known(said.values)
        found["uncertainty"] = _uncertainty(said.probabilities)
        found["disagreement"] = disagreement(items)
        return {name: values for name, values in found.items() if _any(values)}

    def _watched(self, items: Items) -> list[str]:
        names = items.features.kinds
        return [name for name in names if not self.features or name in self.features]

    @staticmethod
    def _values(items: Items, name: str) -> Vector | Sequence[FeatureValue]:
        features = items.features
        if features.kinds[name] <= _NUMBERS and name not in features.missing:
            return features.numbers[name]
        return [row.get(name) for row in features.rows]


def _any(values: Vector | Sequence[FeatureValue]) -> bool:
    if isinstance(values, np.ndarray):
        return bool(values.size)
    return any(value is not None for value in values)


def _known(values: Vector) -> Vector:
    return values[~np.isnan(values)]


def _uncertainty(said: Distributions) -> Vector:
    """1 - the largest probability: bins are fine near 0, where doubts of 0.01 and 0.001 differ."""
    found = [1.0 - block.p.max(axis=1) for block in said.blocks]
    return np.concatenate(found) if found else np.zeros(0)


def disagreement(items: Items) -> Vector:
    """How much the members of production's own ensemble disagree, about each item that has two.

    Jensen-Shannon divergence of classes; of numbers their standard deviation, in the truth's unit.
    """
    if not items.members:
        return np.zeros(0)
    values = items.production.values
    numeric = [number for number in range(len(items)) if not np.isnan(values[number])]
    spreads = [_spread(items.numbers(number)) for number in numeric]
    found = [np.array([spread for spread in spreads if spread is not None], dtype=np.float64)]
    for rows, p in opinions(items.distributions(), len(items)):
        classified = np.isnan(values[rows])
        found.append(np.clip(_DISAGREEMENT.disagreement(p[classified]), 0.0, 1.0))
    return np.concatenate(found)


def _spread(numbers: list[float]) -> float | None:
    if len(numbers) < 2:
        return None
    mean = fsum(numbers) / len(numbers)
    try:
        return sqrt(fsum([(number - mean) ** 2 for number in numbers]) / len(numbers))
    except OverflowError:
        return None
