"""River's nearest neighbours for many items at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.neighbors import KNNClassifier, LazySearch
from river.utils.vectordict import euclidean_distance_tuple

from streamal.core.learners.encoded import Encoded, Table
from streamal.core.learners.nearest import nearest

__all__ = ["NeighbourVotes", "is_plain_search", "kept_items"]


class NeighbourVotes:
    """What a `KNNClassifier` of River's predicts.

    Args:
        kept: shape (kept items, columns), the oldest first.
        codes: class of each kept item, counted from 0.
        classes: how many there are.
        count: how many neighbours vote, >= 1.
        weighted: whether votes weigh the inverse of the distance.
    """

    def __init__(
        self,
        kept: NDArray[np.float64],
        codes: NDArray[np.intp],
        *,
        classes: int,
        count: int,
        weighted: bool,
    ) -> None:
        self._kept = kept
        self._codes = codes
        self._classes = classes
        self._count = count
        self._weighted = weighted

    @classmethod
    def of(
        cls, model: KNNClassifier, codes: Sequence[int], columns: Encoded
    ) -> NeighbourVotes | None:
        """Those of a classifier; None when it searches or votes in a way of its own.

        Args:
            model: the classifier.
            codes: all classes as River knows them.
            columns: of the items to come; no kept item has others.
        """
        if model.softmax or not is_plain_search(model._nn):  # noqa: SLF001 - River keeps it there
            return None
        kept, labels = kept_items(model._nn, columns.names)  # noqa: SLF001 - as above
        places = {code: place for place, code in enumerate(codes)}
        return cls(
            kept,
            np.array([places[label] for label in labels], dtype=np.intp),
            classes=len(codes),
            count=model.n_neighbors,
            weighted=model.weighted,
        )

    def __call__(self, columns: Encoded) -> Table:
        """Shares of the classes, shape (classes, n); the oldest item at distance 0 decides."""
        items, places, distances = nearest(self._kept, columns.table, self._count)
        votes = 1.0 / distances if self._weighted else np.ones(len(distances))
        same = np.flatnonzero(distances == 0.0)
        if len(same):
            decided, first = np.unique(items[same], return_index=True)
            votes[np.isin(items, decided)] = 0.0
            votes[same[first]] = 1.0
        size = len(columns) * self._classes
        counts = np.bincount(items * self._classes + self._codes[places], votes, minlength=size)
        return np.ascontiguousarray(counts.reshape(len(columns), self._classes).T)


def is_plain_search(engine: Any) -> bool:  # noqa: ANN401 - River's classes
    """Whether a search of River's goes through all kept items by Euclidean distance."""
    return type(engine) is LazySearch and engine.dist_func is euclidean_distance_tuple


def kept_items(engine: LazySearch, names: Sequence[str]) -> tuple[NDArray[np.float64], list[Any]]:
    """What a search of River's has kept: shape (kept items, names), and the answers."""
    pairs = [entry[0] for entry in engine.window]
    table = [[columns.get(name, 0.0) for name in names] for columns, _ in pairs]
    kept = np.array(table, dtype=np.float64).reshape(len(pairs), len(names))
    return kept, [answer for _, answer in pairs]
