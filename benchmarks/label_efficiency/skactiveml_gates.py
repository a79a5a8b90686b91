"""The stream strategies of scikit-activeml 1.x, each with its default budget manager."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skactiveml.base import SkactivemlClassifier
from skactiveml.stream import (
    CognitiveDualQueryStrategyFixUn,
    CognitiveDualQueryStrategyRan,
    CognitiveDualQueryStrategyRanVarUn,
    CognitiveDualQueryStrategyVarUn,
    FixedUncertainty,
    PeriodicSampling,
    RandomVariableUncertainty,
    Split,
    StreamDensityBasedAL,
    StreamProbabilisticAL,
    StreamRandomSampling,
    VariableUncertainty,
)
from skactiveml.stream.budgetmanager import BalancedIncrementalQuantileFilter

from benchmarks.label_efficiency.gate import Choice, Entrant, Task
from benchmarks.label_efficiency.learner import BaseLearner, Block

__all__ = ["ENTRANTS"]

#: Labelled items among which StreamProbabilisticAL counts the frequency of labels near an item.
_NEAR = 500


class _Oracle(SkactivemlClassifier):  # type: ignore[misc]  # scikit-activeml is untyped to mypy
    """The base learner's predictions for the block at hand, as their interface wants them."""

    def __init__(self, classes: list[int]) -> None:
        super().__init__(classes=classes)
        self.block: Block | None = None
        self.learner: BaseLearner | None = None

    def fit(self, X: object, y: object, sample_weight: object = None) -> _Oracle:  # noqa: ARG002, N803  their interface
        return self

    def predict_proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: N803  same
        """For a block, or for one of its items where they ask one by one."""
        assert self.block is not None  # noqa: S101  set before every query
        if len(X) == len(self.block):
            return self.block.probabilities
        place = int(np.flatnonzero((self.block.rows == X[0]).all(axis=1))[0])
        return self.block.probabilities[place : place + 1]

    def predict_freq(self, X: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: N803  same
        """The probabilities, times a Gaussian kernel count of the latest labelled items."""
        assert self.block is not None  # noqa: S101  same
        assert self.learner is not None  # noqa: S101  same
        shares = self.predict_proba(X)
        labelled = [row for row, _ in self.learner.labelled[-_NEAR:]]
        if not labelled:
            return np.zeros_like(shares)
        rows = np.array(labelled)
        scales = np.where(rows.std(axis=0) > 0.0, rows.std(axis=0), 1.0)
        apart = ((X[:, None, :] - rows[None]) / scales) ** 2
        counts: NDArray[np.float64] = np.exp(-apart.mean(axis=2)).sum(axis=1)
        return shares * counts[:, None]


class _Theirs:
    def __init__(self, strategy: Any, task: Task, *, asks: bool, utilities: bool) -> None:  # noqa: ANN401  untyped
        self._strategy = strategy
        self._oracle = _Oracle(list(range(task.stream.classes)))
        self._oracle.learner = task.learner
        self._asks = asks
        self._utilities = utilities

    def first(self, block: Block) -> Choice:
        """Their `query` previews a block; `update` commits what of it was used."""
        self._oracle.block = block
        given = {"clf": self._oracle} if self._asks else {}
        asked, utilities = self._strategy.query(block.rows, **given, return_utilities=True)
        found = len(asked) > 0
        decided = int(asked[0]) + 1 if found else len(block)
        extra = {"utilities": utilities[:decided]} if self._utilities else None
        self._strategy.update(
            block.rows[:decided],
            np.array([decided - 1] if found else [], dtype=int),
            **({"budget_manager_param_dict": extra} if extra else {}),
        )
        return Choice(decided, ask=found)


def _entrant(
    name: str,
    strategy: Callable[[Task], Any],
    *,
    draws: bool,
    asks: bool = True,
    utilities: bool = False,
    slow: bool = False,
    alone: bool = False,
) -> Entrant:
    return Entrant(
        name,
        "scikit-activeml",
        lambda task: _Theirs(strategy(task), task, asks=asks, utilities=utilities),
        draws=draws,
        slow=slow or alone,
        alone=alone,
    )


def _plain(kind: Any) -> Callable[[Task], Any]:  # noqa: ANN401  untyped
    return lambda task: kind(budget=task.budget, random_state=task.seed)


def _with_classes(kind: Any) -> Callable[[Task], Any]:  # noqa: ANN401  untyped
    return lambda task: kind(
        classes=list(range(task.stream.classes)), budget=task.budget, random_state=task.seed
    )


def _filtered(task: Task) -> Any:  # noqa: ANN401  untyped
    manager = BalancedIncrementalQuantileFilter(budget=task.budget)
    return VariableUncertainty(budget_manager=manager, random_state=task.seed)


ENTRANTS = (
    _entrant("StreamRandomSampling", _plain(StreamRandomSampling), draws=True, asks=False),
    _entrant("PeriodicSampling", _plain(PeriodicSampling), draws=False, asks=False),
    _entrant("FixedUncertainty", _with_classes(FixedUncertainty), draws=False),
    _entrant("VariableUncertainty", _plain(VariableUncertainty), draws=False),
    _entrant("RandomVariableUncertainty", _plain(RandomVariableUncertainty), draws=True),
    _entrant("Split", _plain(Split), draws=True),
    _entrant(
        "uncertainty, BalancedIncrementalQuantileFilter", _filtered, draws=False, utilities=True
    ),
    _entrant("StreamProbabilisticAL", _plain(StreamProbabilisticAL), draws=False, utilities=True),
    _entrant("StreamDensityBasedAL", _plain(StreamDensityBasedAL), draws=True, slow=True),
    # Asked about several items they fail: `update` counts the queried among the dense ones only.
    _entrant(
        "CognitiveDualQueryStrategyFixUn",
        _with_classes(CognitiveDualQueryStrategyFixUn),
        draws=False,
        alone=True,
    ),
    _entrant(
        "CognitiveDualQueryStrategyRan",
        _plain(CognitiveDualQueryStrategyRan),
        draws=True,
        alone=True,
    ),
    _entrant(
        "CognitiveDualQueryStrategyVarUn",
        _plain(CognitiveDualQueryStrategyVarUn),
        draws=False,
        alone=True,
    ),
    _entrant(
        "CognitiveDualQueryStrategyRanVarUn",
        _plain(CognitiveDualQueryStrategyRanVarUn),
        draws=True,
        alone=True,
    ),
)
