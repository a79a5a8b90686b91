"""Budget policies: from a stream of scores to propensities that a budget can pay for.

One class per file. `BUDGETS` is the registry that settings, catalogue and conformance suite go by;
an `Advance` and the limits (`MaxPerHour`, `MaxPending`, `Stopping`) wrap any policy and are put
around it by `build_budget`. A policy that samples uniformly is `quantile` with the strategy
`random`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from streamal.core.budgets.advance import Advance, AdvanceLabels
from streamal.core.budgets.balanced_incremental_quantile_filter import (
    BalancedIncrementalQuantileFilter,
)
from streamal.core.budgets.base import BudgetPolicy
from streamal.core.budgets.fixed_threshold import FixedThreshold
from streamal.core.budgets.max_pending import MaxPending, PendingLimit
from streamal.core.budgets.max_per_hour import HourlyLimit, MaxPerHour, PartitionShare
from streamal.core.budgets.propensity_sampling import PropensitySampling
from streamal.core.budgets.quantile import Quantile
from streamal.core.budgets.randomised_variable_threshold import RandomisedVariableThreshold
from streamal.core.budgets.split import Split
from streamal.core.budgets.stopping import Stopping, TargetAccuracy
from streamal.core.budgets.variable_threshold import VariableThreshold
from streamal.core.budgets.windowed_top_k import WindowedTopK
from streamal.core.parameters import check, construct
from streamal.core.types import JsonValue
from streamal.errors import SettingsInvalid

__all__ = [
    "BUDGETS",
    "SHARED_PARAMETERS",
    "Advance",
    "BalancedIncrementalQuantileFilter",
    "BudgetPolicy",
    "FixedThreshold",
    "MaxPending",
    "MaxPerHour",
    "PropensitySampling",
    "Quantile",
    "RandomisedVariableThreshold",
    "Split",
    "Stopping",
    "VariableThreshold",
    "WindowedTopK",
    "build_budget",
]

BUDGETS: Mapping[str, type[BudgetPolicy]] = MappingProxyType(
    {
        cls.name: cls
        for cls in (
            BalancedIncrementalQuantileFilter,
            FixedThreshold,
            PropensitySampling,
            Quantile,
            RandomisedVariableThreshold,
            Split,
            VariableThreshold,
            WindowedTopK,
        )
    }
)

#: Parameters that every policy has and that stand in `gate.*` rather than `gate.policy_parameters`.
SHARED_PARAMETERS: Final = ("budget", "exploration")


def build_budget(
    name: str,
    parameters: Mapping[str, JsonValue],
    *,
    budget: float,
    exploration: float = 0.2,
    advance_labels: float = 0.0,
    max_per_hour: float | None = None,
    max_pending: int | None = None,
    stop_at_accuracy: float | None = None,
    share: float = 1.0,
) -> BudgetPolicy:
    """The policy registered as `name`, from settings, inside its limits. One for each partition.

    The hourly limit stands outermost: it is hard, so it holds for exploration too.

    Args:
        name: registered name.
        parameters: the policy's own parameters.
        budget: share of items to route, in (0, 1].
        exploration: share of the budget spent uniformly, in [0, 0.9].
        advance_labels: labels over all partitions that are spent before the budget has earned them.
        max_per_hour: routed items in any hour over all partitions; None for no limit.
        max_pending: unanswered reviews from which only exploration goes on; None for no limit.
        stop_at_accuracy: the accuracy from which only exploration goes on; None for no limit.
        share: this partition's part of what holds for all of them: 1 / partitions.

    Raises:
        SettingsInvalid: there is no such policy, a parameter is unknown or out of its range, or
            stopping has no exploration to go on with.

    >>> build_budget("quantile", {"window": 500}, budget=0.05, max_per_hour=60).name
    'max_per_hour'
    """
    if name not in BUDGETS:
        allowed = ", ".join(sorted(BUDGETS))
        raise SettingsInvalid(f"gate.policy: {name!r} is not a budget policy; one of {allowed}")
    problems = check("gate.advance_labels", advance_labels, AdvanceLabels)
    problems += check("gate.max_per_hour", max_per_hour, HourlyLimit | None)
    problems += check("gate.max_pending", max_pending, PendingLimit | None)
    problems += check("gate.stop_at_accuracy", stop_at_accuracy, TargetAccuracy | None)
    if stop_at_accuracy is not None and not exploration:
        problems.append(
            "gate.stop_at_accuracy: needs gate.exploration above 0, or nobody would notice when "
            "the accuracy is lost again"
        )
    problems += check("share", share, PartitionShare)
    if problems:
        raise SettingsInvalid(*problems)
    policy = construct(
        BUDGETS[name],
        parameters,
        key="gate.policy_parameters",
        shared={"budget": budget, "exploration": exploration},
        shared_key="gate",
    )
    if advance_labels:
        policy = Advance(policy, advance_labels, share)
    if stop_at_accuracy is not None:
        policy = Stopping(policy, stop_at_accuracy)
    if max_pending is not None:
        policy = MaxPending(policy, max_pending)
    if max_per_hour is not None:
        policy = MaxPerHour(policy, max_per_hour, share)
    return policy
