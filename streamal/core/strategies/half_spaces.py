"""Half-space trees over the recent past, for the strategy of that name."""

from __future__ import annotations

from base64 import b64decode, b64encode
from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from itertools import accumulate, count, islice
from math import inf, isnan
from operator import getitem
from typing import ClassVar, Final, cast

import numpy as np
from numpy.typing import NDArray

from streamal.core.chance import draw
from streamal.core.strategies.running_scale import RunningScale
from streamal.core.types import Features, JsonState

#: Replicas and restarts grow the same trees.
_SEED: Final = 1


class HalfSpaces:
    """Counts how many items of the last full window were in the half-spaces of an item.

    As in the paper, each tree halves, for each feature, a random work range around the data, an
    inner node splits one feature of its space in the middle, and nothing depends on the data. Two
    things differ. All nodes of one depth split the same feature; features are dealt to the depths
    like cards, so that each has its share of the cuts. Then a leaf's number has one bit per depth,
    and of all trees together it is the sum of what each feature contributes, found by bisection:
    no tree is walked. And the cuts follow the features' running scale: they are set anew with every
    window, and with every item of the first.

    Args:
        scale: of the features; trees grow over those that it has met by now.
        n_trees: number of trees, at most 255.
        height: halvings from root to leaf, at most 8.
        window: how many items make one window.
    """

    #: Standard deviations from the mean within which a work range has its centre.
    REACH: ClassVar[float] = 3.0
    #: A space that fewer of the window's items are in is not divided further, as in the paper.
    FEWEST: ClassVar[float] = 0.1

    def __init__(self, scale: RunningScale, n_trees: int, height: int, window: int) -> None:
        self._scale = scale
        self._n_trees, self._height, self._window = n_trees, height, window
        features = dealt(scale.names, n_trees, height)
        cuts = {name: sorted(_cuts(name, features, height)) for name in sorted(scale.names)}
        self._deviations = {name: [at for at, _ in cuts[name]] for name in cuts if cuts[name]}
        #: Of each feature, what its interval between two cuts adds to the leaves' numbers.
        self._steps = [
            list(accumulate([step for _, step in cuts[name]], initial=0))
            for name in self._deviations
        ]
        self._arrived = bytearray()  # leaves of items that `_latest` does not count yet
        self._items = 0
        self._latest = np.zeros(n_trees << height, np.int64)
        self._reference: NDArray[np.int64] | None = None
        self._masses: list[list[int]] = []
        self._asked: Features | None = None
        self._answer: bytes | None = None
        self._set_cuts()

    def mass(self, features: Features) -> float | None:
        """Sum over the depths k of 2^k * m_k / window, the mean over the trees.

        m_k is the number of items of the last full window that were in the item's half-space at
        depth k; depths below a space with fewer than a tenth of the window are left out.

        Returns:
            From 1, when no half-space was shared, to 2^(height + 1) - 1; None before the first
            window is full, and for an item without any known feature.
        """
        if self._reference is None:
            return None
        leaves = self._leaves(features)
        if leaves is None:
            return None
        return sum(map(getitem, self._masses, leaves)) / (self._n_trees * self._window)

    def add(self, features: Features) -> None:
        """Count an item in the current window; without any known feature it does not count."""
        leaves = self._leaves(features)
        if leaves is None:
            return
        self._arrived += leaves
        self._items += 1
        if self._items == self._window:
            self._count()
            self._refer(self._latest)
            self._items, self._latest = 0, np.zeros_like(self._latest)
            self._set_cuts()
        elif self._reference is None:
            self._set_cuts()

    def state(self) -> JsonState:
        """Where the cuts are, and the leaves' masses in the last full and the current window."""
        if not self._scale.names:
            return {}
        self._count()
        return {
            "frame": {name: list(frame) for name, frame in self._frame.items()},
            "reference": "" if self._reference is None else _packed(self._reference),
            "latest": _packed(self._latest),
        }

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned, with a scale that is what it was; else stay fresh."""
        frame = state.get("frame")
        if not isinstance(frame, dict):
            return
        self._place_cuts(cast("Mapping[str, tuple[float, float]]", frame))
        self._latest = _unpacked(str(state["latest"]))
        self._items = int(self._latest.sum()) // self._n_trees
        if state["reference"]:
            self._refer(_unpacked(str(state["reference"])))

    def _leaves(self, features: Features) -> bytes | None:
        """The number of the item's leaf in each tree; None without any known feature.

        What is scored is mostly committed next, so the latest answer is kept.
        """
        if features is not self._asked:
            self._asked, self._answer = features, self._found(features)
        return self._answer

    def _found(self, features: Features) -> bytes | None:
        values = self._values(features)
        if values is None:
            return None
        intervals = map(bisect_right, self._cuts, values)
        return sum(map(getitem, self._steps, intervals)).to_bytes(self._n_trees, "little")

    def _values(self, features: Features) -> list[float] | None:
        """Where the item is, the mean where there is no number; None without any known feature."""
        known = cast("Mapping[str, float]", features)
        try:
            # What is no number says so by raising, or makes the sum none.
            values = list(map(known.__getitem__, self._frame))
            if values and not isnan(sum(values)):
                return values
        except (KeyError, TypeError, OverflowError):
            pass
        if not any(map(features.__contains__, self._scale.names)):
            return None
        means = [(features.get(name), mean) for name, (mean, _) in self._frame.items()]
        return [
            value if isinstance(value, (int, float)) and -inf <= value <= inf else mean
            for value, mean in means
        ]

    def _set_cuts(self) -> None:
        self._place_cuts({name: self._scale.frame(name) for name in self._deviations})

    def _place_cuts(self, frame: Mapping[str, tuple[float, float]]) -> None:
        """Put the cuts where they are on a scale of the features' means and deviations."""
        self._asked = self._answer = None
        self._frame = {name: frame[name] for name in self._deviations}
        self._cuts = [
            [mean + deviation * at for at in self._deviations[name]]
            for name, (mean, deviation) in self._frame.items()
        ]

    def _count(self) -> None:
        """Count the leaves that have arrived; together, it takes a fraction of the time."""
        leaves = np.frombuffer(bytes(self._arrived), np.uint8).reshape(-1, self._n_trees)
        places = leaves + (np.arange(self._n_trees) << self._height)
        self._latest += np.bincount(places.ravel(), minlength=self._latest.size)
        self._arrived.clear()

    def _refer(self, counts: NDArray[np.int64]) -> None:
        """Score against these masses of the leaves from now on."""
        self._reference = counts
        shape = self._n_trees, 1 << self._height
        masses, divided = np.zeros(shape, np.int64), np.ones(shape, np.bool_)
        for depth in range(self._height + 1):
            below = 1 << (self._height - depth)
            spaces = counts.reshape(self._n_trees, -1, below).sum(axis=2)
            inside = np.repeat(spaces, below, axis=1)
            masses += divided * inside << depth
            divided &= inside >= self.FEWEST * self._window
        self._masses = masses.tolist()


def dealt(names: Collection[str], n_trees: int, height: int) -> list[list[str]]:
    """The feature that each depth of each tree splits, whatever the order of the names."""
    deck = (
        name
        for number in count()
        for name in sorted(names, key=lambda name: draw(_SEED, name, f"half-spaces deal {number}"))
    )
    return [list(islice(deck, height)) for _ in range(n_trees)] if names else []


def work_range(name: str, tree: int) -> tuple[float, float]:
    """Where the halving of a feature begins, in standard deviations from its mean.

    The centre is drawn from the data's range, and the rest of it is within, as in the paper.
    """
    reach = HalfSpaces.REACH
    centre = reach * (2.0 * draw(_SEED, name, f"half-spaces tree {tree}") - 1.0)
    half = reach + abs(centre)
    return centre - half, centre + half


def _cuts(name: str, features: list[list[str]], height: int) -> Iterator[tuple[float, int]]:
    """Where a feature is cut, in deviations, and what passing the cut adds to the leaves' numbers.

    The number of a leaf has a bit per depth, the root's first; each tree's fills a byte of its own.
    """
    for tree, depths in enumerate(features):
        bits = [1 << (height - 1 - depth) for depth in range(height) if depths[depth] == name]
        intervals = 1 << len(bits)
        leaves = [
            sum(bit for place, bit in enumerate(reversed(bits)) if interval >> place & 1)
            for interval in range(intervals)
        ]
        low, high = work_range(name, tree)
        for interval in range(1, intervals):
            step = leaves[interval] - leaves[interval - 1]
            yield low + (high - low) * interval / intervals, step << (8 * tree)


def _packed(counts: NDArray[np.int64]) -> str:
    return b64encode(counts.astype("<u2").tobytes()).decode()


def _unpacked(counts: str) -> NDArray[np.int64]:
    return np.frombuffer(b64decode(counts), "<u2").astype(np.int64)
