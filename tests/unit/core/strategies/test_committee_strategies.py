"""Committee strategies: what disagreement is worth, worked out by hand."""

from __future__ import annotations

from itertools import permutations
from math import log

import pytest
from numpy.random import default_rng

from streamal.core.strategies import (
    CommitteeStrategy,
    ConsensusEntropy,
    JensenShannon,
    KlDisagreement,
    TopClassSpread,
    VoteEntropy,
)
from streamal.core.types import Context, Probabilities, Production
from tests.support.scoring import score_one

MEASURES = (ConsensusEntropy, JensenShannon, KlDisagreement, TopClassSpread, VoteEntropy)
#: Those that fall silent when all members say the same.
DISAGREEMENTS = (JensenShannon, KlDisagreement, TopClassSpread, VoteEntropy)

CAT: Probabilities = {"cat": 1.0, "dog": 0.0}
DOG: Probabilities = {"cat": 0.0, "dog": 1.0}
DOUBT: Probabilities = {"cat": 0.5, "dog": 0.5}


def score(measure: type[CommitteeStrategy], *committee: Probabilities) -> float:
    return score_one(measure(), Context("e1", {}, Production(), committee=committee))


def entropy(*shares: float) -> float:
    return -sum(share * log(share) for share in shares if share)


def each(*measures: type[CommitteeStrategy]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("measure", measures)


@pytest.mark.parametrize(
    ("measure", "committee", "expected"),
    [
        (ConsensusEntropy, (CAT, DOUBT), entropy(0.75, 0.25) / log(2)),
        (ConsensusEntropy, (DOUBT, DOUBT), 1.0),
        (JensenShannon, (CAT, DOG), 1.0),
        (JensenShannon, (CAT, DOUBT), (entropy(0.75, 0.25) - log(2) / 2) / log(2)),
        (JensenShannon, (CAT, CAT, DOG), entropy(2 / 3, 1 / 3) / log(2)),
        (KlDisagreement, (CAT, DOG), 1.0),
        (KlDisagreement, (CAT, CAT, CAT, DOG), 1.0),
        (KlDisagreement, (CAT, DOUBT), log(1 / 0.75) / log(2)),
        (TopClassSpread, (CAT, DOUBT), 0.5),
        (TopClassSpread, ({"cat": 0.78, "dog": 0.22}, {"cat": 0.91, "dog": 0.09}), 0.13),
    ],
)
def test_values(
    measure: type[CommitteeStrategy], committee: tuple[Probabilities, ...], expected: float
) -> None:
    assert score(measure, *committee) == pytest.approx(expected, abs=1e-12)


def test_kl_hears_one_dissenter_in_a_crowd_and_jensen_shannon_hardly() -> None:
    crowd = (CAT,) * 19
    assert score(KlDisagreement, *crowd, DOG) == pytest.approx(1.0)
    assert score(JensenShannon, *crowd, DOG) == pytest.approx(entropy(0.95, 0.05) / log(2))
    assert score(JensenShannon, *crowd, DOG) < 0.3


def test_the_spread_is_about_the_class_that_the_mean_favours() -> None:
    # The mean is cat 0.5, dog 0.4, fox 0.1; the members agree about cat, and not about dog.
    one, other = {"cat": 0.5, "dog": 0.5, "fox": 0.0}, {"cat": 0.5, "dog": 0.3, "fox": 0.2}
    assert score(TopClassSpread, one, other) == 0.0


@each(*DISAGREEMENTS)
@pytest.mark.parametrize("member", [DOUBT, CAT, {"cat": 0.1, "dog": 0.2, "fox": 0.7}])
def test_unanimous_members_do_not_disagree(
    measure: type[CommitteeStrategy], member: Probabilities
) -> None:
    assert score(measure, *(member,) * 7) == pytest.approx(0.0, abs=1e-12)


def test_shared_doubt_is_consensus_entropy_only() -> None:
    assert score(ConsensusEntropy, DOUBT, DOUBT, DOUBT) == pytest.approx(1.0)


@each(*MEASURES)
def test_classes_that_a_member_does_not_know_have_probability_zero(
    measure: type[CommitteeStrategy],
) -> None:
    narrow = {"cat": 0.7, "dog": 0.3}
    wide = {"dog": 0.2, "fox": 0.3, "cat": 0.5}
    completed = {**narrow, "fox": 0.0}
    assert score(measure, narrow, wide) == score(measure, completed, wide)
    assert score(measure, wide, narrow) == score(measure, wide, completed)


@each(*MEASURES)
def test_members_may_know_different_classes_altogether(measure: type[CommitteeStrategy]) -> None:
    one, other = {"a": 0.9, "b": 0.1}, {"c": 0.9, "d": 0.1}
    filled = {"a": 0.9, "b": 0.1, "c": 0.0, "d": 0.0}, {"a": 0.0, "b": 0.0, "c": 0.9, "d": 0.1}
    assert score(measure, one, other) == score(measure, *filled) > 0.7


@each(*MEASURES)
def test_neither_the_order_of_classes_nor_that_of_members_counts(
    measure: type[CommitteeStrategy],
) -> None:
    members = ({"a": 0.6, "b": 0.3, "c": 0.1}, {"a": 0.2, "b": 0.1, "c": 0.7}, {"a": 0.1, "b": 0.9})
    turned = tuple(dict(reversed(list(member.items()))) for member in members)
    expected = score(measure, *members)
    assert score(measure, *turned) == expected
    for order in permutations(members):
        assert score(measure, *order) == pytest.approx(expected, abs=1e-12)


@each(*MEASURES)
def test_as_many_classes_are_not_the_same_classes(measure: type[CommitteeStrategy]) -> None:
    # Three classes each on average.
    one, other = {"a": 0.6, "b": 0.4}, {"a": 0.5, "b": 0.2, "c": 0.2, "d": 0.1}
    middle = {"a": 0.3, "b": 0.3, "e": 0.4}
    classes = "abcde"
    filled = [{label: m.get(label, 0.0) for label in classes} for m in (middle, one, other)]
    assert score(measure, middle, one, other) == score(measure, *filled)


@each(*MEASURES)
def test_members_without_a_choice_are_not_heard(measure: type[CommitteeStrategy]) -> None:
    expected = score(measure, CAT, DOUBT)
    assert score(measure, {}, CAT, {"dog": 1.0}, DOUBT) == expected
    assert score(measure, CAT, {"dog": 1.0}) == 1.0
    assert score(measure, CAT) == 1.0


@each(*MEASURES)
@pytest.mark.parametrize(("members", "classes"), [(2, 2), (10, 2), (3, 20), (30, 5)])
def test_no_committee_exceeds_the_norm(
    measure: type[CommitteeStrategy], members: int, classes: int
) -> None:
    rng = default_rng(5)
    for sharpness in (0.01, 0.1, 1.0, 50.0):
        table = rng.dirichlet([sharpness] * classes, members)
        rows = table.tolist()
        committee = [{str(label): p for label, p in enumerate(row)} for row in rows]
        (disagreement,) = measure().disagreement(table[None]).tolist()
        assert -1e-9 <= disagreement <= 1.0 + 1e-9
        assert 0.0 <= score(measure, *committee) <= 1.0


@each(*MEASURES)
def test_the_smallest_probabilities_are_counted_too(measure: type[CommitteeStrategy]) -> None:
    smallest = {"cat": 1.0, "dog": 5e-324}
    expected = score(measure, CAT, DOUBT)
    assert score(measure, smallest, DOUBT) == pytest.approx(expected, abs=1e-9)
    assert 0.0 <= score(measure, smallest, {"cat": 0.5, "fox": 0.5}) <= 1.0
