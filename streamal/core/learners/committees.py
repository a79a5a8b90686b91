"""Which kinds of committee there are, and how a learner gets one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from streamal.core.learners.base import Learner
from streamal.core.learners.factory import build_learner
from streamal.core.learners.heterogeneous import HeterogeneousCommittee
from streamal.core.learners.own import derived_seed
from streamal.core.learners.subspaces import SubspaceCommittee
from streamal.errors import SettingsInvalid

__all__ = ["DIFFERENT_LEARNERS", "CommitteeKind", "build_with_committee"]

#: Learners that assume different things: a line, a density, a tree, the neighbours.
DIFFERENT_LEARNERS: Final = (
    "logistic_regression",
    "gaussian_nb",
    "hoeffding_adaptive_tree",
    "knn_classifier",
)


class CommitteeKind(StrEnum):
    """In what the members of a committee differ."""

    BAGGING = "bagging"
    SUBSPACES = "subspaces"
    HETEROGENEOUS = "heterogeneous"


def build_with_committee(
    name: str,
    *,
    parameters: Mapping[str, object],
    kind: CommitteeKind,
    size: int,
    learners: Sequence[str],
    seed: int,
) -> Learner:
    """A learner that has learned nothing, with its committee.

    Args:
        name: of the serving learner, see `build_learner`.
        parameters: of the serving learner.
        kind: in what the members differ: the labels they learn (bagging), the features they see, or
            what they are.
        size: members, >= 2; 0 for none. A heterogeneous committee has one for each of `learners`.
        learners: names of the members of a heterogeneous committee, each with its own defaults.
        seed: of everything random inside.

    Raises:
        SettingsInvalid: with one line for each problem.
    """
    if kind is CommitteeKind.BAGGING or (kind is CommitteeKind.SUBSPACES and size < 2):
        return build_learner(name, parameters=parameters, committee_size=size, seed=seed)
    serving = build_learner(name, parameters=parameters, committee_size=0, seed=seed)
    if kind is CommitteeKind.SUBSPACES:
        seeds = [derived_seed(seed, f"subspace {number}") for number in range(size)]
        members = [
            build_learner(name, parameters=parameters, committee_size=0, seed=each)
            for each in seeds
        ]
        return SubspaceCommittee(serving, members, seed=seed)
    if len(set(learners)) < 2:
        raise SettingsInvalid(
            f"learner.committee_learners: {list(learners)!r} is not allowed; at least two "
            "different learners"
        )
    return HeterogeneousCommittee(
        serving,
        [build_learner(each, parameters={}, committee_size=0, seed=seed) for each in learners],
    )
