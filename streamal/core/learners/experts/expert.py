"""The one interface that every expert of the mixture implements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Expert", "Lesson", "Vector", "View", "grown"]

Vector: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class View:
    """One item as the experts see it. Both vectors begin with a constant 1.

    Attributes:
        plain: scaled columns, k + 1 numbers.
        shifted: `plain`, then the scaled distance of each column from the level of the latest
            labelled items, 2 k + 1 numbers.
    """

    plain: Vector
    shifted: Vector


@dataclass(frozen=True, slots=True)
class Lesson:
    """One labelled item.

    Attributes:
        view: the item as it was predicted, in the scale that includes it.
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

    Survives `pickle`; predicting changes no state.
    """

    @abstractmethod
    def learn(self, lesson: Lesson) -> None:
        """Learn one labelled item; classes and columns may have been added since the last."""

    @abstractmethod
    def predict(self, view: View) -> Vector:
        """One number >= 0 per class known, with a positive sum; only after the first `learn`."""


def grown(array: Vector, *shape: int) -> Vector:
    """The array with zeros at the end of every axis that is shorter than `shape`."""
    if array.shape == shape:
        return array
    larger = np.zeros(shape)
    larger[tuple(slice(0, length) for length in array.shape)] = array
    return larger
