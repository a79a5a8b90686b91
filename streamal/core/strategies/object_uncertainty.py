"""Object uncertainty: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from math import fsum, log
from types import MappingProxyType
from typing import ClassVar, Final

from streamal.core.strategies.base import MAXIMUM, Strategy, within_unit
from streamal.core.types import Context, Probabilities

__all__ = ["Aggregation", "Measure", "ObjectUncertainty"]


class Measure(StrEnum):
    """How the doubt about one object is measured."""

    MARGIN = "margin"
    LEAST_CONFIDENCE = "least_confidence"
    ENTROPY = "entropy"


class Aggregation(StrEnum):
    """How the doubts about all objects become one score."""

    MAX = "max"
    MEAN = "mean"
    SUM = "sum"


class ObjectUncertainty(Strategy):
    """How unsure a detector is of the objects that it found in an image.

    `max` asks where any object is doubtful, `sum` also prefers images with many of them, which
    teach more each but take reviewers longer; `mean` is fair to both. Objects that the detector
    missed altogether show in no score: the exploration floor finds those.

    Formula:
        u = 1 - (p1 - p2), (1 - p1) * K / (K - 1) or -sum(p * log(p)) / log(K) of each object, by
        `measure`, over its K class probabilities; an object that has a score s only has the
        probabilities s and 1 - s. Then max(u), sum(u) / n, or S / (1 + S) with S = sum(u), which
        keeps the order of the sums.

    Range:
        0 when all objects are certain or none was found, 1 when, with `max` and `mean`, all are
        undecided; below 1 with `sum`; 1 where an event has no list of objects.

    Args:
        measure: of the doubt about one object.
        aggregation: of the doubts about all.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> clear, doubtful = {"car": 0.95, "": 0.05}, {"car": 0.6, "van": 0.4}
        >>> context = Context("e1", {}, Production("ok", objects=(clear, doubtful)))
        >>> round(ObjectUncertainty().score(context), 3)
        0.8
        >>> round(ObjectUncertainty(aggregation=Aggregation.MEAN).score(context), 3)
        0.45

    References:
        Brust, C.-A., Kading, C., and Denzler, J. (2019). Active learning for deep object detection.
        VISAPP 2019, 181-190: 1-vs-2 margins with maximum, average and sum. S / (1 + S) is ours.
    """

    name: ClassVar[str] = "object_uncertainty"

    def __init__(
        self, measure: Measure = Measure.MARGIN, aggregation: Aggregation = Aggregation.MAX
    ) -> None:
        self.measure = measure
        self.aggregation = aggregation
        self._doubt = _DOUBTS[measure]

    def score(self, context: Context) -> float:
        """See the class."""
        objects = context.production.objects
        if objects is None:
            return MAXIMUM
        if not objects:
            return 0.0
        return within_unit(self._aggregated([self._doubt(found) for found in objects]))

    def _aggregated(self, doubts: list[float]) -> float:
        if self.aggregation is Aggregation.MAX:
            return max(doubts)
        total = fsum(doubts)
        if self.aggregation is Aggregation.MEAN:
            return total / len(doubts)
        return total / (1.0 + total)


def _margin(probabilities: Probabilities) -> float:
    second, first = sorted(probabilities.values())[-2:]
    return 1.0 - (first - second)


def _least_confidence(probabilities: Probabilities) -> float:
    classes = len(probabilities)
    return (1.0 - max(probabilities.values())) * classes / (classes - 1)


def _entropy(probabilities: Probabilities) -> float:
    terms = [p * log(p) for p in probabilities.values() if p > 0.0]
    return max(0.0, -fsum(terms)) / log(len(probabilities))


_DOUBTS: Final[Mapping[Measure, Callable[[Probabilities], float]]] = MappingProxyType(
    {
        Measure.MARGIN: _margin,
        Measure.LEAST_CONFIDENCE: _least_confidence,
        Measure.ENTROPY: _entropy,
    }
)
