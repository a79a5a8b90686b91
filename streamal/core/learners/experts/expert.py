"""The one interface that every expert of the mixture implements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from streamal.core.features import Vector
from streamal.core.learners.encoded import Table

__all__ = ["Expert", "Lesson", "View", "grown"]


@dataclass(frozen=True, slots=True)
class View:
    """Items to predict, at least two, as the experts see them. Both begin with a row of ones.

    Attributes:
        plain: scaled columns, shape (k + 1, n).
        shifted: the same, and after each column its scaled distance from the level of the latest
            labelled items, shape (2 k + 1, n). A new column comes last here too.
    """

    plain: Table
    shifted: Table


@dataclass(frozen=True, slots=True)
class Lesson:
    """One labelled item.

    Attributes:
        view: the item as it was predicted, in the scale that includes it; a batch of one.
        raw: its columns unscaled, k numbers.
        mean: of each column so far, k numbers.
        scale: of each column so far: 1 / standard deviation, 0 while it never varied; k numbers.
        code: the true class, in [0, classes).
        classes: how many are known, this one included.
        weight: importance, > 0; 1 counts once.
    """

    view: View
    raw: Vector
    mean: Vector
    scale: Vector
    code: int
    classes: int
    weight: float


class Expert(ABC):
    """A small incremental classifier over vectors that may grow at their end.

    Survives `pickle`; predicting changes no state, and no item's prediction depends, to the last
    bit, on the items beside it.
    """

    @abstractmethod
    def learn(self, lesson: Lesson) -> None:
        """Learn one labelled item; classes and columns may have been added since the last."""

    @abstractmethod
    def predict(self, view: View) -> Table:
        """Shape (classes known, n), numbers >= 0 with a positive sum; after the first `learn`."""


def grown(array: Vector, *shape: int) -> Vector:
    """The array with zeros at the end of every axis that is shorter than `shape`."""
    if array.shape == shape:
        return array
    larger = np.zeros(shape)
    larger[tuple(slice(0, length) for length in array.shape)] = array
    return larger
