"""One strategy at a time, in shares that their labels have earned."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Annotated, ClassVar, Final, NamedTuple, cast

import numpy as np

from streamal.core.batch import Batch
from streamal.core.chance import draw, draws
from streamal.core.features import Vector
from streamal.core.parameters import Range
from streamal.core.score_window import ScoreWindow
from streamal.core.strategies.base import MAXIMUM
from streamal.core.strategies.combination import PARTS, Combination, Part, parts_of
from streamal.core.types import Advice, JsonState, MadeUpItem

#: The gate's seed need not be mixed in: whom to follow and whether to route are drawn for different
#: purposes, and so are independent whatever the seeds.
_SEED: Final = 0
_TURN: Final = "bandit"

_DEFAULT: Final = parts_of("margin", "expected_error", "random")


class Bandit(Combination):
    """Follows one of several strategies at a time, more often the more its labels have taught.

    Nobody knows beforehand which strategy suits a stream, and it changes. Here each of them is
    followed for a share of the items; the trainer notes which of their labels were news to the
    model and moves the shares accordingly. It pays for trying: with few labels, or where one
    strategy is known to be good, that strategy alone is better. Labels that are pure noise are
    news, too: a part that looks for them is favoured wrongly.

    Formula:
        the rank of s_k in a window of recent scores of the strategy k: (lo + V * (hi - lo)) with
        lo = P(S < s), hi = P(S <= s). k is drawn with the probabilities p of the mixture, V is
        uniform; both are hashes of the event. Ranks of every strategy are spread evenly over
        [0, 1], so p_k is the share of the budget that k gets. p is the trainer's, by Exp4.P: the
        reward of a label is 1 when the online model was wrong about it before, credited to every
        strategy that would have asked for it over the probability that the mixture did.

    Range:
        [0, 1]; 1 when all parts know nothing.

    Args:
        strategies: 2 to 8 parts, each a registered `strategy` that is not itself made of others,
            and its `parameters`.
        window: how many of the latest scores of each part are ranked against.

    Examples:
        >>> from streamal.core.batch import Batch
        >>> from streamal.core.types import Context, Production
        >>> earned = {"margin": 0.9, "expected_error": 0.05, "random": 0.05}
        >>> model = {"cat": 0.9, "dog": 0.1}
        >>> context = Context("e1", {}, Production("dog"), model, strategy_weights=earned)
        >>> strategy = Bandit()
        >>> scores = strategy.score(Batch.of([context]))
        >>> strategy.advice(0).followed
        'margin'

    References:
        Hsu, W.-N., and Lin, H.-T. (2015). Active learning by learning. AAAI 2015, 2659-2665.
        Exp4.P: Beygelzimer, A., Langford, J., Li, L., Reyzin, L., and Schapire, R. (2011).
        Contextual bandit algorithms with supervised learning guarantees. AISTATS 2011, 19-26.
    """

    name: ClassVar[str] = "bandit"

    def __init__(
        self,
        strategies: Annotated[tuple[Part, ...], PARTS] = _DEFAULT,
        window: Annotated[int, Range(10, 2000)] = 200,
    ) -> None:
        super().__init__(strategies)
        self.window = window
        self._names = _distinct([part.strategy for part in strategies])
        self._windows = tuple(ScoreWindow(window) for _ in strategies)
        self._latest: _Scored | None = None

    def score(self, batch: Batch) -> Vector:
        """See the class."""
        known = [part.score(batch) for part in self._parts]
        nobody = np.min(known, axis=0) == MAXIMUM
        shares = self._shares(batch.strategy_weights)
        bounds = list(accumulate(shares[:-1]))
        followed = [bisect_right(bounds, turn) for turn in draws(_SEED, batch.event_ids, _TURN)]
        places = [
            [window.note(score)[:2] for score in of_part.tolist()]
            for window, of_part in zip(self._windows, known, strict=True)
        ]
        self._latest = latest = _Scored(batch.event_ids, shares, followed, places)
        scores = [self._rank(latest, *each) for each in enumerate(followed)]
        return np.where(nobody, MAXIMUM, np.array(scores))

    def advice(self, number: int) -> Advice | None:
        """Whom the score followed, how probable that was, and what the others would have said."""
        latest = self._latest
        if latest is None:
            return None
        ranks = [self._rank(latest, number, part) for part in range(len(self._parts))]
        return Advice(
            self._names[latest.followed[number]],
            dict(zip(self._names, latest.shares, strict=True)),
            dict(zip(self._names, ranks, strict=True)),
        )

    def made_up(self, batch: Batch, number: int) -> Iterable[MadeUpItem]:
        """Those of the part that is followed."""
        bounds = list(accumulate(self._shares(batch.strategy_weights)[:-1]))
        followed = bisect_right(bounds, draw(_SEED, batch.event_ids[number], _TURN))
        return self._parts[followed].made_up(batch, number)

    def state(self) -> JsonState:
        """The parts' states and their latest scores."""
        windows: JsonState = {
            name: window.state() for name, window in zip(self._names, self._windows, strict=True)
        }
        return {**super().state(), "windows": windows}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        super().restore(state)
        windows = cast("Mapping[str, JsonState]", state.get("windows", {}))
        for name, window in zip(self._names, self._windows, strict=True):
            window.restore(windows.get(name, {}))

    def _shares(self, weights: Mapping[str, float]) -> list[float]:
        """The trainer's shares of our parts; those that it has not met yet get an even one."""
        even = 1.0 / len(self._names)
        shares = [weights.get(name, even) for name in self._names]
        total = sum(shares)
        return [share / total if total > 0.0 else even for share in shares]

    def _rank(self, latest: _Scored, number: int, part: int) -> float:
        below, up_to = latest.places[part][number]
        spread = draw(_SEED, latest.event_ids[number], self._names[part])
        return below + spread * (up_to - below)


class _Scored(NamedTuple):
    """What is kept of a batch for whoever asks for advice.

    Attributes:
        event_ids: of the items.
        shares: of the parts, probabilities to be followed.
        followed: number of the part that each item's score followed.
        places: of each part and item, the share of the window below its score, and up to it.
    """

    event_ids: Sequence[str]
    shares: list[float]
    followed: list[int]
    places: list[list[tuple[float, float]]]


def _distinct(names: list[str]) -> tuple[str, ...]:
    """The names, with a number behind each repetition.

    >>> _distinct(["margin", "random", "margin"])
    ('margin', 'random', 'margin 2')
    """
    met: Counter[str] = Counter()
    distinct = []
    for name in names:
        met[name] += 1
        distinct.append(name if met[name] == 1 else f"{name} {met[name]}")
    return tuple(distinct)
