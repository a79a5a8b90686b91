"""How well annotators agree beyond chance, and what their noise does to a measured accuracy.

A panel is one item's answers as a mapping from annotator to class; every annotator answers an item
at most once, and most answer few of the items.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

__all__ = [
    "Agreement",
    "annotator_noise",
    "cohen_kappa",
    "krippendorff_alpha",
    "mean_kappas",
    "pairwise",
    "verdict_noise",
]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two annotators on the items that both answered.

    Attributes:
        first: one annotator; alphabetically before `second`.
        second: the other.
        items: how many items both answered, >= 1.
        kappa: Cohen's kappa, in [-1, 1].
    """

    first: str
    second: str
    items: int
    kappa: float


def krippendorff_alpha(panels: Iterable[Mapping[str, str]]) -> float | None:
    """Krippendorff's alpha for nominal answers: 1 - observed / expected disagreement.

    Items with fewer than two answers say nothing and are left out. Source: Krippendorff, "Content
    Analysis", 4th ed. (2018), chapter 12; the coincidence-matrix form.

    Returns:
        At most 1; 0 is what chance gives, below 0 is systematic disagreement. None when no item has
        two answers, or when all answers are the same class, where chance itself agrees fully.
    """
    totals: Counter[str] = Counter()
    disagreement = 0.0
    for panel in panels:
        answers = Counter(panel.values())
        count = answers.total()
        if count < 2:
            continue
        totals.update(answers)
        same = sum(n * (n - 1) for n in answers.values())
        disagreement += (count * (count - 1) - same) / (count - 1)
    n = totals.total()
    if n == 0:
        return None
    expected = (n * n - sum(count * count for count in totals.values())) / (n - 1)
    return None if expected == 0 else 1 - disagreement / expected


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Cohen's kappa of two annotators: agreement beyond what their class habits give by chance.

    Source: Cohen, "A coefficient of agreement for nominal scales" (1960), Educational and
    Psychological Measurement 20(1).

    Args:
        pairs: the two answers for each item that both answered.

    Returns:
        In [-1, 1]; None without items, or when both always gave one and the same class.
    """
    if not pairs:
        return None
    n = len(pairs)
    observed = sum(first == second for first, second in pairs) / n
    left, right = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    expected = sum(count * right[name] for name, count in left.items()) / (n * n)
    return None if expected == 1 else (observed - expected) / (1 - expected)


def pairwise(panels: Iterable[Mapping[str, str]]) -> list[Agreement]:
    """Cohen's kappa of every two annotators that share items, in alphabetical order.

    Pairs whose kappa is not defined are left out.
    """
    shared: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for panel in panels:
        names = sorted(panel)
        for place, first in enumerate(names):
            for second in names[place + 1 :]:
                shared.setdefault((first, second), []).append((panel[first], panel[second]))
    found = []
    for (first, second), pairs in sorted(shared.items()):
        kappa = cohen_kappa(pairs)
        if kappa is not None:
            found.append(Agreement(first, second, len(pairs), kappa))
    return found


def mean_kappas(panels: Iterable[Mapping[str, str]]) -> dict[str, float]:
    """Each annotator's mean Cohen's kappa with the others, weighted by the items they share."""
    items: Counter[str] = Counter()
    sums: dict[str, float] = {}
    for pair in pairwise(panels):
        for name in (pair.first, pair.second):
            items[name] += pair.items
            sums[name] = sums.get(name, 0.0) + pair.items * pair.kappa
    return {name: total / items[name] for name, total in sums.items()}


def annotator_noise(panels: Iterable[Mapping[str, str]], classes: int) -> float | None:
    """How often a single annotator is wrong, read off how often two of them differ.

    For annotators who err independently with the same probability e, evenly over the other K - 1
    classes, two differ with probability d = 1 - (1 - e)^2 - e^2 / (K - 1). Solved for the smaller
    e. Errors that annotators share (a misleading item, a wrong guideline) do not show in d: this is
    a lower bound of the noise, as every measure of agreement is.

    Args:
        panels: items with the answers of each annotator.
        classes: K, number of possible classes, >= 2.

    Returns:
        In [0, (K - 1) / K]; None when no item has two answers. Each item weighs the same.
    """
    rates = []
    for panel in panels:
        answers = Counter(panel.values())
        count = answers.total()
        if count >= 2:
            same = sum(n * (n - 1) for n in answers.values())
            rates.append(1 - same / (count * (count - 1)))
    if not rates:
        return None
    differ = min(math.fsum(rates) / len(rates), (classes - 1) / classes)
    # d = 2e - e^2 K / (K - 1), so e = (K - 1) / K (1 - sqrt(1 - d K / (K - 1))).
    chance = (classes - 1) / classes
    return chance * (1 - math.sqrt(max(0.0, 1 - differ / chance)))


def verdict_noise(noise: float, votes_for: int, votes_against: int, classes: int) -> float:
    """P(a verdict is wrong) when `votes_for` annotators carried it against `votes_against`.

    The same model as `annotator_noise`, with equally frequent classes; the votes against are taken
    to be for one class.

    Args:
        noise: an annotator's probability to be wrong, in [0, (classes - 1) / classes].
        votes_for: votes for the verdict, >= 1.
        votes_against: other votes, >= 0.
        classes: number of possible classes, >= 2.

    >>> verdict_noise(0.1, 1, 0, 2)
    0.1
    >>> round(verdict_noise(0.1, 2, 0, 2), 4)
    0.0122
    """
    if noise <= 0:
        return 0.0
    ratio = noise / (classes - 1) / (1 - noise)
    rival = ratio ** (votes_for - votes_against)
    others = (classes - 2) * ratio**votes_for
    return (rival + others) / (1 + rival + others)
