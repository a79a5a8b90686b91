"""Items between the classes, and the real ones that are nearest to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar

import numpy as np

from streamal.core.batch import Batch
from streamal.core.features import Vector
from streamal.core.parameters import Range
from streamal.core.strategies.base import MAXIMUM, Strategy
from streamal.core.strategies.keyed_window import KeyedWindow
from streamal.core.strategies.made_up_items import MadeUpItems
from streamal.core.types import NONE_LABELLED, JsonState, Labelled, MadeUpItem


class QuerySynthesis(Strategy):
    """Items like those that would halve the gap between labelled items of different classes.

    Between two labelled items of different classes runs a boundary, and an item in the middle says
    on which side. So the nearest such pairs are taken, and made-up items halfway between the two;
    a pair that is close enough already is left sideways, to find where the boundary goes from
    there. People are asked about the real item that is nearest to each. It looks at no model, only
    at labels, and at numbers and booleans only. Where classes overlap, the nearest pairs are noise
    as often as boundary; check it against `margin`. Its cost grows with the pairs: tens of
    microseconds per item at the default, and a millisecond or two after each new model.

    Formula:
        of the recent items that have the same made-up item as their nearest, the share that is no
        nearer to it than this one, itself counted in. Pairs are the nearest with different classes,
        each item in one pair only; the item made up is (a + b) / 2, or where a and b are nearer
        than `step`, (a + b) / 2 + `step` * u with u orthogonal to a - b, a hash of the two.
        Distances are root mean squares of the features, standardised over the labelled items
        (clipped at 4 deviations).

    Range:
        1 for the nearest of a made-up item's recent items, towards 0 for the furthest; 1 too before
        two classes are labelled, and without numbers.

    Args:
        pairs: how many pairs of labelled items are bisected.
        step: how near a pair is near enough, and how far it is then left, in standard deviations.
        window: how many of the latest items are ranked against.

    Examples:
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Labelled, LabelledItem, Production
        >>> low, high = LabelledItem("e1", {"x": 0.0}, "a"), LabelledItem("e2", {"x": 4.0}, "b")
        >>> labelled, strategy = Labelled((low, high)), QuerySynthesis()
        >>> def item(x):
        ...     return Context("e", {"x": x}, Production(), labelled=labelled)
        >>> past = strategy.score(Batch.of([item(0.0), item(1.0), item(4.0)]))
        >>> strategy.score(Batch.of([item(2.0), item(0.5), item(9.0)])).round(2)
        array([1.  , 0.6 , 0.17])

    References:
        Wang, L., Hu, X., Yuan, B., and Lu, J. (2015). Active learning via query synthesis and
        nearest neighbour search. Neurocomputing 147, 426-434. They bisect one pair until it is
        close, then step off it, and take neighbours from a pool; here each label makes the pairs
        anew.
    """

    name: ClassVar[str] = "query_synthesis"

    def __init__(
        self,
        pairs: Annotated[int, Range(1, 50)] = 20,
        step: Annotated[float, Range(0, 4, open_low=True)] = 1.0,
        window: Annotated[int, Range(10, 2000)] = 200,
    ) -> None:
        self.pairs = pairs
        self.step = step
        self.window = window
        self._recent = KeyedWindow(window)
        self._labelled: Labelled = NONE_LABELLED
        self._made: MadeUpItems | None = None

    @property
    def asks_labelled(self) -> bool:
        """Always."""
        return True

    @property
    def makes_up_items(self) -> bool:
        """Always."""
        return True

    def score(self, batch: Batch) -> Vector:
        """See the class."""
        made, recent = self._made_of(batch.labelled), self._recent
        if made is None:
            return np.full(len(batch), MAXIMUM)
        rows, distances = made.nearest(batch.features.rows)
        scores = []
        for row, closeness in zip(rows.tolist(), (1.0 / (1.0 + distances)).tolist(), strict=True):
            key = made.keys[row]
            as_far, own = recent.at_most(key, closeness)
            scores.append((as_far + 1) / (own + 1))
            recent.add(key, closeness)
        return np.array(scores)

    def made_up(self, batch: Batch, number: int) -> Iterable[MadeUpItem]:
        """The made-up items themselves, see `Strategy.made_up`."""
        made = self._made_of(batch.labelled)
        return () if made is None else made.like(batch.features.rows[number])

    def state(self) -> JsonState:
        """How close the remembered items were."""
        return self._recent.state()

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._recent.restore(state)

    def _made_of(self, labelled: Labelled) -> MadeUpItems | None:
        """The items made up of these, made once for each model; None where there are none."""
        if labelled is not self._labelled:
            made = MadeUpItems(labelled, self.pairs, self.step)
            self._labelled, self._made = labelled, made if made.keys else None
        return self._made
