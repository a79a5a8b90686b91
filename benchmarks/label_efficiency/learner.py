"""The learner that every gate teaches: River's, asked about many items at once.

Predicting item by item through dictionaries would take most of the benchmark's time. The model
changes only when a label is learned, so between two labels the same sums are done with numpy, from
the weights and moments that River holds; a test compares both ways.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from river.linear_model import LogisticRegression
from river.multiclass import OneVsRestClassifier
from river.optim import SGD
from river.preprocessing import StandardScaler

__all__ = ["BaseLearner", "Block"]

#: streamal's own default for `logistic_regression`; River's is 0.01, which learns little from few
#: labels whoever chooses them.
RATE = 0.1
#: Importance weights are learned as so many steps at most.
_MOST_STEPS = 50


@dataclass(frozen=True)
class Block:
    """Items that nothing was learned between.

    Attributes:
        start: number of the first.
        rows: (items, columns).
        probabilities: (items, classes); even while fewer than two classes were learned.
        classes_known: how many classes were learned.
        logits: (items, classes): linear functions of the classes.
        squared_norms: (items,): squared length of the scaled rows with a constant.
    """

    start: int
    rows: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    classes_known: int
    logits: NDArray[np.float64]
    squared_norms: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows)


class BaseLearner:
    """River's StandardScaler and one-vs-rest LogisticRegression.

    Args:
        columns: how many features there are.
        classes: how many classes the stream has.
    """

    def __init__(self, columns: int, classes: int) -> None:
        self._scaler = StandardScaler()
        self._model = OneVsRestClassifier(
            LogisticRegression(optimizer=SGD(RATE), intercept_lr=RATE)
        )
        self._columns = columns
        self._known = np.zeros(classes)
        self._means, self._scales = np.zeros(columns), np.zeros(columns)
        self._weights, self._intercepts = np.zeros((columns, classes)), np.zeros(classes)
        #: Labelled items so far: rows and classes.
        self.labelled: list[tuple[NDArray[np.float64], int]] = []

    def learn(self, row: NDArray[np.float64], label: int, weight: float = 1.0) -> None:
        """Learn one labelled item; a weight is learned as so many steps."""
        x = dict(enumerate(row.tolist()))
        self._scaler.learn_one(x)
        scaled = self._scaler.transform_one(x)
        for _ in range(max(1, min(_MOST_STEPS, round(weight)))):
            self._model.learn_one(scaled, label)
        self.labelled.append((row, label))
        self._refresh()

    def predict_one(self, row: NDArray[np.float64]) -> dict[int, float]:
        """River's own answer."""
        scaled = self._scaler.transform_one(dict(enumerate(row.tolist())))
        answer: dict[int, float] = self._model.predict_proba_one(scaled)
        return answer

    def block(self, start: int, rows: NDArray[np.float64]) -> Block:
        """The items with what the learner predicts for them."""
        scaled = (rows - self._means) * self._scales
        logits = scaled @ self._weights + self._intercepts
        votes = self._known / (1.0 + np.exp(-np.clip(logits, -500.0, 500.0)))
        known = int(self._known.sum())
        if known < 2:
            votes = np.ones_like(votes)
        return Block(
            start,
            rows,
            votes / votes.sum(axis=1, keepdims=True),
            known,
            logits,
            (scaled**2).sum(axis=1) + 1.0,
        )

    def _refresh(self) -> None:
        """Copy what River holds."""
        places = range(self._columns)
        self._means = np.array([self._scaler.means[place] for place in places])
        deviations = np.sqrt([self._scaler.vars[place] for place in places])
        self._scales = np.divide(
            1.0, deviations, out=np.zeros_like(deviations), where=deviations > 0.0
        )
        for label, binary in self._model.classifiers.items():
            weights = binary.weights
            self._weights[:, label] = [weights[place] for place in places]
            self._intercepts[label] = binary.intercept
            self._known[label] = 1.0
