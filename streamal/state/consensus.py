"""Which answer the votes on an item carry, by the configured rule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from streamal.core.annotation import (
    DawidSkene,
    Outcome,
    Vote,
    decided,
    median_outcome,
    shares,
    weighted_posterior,
)
from streamal.state.annotators import Annotators

__all__ = ["ConsensusRules", "outcome", "refit"]

#: Items between two fits of Dawid and Skene's model, which take a good part of a second.
_REFIT_EVERY: Final = 25


@dataclass(frozen=True, slots=True)
class ConsensusRules:
    """How votes become one answer.

    Attributes:
        method: `majority`; `weighted` by estimated accuracy; or `dawid_skene`, by fitted confusion
            matrices, and weighted until there is a fit that knows the item's voters and classes.
        least_confidence: the winner's share or probability must lie above it, in [0, 1).
        classes: number of configured classes; 0 when any class goes.
        tolerance: largest distance from the median at which numbers agree.
        dawid_skene: fits the model; needed with that method.
    """

    method: Literal["majority", "weighted", "dawid_skene"] = "majority"
    least_confidence: float = 0.5
    classes: int = 0
    tolerance: float = math.inf
    dawid_skene: DawidSkene | None = None

    def agree(self, first: str | float, second: str | float) -> bool:
        """Whether two answers count as the same."""
        if isinstance(first, str) or isinstance(second, str):
            return first == second
        return abs(first - second) <= self.tolerance


def outcome(rules: ConsensusRules, annotators: Annotators, votes: Sequence[Vote]) -> Outcome:
    """What `votes` amount to."""
    if len(votes) == 1:
        return Outcome(votes[0].answer, 1.0)
    if any(not isinstance(vote.answer, str) for vote in votes):
        return median_outcome(votes, rules.tolerance, rules.least_confidence)
    return decided(_probabilities(rules, annotators, votes), rules.least_confidence)


def _probabilities(
    rules: ConsensusRules, annotators: Annotators, votes: Sequence[Vote]
) -> dict[str, float]:
    if rules.method == "majority":
        return shares(votes)
    if rules.method == "dawid_skene":
        fit = annotators.fit()
        posterior = fit.posterior(votes) if fit is not None else {}
        if posterior:
            return posterior
    classes = max(2, rules.classes, len({vote.answer for vote in votes}))
    accuracies = annotators.accuracies(vote.annotator for vote in votes)
    return weighted_posterior(votes, accuracies, classes)


def refit(rules: ConsensusRules, annotators: Annotators, position: int | None) -> None:
    """Fit anew when item number `position` completes another batch of items."""
    if rules.dawid_skene is None or position is None or position % _REFIT_EVERY:
        return
    annotators.keep_fit(rules.dawid_skene.fit(annotators.panels()))
