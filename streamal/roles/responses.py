"""What the gates do about drift for the time being."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from streamal.core.learners import Outlook
from streamal.core.types import Probabilities
from streamal.events import DriftResponse

__all__ = ["Standing", "in_force", "less_trusted", "trusted"]


@dataclass(frozen=True, slots=True)
class Standing:
    """All responses that are in force, together; see `streamal.core.types.Conditions`."""

    budget_factor: float = 1.0
    exploration: float | None = None
    trust: float = 1.0


def in_force(responses: Iterable[DriftResponse], now: float) -> Standing:
    """The strongest of each kind among those that have not ended by `now` (epoch seconds)."""
    standing = [each for each in responses if each.until.timestamp() > now]
    explored = [each.exploration for each in standing if each.exploration is not None]
    return Standing(
        budget_factor=max((each.budget_factor for each in standing), default=1.0),
        exploration=max(explored, default=None),
        trust=min((each.trust for each in standing), default=1.0),
    )


def less_trusted(probabilities: Probabilities, trust: float) -> Probabilities:
    """A distribution mixed with knowing nothing; at a trust of 0 nothing is known at all.

    >>> less_trusted({"cat": 1.0, "dog": 0.0}, 0.5)
    {'cat': 0.75, 'dog': 0.25}
    """
    if trust >= 1.0 or not probabilities:
        return probabilities
    if trust <= 0.0:
        return {}
    even = (1.0 - trust) / len(probabilities)
    return {label: trust * p + even for label, p in probabilities.items()}


def trusted(outlook: Outlook, trust: float) -> Outlook:
    """What counts of the online model's opinion; nothing of it at a trust of 0.

    Numbers have no even distribution to be mixed with: those of a regression count or do not. Nor
    does mixing change which item is the most doubtful of a classification, only how doubtful.
    """
    if trust >= 1.0:
        return outlook
    members = (less_trusted(member, trust) for member in outlook.committee)
    knows = trust > 0.0
    return replace(
        outlook,
        probabilities=less_trusted(outlook.probabilities, trust),
        committee=tuple(member for member in members if member),
        expected_correct=0.5 + trust * (outlook.expected_correct - 0.5),
        value=outlook.value if knows else None,
        committee_values=outlook.committee_values if knows else (),
        expected_loss=outlook.expected_loss if knows else None,
    )
