"""Which committee a learner gets."""

from __future__ import annotations

import pytest

from streamal.core.learners.committees import (
    DIFFERENT_LEARNERS,
    CommitteeKind,
    build_with_committee,
)
from streamal.core.learners.registry import LEARNERS
from streamal.errors import SettingsInvalid
from tests.support.single import members_of


def members(kind: CommitteeKind, size: int, learners: tuple[str, ...] = DIFFERENT_LEARNERS) -> int:
    learner = build_with_committee(
        "gaussian_nb", parameters={}, kind=kind, size=size, learners=learners, seed=1
    )
    for number in range(10):
        learner.learn({"x": float(number % 2)}, "ab"[number % 2], event_id=str(number))
    return len(members_of(learner, {"x": 1.0}))


@pytest.mark.parametrize("kind", [CommitteeKind.BAGGING, CommitteeKind.SUBSPACES])
@pytest.mark.parametrize("size", [0, 2, 5])
def test_the_size_is_the_number_of_members(kind: CommitteeKind, size: int) -> None:
    assert members(kind, size) == size


@pytest.mark.parametrize("size", [0, 7])
def test_different_learners_bring_their_own_number(size: int) -> None:
    assert members(CommitteeKind.HETEROGENEOUS, size) == len(DIFFERENT_LEARNERS)
    assert set(DIFFERENT_LEARNERS) <= set(LEARNERS)


@pytest.mark.parametrize("learners", [(), ("gaussian_nb",), ("gaussian_nb", "gaussian_nb")])
def test_a_committee_of_one_kind_is_not_different(learners: tuple[str, ...]) -> None:
    with pytest.raises(SettingsInvalid, match="at least two different learners"):
        members(CommitteeKind.HETEROGENEOUS, 0, learners)


def test_an_unknown_member_is_named() -> None:
    with pytest.raises(SettingsInvalid, match="'nope' is not a learner"):
        members(CommitteeKind.HETEROGENEOUS, 0, ("gaussian_nb", "nope"))


@pytest.mark.parametrize("size", [-1, 1])
@pytest.mark.parametrize("kind", [CommitteeKind.BAGGING, CommitteeKind.SUBSPACES])
def test_one_member_is_no_committee(kind: CommitteeKind, size: int) -> None:
    with pytest.raises(SettingsInvalid, match="committee_size"):
        members(kind, size)
