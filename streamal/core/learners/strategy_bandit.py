"""The trainer's half of the bandit over strategies: what each label taught, and to whose credit.

Exp4.P keeps one weight for each strategy that is named in the selections of labels. It is a part of
the online model, so that its state is a function of the label log and reaches the gates with the
snapshots.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import exp, fsum, log, sqrt
from typing import Final

from streamal.core.types import Selection

__all__ = ["DELTA", "HORIZON_LABELS", "StrategyBandit"]

#: Labels after which what was learned about a strategy has mostly been forgotten; Exp4.P's T. Fewer
#: adapt faster and try poor strategies more often.
HORIZON_LABELS: Final = 500
#: Exp4.P's bound holds with probability 1 - delta.
DELTA: Final = 0.1


class StrategyBandit:
    """Weights of strategies, learned from what the model did not know yet.

    The reward of a label is 1 when the online model was wrong about it before it learned it, else
    0. It is credited to every strategy that would have asked for the label, divided by the
    probability that the mixture did. So a strategy's expected reward is 1 minus the
    importance-weighted accuracy of the model on the items that this strategy asks for.

    Sources: Beygelzimer et al. (2011), Exp4.P, algorithm 1; Hsu and Lin (2015), Active Learning by
    Learning. Why the reward is not theirs, and what else differs: docs/decisions/0015.
    """

    def __init__(self) -> None:
        self._weights: dict[str, float] = {}

    @property
    def mixture(self) -> Mapping[str, float]:
        """Strategy to the probability of being followed, summing to 1; empty before any reward.

        None falls below a floor that keeps it being tried.
        """
        return self._mixture() if self._weights else {}

    def credit(self, selection: Selection, *, wrong: bool) -> None:
        """Reward whoever asked for a label.

        Args:
            selection: how the item came to be labelled; without advice, nobody is rewarded.
            wrong: whether the model predicted another class before it learned the label.
        """
        advice = selection.advice
        if advice is None:
            return
        for name in advice.mixture:
            self._weights.setdefault(name, self._newcomer())
        asked = [name for name, rank in advice.ranks.items() if rank >= selection.threshold]
        chance = fsum([advice.mixture.get(name, 0.0) for name in asked])
        if chance > 0.0:  # else drawn by the exploration floor: nobody's merit
            self._step(dict.fromkeys(asked, wrong / chance))

    def _step(self, rewards: Mapping[str, float]) -> None:
        """One step of Exp4.P, and of fixed share: old merits fade, since a stream may change."""
        count, mixture = len(self._weights), self._mixture()
        rate = self._floor() / 2.0
        width = sqrt(log(count / DELTA) / (count * HORIZON_LABELS))
        grown = {
            name: weight * exp(rate * (rewards.get(name, 0.0) + width / mixture[name]))
            for name, weight in self._weights.items()
        }
        total, share = fsum(grown.values()), 1.0 / HORIZON_LABELS
        self._weights = {
            name: (1.0 - share) * weight / total + share / count for name, weight in grown.items()
        }

    def _newcomer(self) -> float:
        """A strategy that was just added starts at the mean of the others."""
        return fsum(self._weights.values()) / len(self._weights) if self._weights else 1.0

    def _mixture(self) -> dict[str, float]:
        floor, total = self._floor(), fsum(self._weights.values())
        spread = 1.0 - len(self._weights) * floor
        return {name: spread * weight / total + floor for name, weight in self._weights.items()}

    def _floor(self) -> float:
        """Exp4.P's least probability of a strategy."""
        count = len(self._weights)
        return min(1.0 / count, sqrt(log(max(2, count)) / (count * HORIZON_LABELS)))
