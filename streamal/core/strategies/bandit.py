"""Bandit: one class per file, see `streamal.core.strategies`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Final, cast

from streamal.core.chance import draw
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

    def score(self, context: Context) -> float:
        """See the class."""
        followed = self._followed(context.event_id, self._mixture(context.strategy_weights))
        number = self._names.index(followed)
        score = self._parts[number].score(context)
        if score == MAXIMUM and self._nobody_knows(context):
            return MAXIMUM
        return self._rank(number, score, context.event_id)

    def advice(self, context: Context) -> Advice:
        """Whom the score followed, how probable that was, and what the others would have said."""
        mixture = self._mixture(context.strategy_weights)
        ranks = {
            name: self._rank(number, part.score(context), context.event_id)
            for number, (name, part) in enumerate(zip(self._names, self._parts, strict=True))
        }
        return Advice(self._followed(context.event_id, mixture), mixture, ranks)

    def made_up(self, context: Context) -> Iterable[MadeUpItem]:
        """Those of the part that is followed."""
        followed = self._followed(context.event_id, self._mixture(context.strategy_weights))
        return self._parts[self._names.index(followed)].made_up(context)

    def commit(self, context: Context) -> None:
        """Let every part take note of the item, and remember what each thought of it."""
        for part, window in zip(self._parts, self._windows, strict=True):
            window.add(part.score(context))
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

    def _mixture(self, weights: Mapping[str, float]) -> dict[str, float]:
        """The trainer's shares of our parts; those that it has not met yet get an even one."""
        even = 1.0 / len(self._names)
        shares = {name: weights.get(name, even) for name in self._names}
        total = sum(shares.values())
        if not total > 0.0:
            return dict.fromkeys(self._names, even)
        return {name: share / total for name, share in shares.items()}

    def _followed(self, event_id: str, mixture: Mapping[str, float]) -> str:
        u = draw(_SEED, event_id, "bandit")
        for name, share in mixture.items():
            if (u := u - share) < 0.0:
                return name
        return self._names[-1]  # the shares' sum is a rounding error short of 1

    def _rank(self, number: int, score: float, event_id: str) -> float:
        below, up_to = self._windows[number].rank(score)
        return below + draw(_SEED, event_id, self._names[number]) * (up_to - below)

    def _nobody_knows(self, context: Context) -> bool:
        return all(part.score(context) == MAXIMUM for part in self._parts)


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
