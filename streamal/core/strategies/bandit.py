"""Bandit: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Annotated, ClassVar, Final, cast

from streamal.core.chance import draws
from streamal.core.parameters import Range
from streamal.core.score_window import ScoreWindow
from streamal.core.strategies.base import MAXIMUM
from streamal.core.strategies.combination import PARTS, Combination, Part, parts_of
from streamal.core.types import Advice, Context, JsonState, MadeUpItem

__all__ = ["Bandit"]

#: The gate's seed need not be mixed in: whom to follow and whether to route are drawn for different
#: purposes, and so are independent whatever the seeds.
_SEED: Final = 0

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
        >>> from streamal.core.types import Context, Production
        >>> earned = {"margin": 0.9, "expected_error": 0.05, "random": 0.05}
        >>> model = {"cat": 0.9, "dog": 0.1}
        >>> context = Context("e1", {}, Production("dog"), model, strategy_weights=earned)
        >>> Bandit().advice(context).followed
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
        #: The methods by themselves: to find them costs as much as what some of them do.
        self._noted = tuple(
            (part.score, window.add)
            for part, window in zip(self._parts, self._windows, strict=True)
        )
        self._turn = draws(_SEED, "bandit")
        self._spread = tuple(draws(_SEED, name) for name in self._names)
        self._weights: Mapping[str, float] = {}
        self._mix()

    def score(self, context: Context) -> float:
        """See the class."""
        number = self._followed(context)
        score = self._parts[number].score(context)
        if score == MAXIMUM and self._nobody_knows(context):
            return MAXIMUM
        return self._rank(number, score, context.event_id)

    def advice(self, context: Context) -> Advice:
        """Whom the score followed, how probable that was, and what the others would have said."""
        followed = self._names[self._followed(context)]
        ranks = {
            name: self._rank(number, part.score(context), context.event_id)
            for number, (name, part) in enumerate(zip(self._names, self._parts, strict=True))
        }
        return Advice(followed, dict(zip(self._names, self._shares, strict=True)), ranks)

    def made_up(self, context: Context) -> Iterable[MadeUpItem]:
        """Those of the part that is followed."""
        return self._parts[self._followed(context)].made_up(context)

    def commit(self, context: Context) -> None:
        """Let every part take note of the item, and remember what each thought of it."""
        for score, add in self._noted:
            add(score(context))
        super().commit(context)

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

    def _mix(self) -> None:
        """The trainer's shares of our parts; those that it has not met yet get an even one."""
        even = 1.0 / len(self._names)
        shares = [self._weights.get(name, even) for name in self._names]
        total = sum(shares)
        self._shares = [share / total if total > 0.0 else even for share in shares]
        #: Where one part's turn ends and the next one's begins, as shares of all draws.
        self._bounds = list(accumulate(self._shares[:-1]))

    def _followed(self, context: Context) -> int:
        """The number of the part whose turn it is."""
        if context.strategy_weights != self._weights:
            self._weights = dict(context.strategy_weights)
            self._mix()
        return bisect_right(self._bounds, self._turn(context.event_id))

    def _rank(self, number: int, score: float, event_id: str) -> float:
        below, up_to = self._windows[number].rank(score)
        return below + self._spread[number](event_id) * (up_to - below)

    def _nobody_knows(self, context: Context) -> bool:
        for score, _ in self._noted:  # noqa: SIM110 - a generator takes twice as long
            if score(context) != MAXIMUM:
                return False
        return True


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
