"""Roles on the memory broker that are killed, or lose it, at a call that a test chooses."""

from __future__ import annotations

from typing import Any, Literal

from streamal.bootstrap import Pipeline
from streamal.errors import Retriable
from streamal.telemetry import Metrics
from tests.support.town import SESSION_SECONDS, Town
from tests.support.trap import Killed, Trap, Trapped


class TrappedTown(Town):
    """A town whose roles can be trapped."""

    def trapped(self, trap: Trap) -> Pipeline:
        """The pipeline as a process sees it whose calls pass `trap`."""
        broker: Any = Trapped(self.broker, trap)
        return Pipeline(self.settings, broker, self.clock, Metrics("faults"))


class Runner:
    """Steps a role, and starts another process where it was killed."""

    def __init__(self, town: TrappedTown, role: Literal["gate", "trainer"], trap: Trap) -> None:
        self._town = town
        self._name = role
        self.trap = trap
        self.deaths = 0
        self._role: Any = None
        self._started = False

    def step(self) -> None:
        """One step, or the death and the birth of a process."""
        try:
            if self._role is None:
                self._role = self._make()
            if not self._started:
                self._role.start()
                self._started = True
            self._role.step()
        except Killed:
            self._die()
        except Retriable as error:
            self._recover(error)

    def _make(self) -> object:
        pipeline = self._town.trapped(self.trap)
        return pipeline.gate(instance="one") if self._name == "gate" else pipeline.trainer()

    def _recover(self, error: Retriable) -> None:
        if not self._started:
            return
        try:
            self._role.recover(error)
        except Retriable as again:
            self._recover(again)
        except Killed:
            self._die()

    def _die(self) -> None:
        for client in self.trap.clients:
            self._town.broker.kill(client)
        pending = getattr(self._role, "_pending", None)
        if pending is not None:
            pending.close()  # the system drops a dead process's lock on the file
        self.deaths += 1
        self.trap = Trap()
        self._role, self._started = None, False
        self._town.clock.advance(SESSION_SECONDS + 1)
