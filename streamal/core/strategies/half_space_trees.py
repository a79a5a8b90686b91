"""Half-space trees: one class per file, see `streamal.core.strategies`.

The one strategy that imports River.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log2
from typing import Annotated, ClassVar, Final, Protocol, cast

from river.anomaly import HalfSpaceTrees as RiverTrees

from streamal.core.parameters import Range
from streamal.core.strategies.base import ANY_TASK, MAXIMUM, Strategy, within_unit
from streamal.core.strategies.running_scale import RunningScale
from streamal.core.types import Context, Features, JsonState, Task

__all__ = ["HalfSpaceTrees"]

#: Replicas and restarts grow the same trees.
_SEED: Final = 1


class HalfSpaceTrees(Strategy):
    """How rare the item's region of the feature space was in the recent past (novelty).

    Finds what the model was never shown, however sure of it the model is: new devices, broken
    sensors, edge cases. It does not look at the model at all, so on its own it also asks about
    rare items that everybody gets right; combine it. Looks at numbers and booleans only. Its cost
    grows with the number of trees: tens of microseconds per item at the default.

    Formula:
        1 - log2((1 + u) / 2) / h with u the mean over the trees of sum over the levels k of
        2^k * m_k / W, where m_k is the number of items of the last full window of W that were in
        the item's half-space at depth k of h; a tree is left where fewer than W / 10 were. u is
        (1 - River's score) * (2^(h + 1) - 1): the order is River's, the logarithm undoes its
        crowding just below 1. Features are standardised, and clipped at 4 deviations.

    Range:
        0 when all of the last window were where the item is, 1 when none were anywhere near. 1 too
        during the first window, after a feature appears that was never seen before (the trees are
        grown anew), and for an item that has none of the known features.

    Args:
        n_trees: number of trees.
        height: halvings from root to leaf.
        window: how many items make one window.

    Examples:
        >>> from streamal.core.types import Context, Production
        >>> strategy = HalfSpaceTrees(window=100)
        >>> for number in range(200):
        ...     past = {"x": float(number % 10), "y": float(number % 7)}
        ...     strategy.commit(Context("past", past, Production()))
        >>> typical = Context("e1", {"x": 5.0, "y": 3.0}, Production())
        >>> novel = Context("e2", {"x": 50.0, "y": -20.0}, Production())
        >>> strategy.score(typical) < strategy.score(novel)
        True

    References:
        Tan, S. C., Ting, K. M., and Liu, T. F. (2011). Fast anomaly detection for streaming data.
        IJCAI 2011, 1511-1516.
    """

    name: ClassVar[str] = "half_space_trees"

    def __init__(
        self,
        n_trees: Annotated[int, Range(1, 20)] = 10,
        height: Annotated[int, Range(2, 7)] = 6,
        window: Annotated[int, Range(10, 1000)] = 250,
    ) -> None:
        self.n_trees = n_trees
        self.height = height
        self.window = window
        self._scale = RunningScale()
        self._trees = self._grown()

    @property
    def tasks(self) -> frozenset[Task]:
        """Any: only features are looked at."""
        return ANY_TASK

    def score(self, context: Context) -> float:
        """See the class."""
        if self._trees.is_young or not any(map(context.features.__contains__, self._scale.names)):
            return MAXIMUM
        rarity = self._trees.score_one(self._point(context.features))
        mass = (1.0 - rarity) * (2 ** (self.height + 1) - 1)
        return within_unit(1.0 - log2((1.0 + mass) / 2.0) / self.height)

    def commit(self, context: Context) -> None:
        """Count the item in the current window."""
        if self._scale.update(context.features):
            self._trees = self._grown()
        if self._scale.names:
            self._trees.learn_one(self._point(context.features))

    def state(self) -> JsonState:
        """The features' scale and the masses in the leaves; the trees grow again from the seed."""
        return {"scale": self._scale.state(), "trees": self._trees.masses()}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._scale.restore(cast("JsonState", state.get("scale", {})))
        self._trees = self._grown()
        masses = state.get("trees")
        if isinstance(masses, dict) and masses:
            self._trees.restore(
                dict.fromkeys(self._scale.names, 0.5),
                young=masses["young"] is True,
                count=cast("int", masses["count"]),
                reference=cast("list[int]", masses["reference"]),
                latest=cast("list[int]", masses["latest"]),
            )

    def _grown(self) -> _Trees:
        return _Trees(self.n_trees, self.height, self.window, seed=_SEED)

    def _point(self, features: Features) -> dict[str, float]:
        """The item in the unit cube that the trees divide."""
        scale = self._scale
        width = 2.0 * scale.LIMIT
        values = scale.standardised(features)
        return {name: 0.5 + value / width for name, value in zip(scale.names, values, strict=True)}


class _Trees(RiverTrees):  # type: ignore[misc]  # River is untyped to mypy
    """River's trees, with a state that is numbers only.

    An item passes through every level, so a node's mass is the sum of its leaves' masses.
    """

    @property
    def is_young(self) -> bool:
        """The first window is not full yet."""
        return bool(self._first_window)

    def masses(self) -> JsonState:
        """Leaf masses of the last full window (reference) and the current one (latest)."""
        if not self.trees:
            return {}
        leaves = [node for tree in self.trees for node in _leaves(tree, self.height)]
        return {
            "young": self.is_young,
            "count": self.counter,
            "reference": [leaf.r_mass for leaf in leaves],
            "latest": [leaf.l_mass for leaf in leaves],
        }

    def restore(
        self,
        anywhere: dict[str, float],
        *,
        young: bool,
        count: int,
        reference: Sequence[int],
        latest: Sequence[int],
    ) -> None:
        """Grow the trees over the features of `anywhere`, and put back what `masses` returned."""
        self.learn_one(anywhere)
        masses = iter(zip(reference, latest, strict=True))
        for tree in self.trees:
            _fill(tree, self.height, masses)
        self.counter = count
        self._first_window = young


class _Node(Protocol):
    """River's branches and leaves; leaves have no children."""

    children: Sequence[_Node]
    r_mass: int
    l_mass: int


def _leaves(node: _Node, height: int) -> Iterator[_Node]:
    """The leaves below a node that is `height` levels above them, from left to right."""
    if height == 0:
        yield node
        return
    for child in node.children:
        yield from _leaves(child, height - 1)


def _fill(node: _Node, height: int, masses: Iterator[tuple[int, int]]) -> tuple[int, int]:
    """Set the masses below and at a node; returns the node's."""
    if height == 0:
        node.r_mass, node.l_mass = next(masses)
    else:
        below = [_fill(child, height - 1, masses) for child in node.children]
        node.r_mass = sum(reference for reference, _ in below)
        node.l_mass = sum(latest for _, latest in below)
    return node.r_mass, node.l_mass
