"""How unsure production is of what is more than one class: sequences and detections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from itertools import chain
from types import MappingProxyType
from typing import ClassVar, Final

import numpy as np

from streamal.core.batch import Batch, Matrix, Rows
from streamal.core.features import Vector
from streamal.core.strategies.base import MAXIMUM, Strategy, within_unit
from streamal.core.strategies.uncertainty import entropy_of, least_confidence_of, margin_of
from streamal.core.types import Probabilities


class MaximumNormalisedLogProbability(Strategy):
    """How unsure production is of a sequence: a text, a tagging, a transcription (MNLP).

    The probability of a whole sequence shrinks with its length, so least confidence would ask about
    the longest. Here the length does not count: a sequence is as doubtful as its tokens are in the
    geometric mean.

    Formula:
        1 - exp(sum(log(p)) / n) over the probabilities p that production gave to the n tokens that
        it chose. The order is that of the paper's -sum(log(p)) / n.

    Range:
        0 when production was sure of every token, 1 when it ruled out one of the tokens that it
        chose, or where an event has no token probabilities.

    Examples:
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> short = Production("ok", token_probabilities=(0.9, 0.4))
        >>> long = Production("ok", token_probabilities=(0.9, 0.9, 0.9, 0.9, 0.9, 0.4))
        >>> batch = Batch.of([Context("e1", {}, short), Context("e2", {}, long)])
        >>> MaximumNormalisedLogProbability().score(batch).round(3)
        array([0.4  , 0.214])

    References:
        Shen, Y., Yun, H., Lipton, Z. C., Kronrod, Y., and Anandkumar, A. (2018). Deep active
        learning for named entity recognition. ICLR 2018; section 4.
    """

    name: ClassVar[str] = "maximum_normalised_log_probability"

    def score(self, batch: Batch) -> Vector:
        """See the class."""
        scores = np.full(len(batch), MAXIMUM)
        sequences = batch.production.token_probabilities or ()
        sizes = _sizes(sequences)
        rows = np.flatnonzero(sizes)
        if len(rows):
            tokens = np.fromiter(chain.from_iterable(sequences), np.float64, int(sizes.sum()))
            with np.errstate(divide="ignore", invalid="ignore"):  # impossible tokens
                np.log(tokens, out=tokens)
            means = np.add.reduceat(tokens, _starts(sizes[rows])) / sizes[rows]
            scores[rows] = within_unit(1.0 - np.exp(means))
        return scores


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
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> clear, doubtful = {"car": 0.95, "": 0.05}, {"car": 0.6, "van": 0.4}
        >>> batch = Batch.of([Context("e1", {}, Production("ok", objects=(clear, doubtful)))])
        >>> ObjectUncertainty().score(batch).round(3)
        array([0.8])
        >>> ObjectUncertainty(aggregation=Aggregation.MEAN).score(batch).round(3)
        array([0.45])

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

    def score(self, batch: Batch) -> Vector:
        """See the class."""
        scores = np.full(len(batch), MAXIMUM)
        published = batch.production.objects or ()
        for row, objects in enumerate(published):
            if objects is not None:
                scores[row] = 0.0
        sizes = _sizes([objects or () for objects in published])
        rows = np.flatnonzero(sizes)
        if len(rows):
            doubts = self._doubts([found for objects in published for found in objects or ()])
            scores[rows] = within_unit(self._aggregated(doubts, sizes[rows]))
        return scores

    def _doubts(self, objects: Sequence[Probabilities]) -> Vector:
        """The doubt about each object; it does not depend on what the classes are."""
        doubts = np.empty(len(objects))
        sizes = _sizes(objects)
        for size in np.unique(sizes).tolist():
            rows = np.flatnonzero(sizes == size)
            numbers = chain.from_iterable(objects[row].values() for row in rows.tolist())
            p = np.fromiter(numbers, np.float64, len(rows) * size).reshape(-1, size)
            doubts[rows] = self._doubt(p)
        return doubts

    def _aggregated(self, doubts: Vector, sizes: Rows) -> Vector:
        """One number per item of those of its objects, which stand together."""
        if self.aggregation is Aggregation.MAX:
            return np.maximum.reduceat(doubts, _starts(sizes))
        total: Vector = np.add.reduceat(doubts, _starts(sizes))
        if self.aggregation is Aggregation.MEAN:
            return total / sizes
        return total / (1.0 + total)


def _sizes(groups: Sequence[Sequence[object] | Mapping[str, float]]) -> Rows:
    return np.fromiter(map(len, groups), np.intp, len(groups))


def _starts(sizes: Rows) -> Rows:
    """Where the group of each item begins among all of their values."""
    starts: Rows = np.cumsum(sizes) - sizes
    return starts


_DOUBTS: Final[Mapping[Measure, Callable[[Matrix], Vector]]] = MappingProxyType(
    {
        Measure.MARGIN: margin_of,
        Measure.LEAST_CONFIDENCE: least_confidence_of,
        Measure.ENTROPY: entropy_of,
    }
)
