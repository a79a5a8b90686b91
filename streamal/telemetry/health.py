"""Is this process ready for work, and is it alive? Answers with reasons, for people and probes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Condition", "Health", "Report", "RoleHealth"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold.

    Attributes:
        name: what, such as `gate.broker`.
        ok: whether it holds.
        reason: one line that says why, or what is being waited for.
    """

    name: str
    ok: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to a probe: ok when every condition is, and there is at least one."""

    ok: bool
    conditions: tuple[Condition, ...]


class Health:
    """What the roles of one process say about themselves. May be shared by threads.

    Readiness is about work: a process that waits for its broker is alive but not ready. Liveness is
    about the process: a role that has not beaten within its limit is stuck, and only a restart
    helps.

    Args:
        monotonic: seconds on a clock that never jumps, such as `time.monotonic`; a corrected wall
            clock must not get a healthy process killed.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._conditions: dict[str, Condition] = {}
        self._limits: dict[str, float] = {}
        self._beats: dict[str, float] = {}

    def role(self, name: str, *, limit_seconds: float) -> RoleHealth:
        """Start to watch a role.

        Args:
            name: of the role.
            limit_seconds: longest time between two beats; above the longest step the role takes.
        """
        with self._lock:
            self._limits[name] = limit_seconds
            self._beats[name] = self._monotonic()
            self._conditions[name] = Condition(name, ok=False, reason="starting")
        return RoleHealth(self, name)

    def set(self, name: str, *, ok: bool, reason: str) -> None:
        """Say that a condition holds or does not, and why."""
        with self._lock:
            self._conditions[name] = Condition(name, ok, reason)

    def beat(self, role: str) -> None:
        """Show that a role is not stuck; a beat of a role that is not watched changes nothing."""
        with self._lock:
            if role in self._limits:
                self._beats[role] = self._monotonic()

    def retire(self, role: str) -> None:
        """Stop to watch a role that has ended in good order, and forget its conditions."""
        with self._lock:
            self._limits.pop(role, None)
            self._beats.pop(role, None)
            for name in [name for name in self._conditions if _belongs(name, role)]:
                del self._conditions[name]

    def ready(self) -> Report:
        """Whether every condition holds; a process that has said nothing yet is not ready."""
        with self._lock:
            conditions = tuple(self._conditions.values())
        ordered = tuple(sorted(conditions, key=lambda condition: condition.name))
        return Report(bool(ordered) and all(each.ok for each in ordered), ordered)

    def live(self) -> Report:
        """Whether every watched role has beaten within its limit."""
        now = self._monotonic()
        with self._lock:
            watched = [
                (role, now - self._beats[role], limit)
                for role, limit in sorted(self._limits.items())
            ]
        conditions = tuple(_heartbeat(*each) for each in watched)
        return Report(all(each.ok for each in conditions), conditions)


class RoleHealth:
    """One role's hand on the health of its process."""

    def __init__(self, health: Health, name: str) -> None:
        self._health = health
        self._name = name

    def set(self, *, ok: bool, reason: str) -> None:
        """The role's own condition."""
        self._health.set(self._name, ok=ok, reason=reason)

    def condition(self, name: str, *, ok: bool, reason: str) -> None:
        """A further condition, shown as `role.name`."""
        self._health.set(f"{self._name}.{name}", ok=ok, reason=reason)

    def beat(self) -> None:
        """The role is not stuck."""
        self._health.beat(self._name)

    def retire(self) -> None:
        """The role has ended in good order."""
        self._health.retire(self._name)


def _belongs(name: str, role: str) -> bool:
    return name == role or name.startswith(f"{role}.")


def _heartbeat(role: str, silent_seconds: float, limit_seconds: float) -> Condition:
    ok = silent_seconds <= limit_seconds
    said = f"last beat {silent_seconds:.1f} s ago"
    return Condition(role, ok, f"{said}, {'within' if ok else 'over'} {limit_seconds:g} s")
