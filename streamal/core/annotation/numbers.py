"""How well annotators agree on numbers, and what their noise does to a measured error.

The counterpart of `streamal.core.annotation.agreement` for regressions. A panel is one item's
answers as a mapping from annotator to number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

__all__ = ["answer_spread", "interval_alpha", "verdict_error"]

#: E|x| of a standard normal x.
_MEAN_ABSOLUTE = math.sqrt(2 / math.pi)


def interval_alpha(panels: Iterable[Mapping[str, float]]) -> float | None:
    """Krippendorff's alpha for interval data: 1 - observed / expected squared difference.

    Items with fewer than two answers say nothing and are left out. The reliability that simple
    averages have: 1 when annotators agree exactly, 0 when answers to the same item differ as much
    as those to any two items. Source: Krippendorff, "Content Analysis", 4th ed. (2018), chapter 12.

    Returns:
        At most 1. None when no item has two answers, or when all answers are the same number.
    """
    usable = [[*panel.values()] for panel in panels if len(panel) >= 2]
    count = sum(map(len, usable))
    if not count:
        return None
    # Sums of squared differences of all pairs, from sums of squares around a mean.
    observed = sum(len(answers) * _squares(answers) / (len(answers) - 1) for answers in usable)
    everything = [answer for answers in usable for answer in answers]
    expected = count * _squares(everything) / (count - 1)
    return None if expected == 0 else 1 - observed / expected


def answer_spread(panels: Iterable[Mapping[str, float]]) -> float | None:
    """Standard deviation of a single answer around the mean of what an item is answered.

    Pooled over items, each with its own mean. What annotators have in common (a wrong guideline)
    does not show: a lower bound of the noise, as every measure of agreement is.

    Returns:
        In the unit of the answers, >= 0; None when no item has two answers.
    """
    squares, freedom = 0.0, 0
    for panel in panels:
        answers = [*panel.values()]
        if len(answers) >= 2:
            squares += _squares(answers)
            freedom += len(answers) - 1
    return math.sqrt(squares / freedom) if freedom else None


def verdict_error(spread: float, votes: int) -> float:
    """Expected |median of the votes - truth|, for normal answers around the truth.

    Args:
        spread: standard deviation of a single answer, >= 0.
        votes: how many it is the median of, >= 1. From three on their median's large-sample
            variance is taken, pi / 2 times that of a mean, which is a little too large for few.

    >>> round(verdict_error(1.0, 1), 4), round(verdict_error(1.0, 2), 4)
    (0.7979, 0.5642)
    """
    loss = math.pi / 2 if votes > 2 else 1.0
    return spread * _MEAN_ABSOLUTE * math.sqrt(loss / votes)


def _squares(answers: list[float]) -> float:
    """Sum of squared distances from the mean."""
    mean = math.fsum(answers) / len(answers)
    return math.fsum([(answer - mean) ** 2 for answer in answers])
