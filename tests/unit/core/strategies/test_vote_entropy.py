"""Vote entropy: who may vote, and what the votes are worth."""

from __future__ import annotations

from math import log

import pytest

from streamal.core.strategies import VoteEntropy
from streamal.core.types import Context, Probabilities, Production
from tests.support.scoring import score_one

A: Probabilities = {"a": 0.8, "b": 0.1, "c": 0.1}
B: Probabilities = {"a": 0.3, "b": 0.4, "c": 0.3}
C: Probabilities = {"a": 0.0, "b": 0.0, "c": 1.0}
NOVICE: Probabilities = {}
ONE_CLASS: Probabilities = {"b": 1.0}


def score(*committee: Probabilities) -> float:
    return score_one(VoteEntropy(), Context("e1", {}, Production(), committee=committee))


def entropy(*shares: float) -> float:
    return -sum(share * log(share) for share in shares)


@pytest.mark.parametrize(
    ("committee", "expected"),
    [
        ((A, A, A), 0.0),
        ((A, B, C), 1.0),
        ((A, B), 1.0),  # two votes cannot spread wider, whatever the number of classes
        ((A, A, A, B), entropy(0.75, 0.25) / log(3)),
        ((A, A, B, C), entropy(0.5, 0.25, 0.25) / log(3)),
    ],
)
def test_values(committee: tuple[Probabilities, ...], expected: float) -> None:
    assert score(*committee) == pytest.approx(expected, abs=1e-12)


def test_how_sure_a_member_is_does_not_matter() -> None:
    hardly = {"a": 0.34, "b": 0.33, "c": 0.33}
    assert score(A, B, B) == score(hardly, B, B)


@pytest.mark.parametrize(
    "committee", [(), (NOVICE,), (NOVICE, ONE_CLASS, ONE_CLASS), (A,), (A, NOVICE, ONE_CLASS)]
)
def test_without_two_voters_nothing_is_known(committee: tuple[Probabilities, ...]) -> None:
    assert score(*committee) == 1.0


def test_members_without_a_choice_do_not_vote() -> None:
    assert score(A, A, ONE_CLASS, NOVICE) == 0.0
    assert score(A, A, B, ONE_CLASS) == score(A, A, B)


def test_the_order_of_members_and_classes_does_not_matter() -> None:
    tie = {"a": 0.5, "b": 0.5}
    turned = {"b": 0.5, "a": 0.5}
    assert score(tie, turned) == 0.0
    assert score(A, B, B) == score(B, A, B)
