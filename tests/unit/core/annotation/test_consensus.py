"""From votes to an answer: majorities, weights, medians."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import product

import pytest

from streamal.core.annotation import (
    Outcome,
    Vote,
    decided,
    median_outcome,
    shares,
    weighted_posterior,
)


def votes(text: str) -> list[Vote]:
    return [Vote(f"w{place}", answer) for place, answer in enumerate(text)]


@pytest.mark.parametrize(
    ("text", "least", "answer"),
    [
        ("", 0.5, None),
        ("a", 0.5, "a"),
        ("ab", 0.5, None),
        ("aab", 0.5, "a"),
        ("aab", 0.7, None),
        ("aabc", 0.5, None),
        ("aabc", 0.4, "a"),
        ("aabb", 0.1, None),
        ("aaa", 0.99, "a"),
    ],
)
def test_a_majority_lies_above_the_limit_and_has_no_equal(
    text: str, least: float, answer: str | None
) -> None:
    assert decided(shares(votes(text)), least).answer == answer


def test_confidence_is_told_of_undecided_votes_too() -> None:
    assert decided(shares(votes("aabb")), 0.5) == Outcome(None, 0.5)


def by_enumeration(given: list[Vote], accuracies: Mapping[str, float], k: int) -> dict[str, float]:
    """P(class | votes) by Bayes over all k classes, uniform prior."""
    classes = sorted({str(vote.answer) for vote in given})
    classes += [f"unseen{n}" for n in range(k - len(classes))]
    joint = {
        truth: math.prod(
            accuracies[vote.annotator]
            if vote.answer == truth
            else (1 - accuracies[vote.annotator]) / (k - 1)
            for vote in given
        )
        for truth in classes
    }
    total = sum(joint.values())
    return {truth: p / total for truth, p in joint.items()}


@pytest.mark.parametrize("k", [2, 3, 6])
def test_weights_are_bayes_rule(k: int) -> None:
    for text, levels in product(("a", "ab", "aab", "abb"), product((0.3, 0.6, 0.95), repeat=3)):
        accuracies = {f"w{place}": level for place, level in enumerate(levels)}
        ours = weighted_posterior(votes(text), accuracies, k)
        theirs = by_enumeration(votes(text), accuracies, k)
        assert ours == pytest.approx({name: theirs[name] for name in ours})


def test_one_who_knows_outweighs_two_who_guess() -> None:
    accuracies = {"w0": 0.97, "w1": 0.55, "w2": 0.55}
    assert decided(weighted_posterior(votes("abb"), accuracies, 2), 0.5).answer == "a"
    assert decided(shares(votes("abb")), 0.5).answer == "b"


def test_nobody_is_infinitely_sure() -> None:
    posterior = weighted_posterior(votes("abb"), {"w0": 1.0, "w1": 1.0, "w2": 1.0}, 2)
    assert decided(posterior, 0.5).answer == "b"
    assert sum(posterior.values()) == pytest.approx(1)


def test_the_median_needs_company() -> None:
    near = [Vote("x", 10.0), Vote("y", 10.5), Vote("z", 30.0)]
    assert median_outcome(near, 1.0, 0.5) == Outcome(10.5, 2 / 3)
    assert median_outcome(near, 0.1, 0.5).answer is None
    assert median_outcome(near, math.inf, 0.5).answer == 10.5
    assert median_outcome([], 1.0, 0.5) == Outcome(None, 0.0)
