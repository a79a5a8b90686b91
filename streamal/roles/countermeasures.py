"""Deciding what is done about a drift: as configured, not twice at once, and within the budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import TypeAdapter

from streamal.core.budgets.spend import REPAID
from streamal.core.drift.base import as_float
from streamal.core.types import JsonState
from streamal.events import DriftResponse
from streamal.events.drift import DriftCause

__all__ = ["Countermeasures", "Plan", "described"]

_RESPONSES = TypeAdapter(tuple[DriftResponse, ...])


@dataclass(frozen=True, slots=True)
class Plan:
    """What is configured for one cause, see `streamal.settings.drift.ResponseSettings`."""

    budget_factor: float = 1.0
    exploration: float | None = None
    trust: float = 1.0
    learner: Literal["keep", "reset", "reweight"] = "keep"
    duration_seconds: float = 86_400.0

    @property
    def does_something(self) -> bool:
        """Whether it differs from leaving everything as it is."""
        return self != Plan(duration_seconds=self.duration_seconds)


class Countermeasures:
    """The responses in force, at most one for each cause.

    Args:
        plans: what is done for each cause; a cause that is missing is not answered.
    """

    def __init__(self, plans: Mapping[DriftCause, Plan]) -> None:
        self._plans = plans
        self._responses: tuple[DriftResponse, ...] = ()
        #: When the last raise of the budget can have been paid back, seconds since the epoch.
        self._budget_free_at = 0.0

    def in_force(self, now: float) -> tuple[DriftResponse, ...]:
        """Those that have not ended by `now` (epoch seconds)."""
        return tuple(each for each in self._responses if each.until.timestamp() > now)

    def answer(self, cause: DriftCause, now: float) -> DriftResponse | None:
        """What is done about a drift that was found at `now`; None when nothing (more) is.

        A cause that is being answered already is not answered again. The budget is not raised
        before the last raise can have been paid back: at even traffic that takes 1 / `REPAID`
        times as long as it lasted, for each time the budget that it added.
        """
        plan = self._plans.get(cause, Plan())
        standing = self.in_force(now)
        if not plan.does_something or any(each.cause == cause for each in standing):
            return None
        factor = plan.budget_factor if now >= self._budget_free_at else 1.0
        until = now + plan.duration_seconds
        response = DriftResponse(
            cause=cause,
            budget_factor=factor,
            exploration=plan.exploration,
            trust=plan.trust,
            learner=plan.learner,
            until=datetime.fromtimestamp(until, UTC),
        )
        if factor > 1.0:
            self._budget_free_at = until + plan.duration_seconds * (factor - 1.0) / REPAID
        self._responses = (*standing, response)
        return response

    def state(self) -> JsonState:
        """All that `restore` needs."""
        return {
            "responses": _RESPONSES.dump_python(self._responses, mode="json"),
            "budget_free_at": self._budget_free_at,
        }

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned; an empty state is a fresh start."""
        self._responses = _RESPONSES.validate_python(state.get("responses") or ())
        self._budget_free_at = as_float(state.get("budget_free_at"))


def described(response: DriftResponse) -> str:
    """What a response does, in words."""
    parts = []
    if response.budget_factor > 1.0:
        parts.append(f"budget times {response.budget_factor:g}")
    if response.exploration is not None:
        parts.append(f"exploration {response.exploration:g}")
    if response.trust < 1.0:
        parts.append(f"trust {response.trust:g}")
    if response.learner != "keep":
        parts.append(f"learner {response.learner}")
    return ", ".join(parts) or "nothing more"
