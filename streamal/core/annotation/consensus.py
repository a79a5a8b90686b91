"""From the votes on one item to one answer, or to the insight that there is none.

Majority and weights are closed formulas here; Dawid-Skene needs many items and has a module of its
own. All of them end in `decided`, which says when a distribution over answers is an answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

__all__ = [
    "Answer",
    "Outcome",
    "Vote",
    "decided",
    "median_outcome",
    "shares",
    "weighted_posterior",
]

#: A class, or a number in a regression.
Answer: TypeAlias = str | float

#: Accuracies are kept off 0 and 1: nobody's single vote is worth infinitely many others.
_LEAST_ACCURACY = 0.02
_MOST_ACCURACY = 0.98


@dataclass(frozen=True, slots=True)
class Vote:
    """One annotator's standing answer.

    Attributes:
        annotator: who.
        answer: the class, or the number.
    """

    annotator: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Outcome:
    """What votes amount to.

    Attributes:
        answer: the consensus; None when the votes do not carry one.
        confidence: of the best answer, in [0, 1], whether it was carried or not.
    """

    answer: Answer | None
    confidence: float


def shares(votes: Sequence[Vote]) -> dict[str, float]:
    """Each class's share of the votes, summing to 1; empty without votes.

    >>> shares([Vote("ann", "cat"), Vote("bob", "dog"), Vote("cyd", "cat")])["cat"]
    0.6666666666666666
    """
    counts: dict[str, int] = {}
    for vote in votes:
        name = str(vote.answer)
        counts[name] = counts.get(name, 0) + 1
    return {name: count / len(votes) for name, count in counts.items()}


def weighted_posterior(
    votes: Sequence[Vote], accuracies: Mapping[str, float], classes: int
) -> dict[str, float]:
    """P(class | votes) for annotators who err independently and evenly over the other classes.

    The weight of a vote is then log(p (K - 1) / (1 - p)), the optimal one of Nitzan and Paroush,
    "Optimal decision rules in uncertain dichotomous choice situations" (International Economic
    Review 23, 1982), for K classes. An annotator who is worse than chance counts *against* what
    they say.

    Args:
        votes: of one item.
        accuracies: annotator to P(right), in [0, 1]; every annotator of `votes`.
        classes: K, the number of possible classes; at least 2 and the classes voted for.

    Returns:
        Probabilities of the classes that were voted for. Classes without a vote take part in the
        normalisation, so the sum is at most 1.
    """
    scores: dict[str, float] = {}
    for vote in votes:
        p = min(max(accuracies[vote.annotator], _LEAST_ACCURACY), _MOST_ACCURACY)
        weight = math.log(p * (classes - 1) / (1 - p))
        name = str(vote.answer)
        scores[name] = scores.get(name, 0.0) + weight
    unseen = max(0, classes - len(scores))
    top = max([*scores.values(), 0.0])
    total = sum(math.exp(score - top) for score in scores.values()) + unseen * math.exp(-top)
    return {name: math.exp(score - top) / total for name, score in scores.items()}


def decided(probabilities: Mapping[str, float], least_confidence: float) -> Outcome:
    """The most probable answer, if it is more probable than `least_confidence` and has no equal.

    Args:
        probabilities: class to probability or share.
        least_confidence: the winner must lie *above* it, in [0, 1); 0.5 is a strict majority.

    >>> decided({"cat": 0.5, "dog": 0.5}, 0.5).answer is None
    True
    >>> decided({"cat": 0.75, "dog": 0.25}, 0.5)
    Outcome(answer='cat', confidence=0.75)
    """
    if not probabilities:
        return Outcome(None, 0.0)
    best = max(probabilities.values())
    winners = [name for name, p in probabilities.items() if p == best]
    carried = best > least_confidence and len(winners) == 1
    return Outcome(winners[0] if carried else None, best)


def median_outcome(votes: Sequence[Vote], tolerance: float, least_confidence: float) -> Outcome:
    """The median of numeric votes, if enough of them lie within `tolerance` of it.

    Args:
        votes: of one item; numbers.
        tolerance: largest distance that still counts as agreement, >= 0; infinite accepts any.
        least_confidence: the share of votes near the median must lie above it, in [0, 1).
    """
    numbers = [float(vote.answer) for vote in votes]
    if not numbers:
        return Outcome(None, 0.0)
    middle = float(median(numbers))
    near = sum(abs(number - middle) <= tolerance for number in numbers) / len(numbers)
    return Outcome(middle if near > least_confidence else None, near)
