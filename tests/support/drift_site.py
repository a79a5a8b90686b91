"""A gate and trainers on the memory broker, in a world that may change: for tests of drift."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from streamal.events import DriftEvent
from streamal.roles.gate_batch import Decided
from streamal.roles.trainer import TrainerRole
from streamal.telemetry import Metrics
from tests.support.town import SESSION_SECONDS, Town, merged

__all__ = ["DriftSite", "NumberSite"]

#: One event a second; windows of 100 seconds that are compared at once and mature after 20.
SETTINGS: dict[str, Any] = {
    "gate": {"budget": 0.5, "exploration": 0.5, "strategy": "random"},
    "estimation": {"window_seconds": 100, "label_horizon_seconds": 20},
    "trainer": {"heartbeat_seconds": 5, "snapshot_every_labels": 30},
    "drift": {
        "detectors": ["harmful_risk"],
        "detector_parameters": {"harmful_risk": {"reference_margin": 0.15}},
        "data": {"reference_windows": 3, "grace_seconds": 0, "least_events": 50},
    },
}


class DriftSite:
    """A gate, and trainers that may be replaced at any moment."""

    def __init__(
        self, drift: Mapping[str, Any] | None = None, others: Mapping[str, Any] | None = None
    ) -> None:
        settings = merged(SETTINGS, others or {})
        self.town = Town({**settings, "drift": {**settings["drift"], **(drift or {})}})
        self.random = random.Random(4)
        self.metrics = Metrics("town")
        self.routed: list[str] = []
        self.gate = self.town.pipeline(self.metrics).gate(instance="one", observer=self._note)
        self.gate.start()
        self.trainer = self._new_trainer()
        self.number = 0

    def _note(self, decided: Decided) -> None:
        self.routed += [decided.predictions[row].event_id for row in decided.decisions.routed]

    def _new_trainer(self) -> TrainerRole:
        trainer = self.town.pipeline().trainer(":memory:")
        trainer.start()
        return trainer

    def replace_trainer(self) -> None:
        """The leader dies without a word, and one that knows nothing takes over."""
        self.trainer = self._new_trainer()
        self.town.clock.advance(SESSION_SECONDS + 1)
        for _ in range(4):
            self.trainer.step()

    def run(self, events: int, *, wrong: float, shift: float = 0.0) -> None:
        """So many events, each answered at once, if it is asked for."""
        for _ in range(events):
            self.town.clock.advance(1)
            features = {"x": self.random.gauss(shift, 1), "y": self.random.gauss(0, 1)}
            self.publish(f"e{self.number}", features)
            self.number += 1
            self.gate.step()
            for event_id in self.routed:
                self.answer(event_id, wrong)
            self.routed.clear()
            self.trainer.step()

    def publish(self, event_id: str, features: Mapping[str, float]) -> None:
        """Production always says yes."""
        self.town.publish(event_id, features=features)

    def answer(self, event_id: str, wrong: float) -> None:
        """A person says no so often."""
        self.town.label(event_id, "no" if self.random.random() < wrong else "yes")

    def events(self) -> list[DriftEvent]:
        """All that was told on the topic."""
        return [DriftEvent.from_bytes(r.value) for r in self.town.read(self.town.topics.drift)]

    def told(self) -> list[tuple[str, str]]:
        """Of each event who told it, and its kind."""
        return [(event.detector, event.kind) for event in self.events()]

    def shown(self, action: str) -> float | None:
        """What the gate shows of a response."""
        return self.metrics.value("streamal_drift_response_ratio", {"action": action})


class NumberSite(DriftSite):
    """A regression: production always says 20, and `wrong` is the mean of how far that is off."""

    def __init__(self, drift: Mapping[str, Any] | None = None, *, tolerance: float = 1e6) -> None:
        #: By event, how far production is off, as a multiple of `wrong`.
        self.errors: dict[str, float] = {}
        watch = {
            "detectors": ["harmful_error"],
            "detector_parameters": {"harmful_error": {"reference_margin": 0.3}},
        }
        super().__init__(
            {**watch, **(drift or {})},
            {
                "pipeline": {"task": "regression", "tolerance": tolerance},
                "learner": {"name": "linear_regression"},
            },
        )

    def publish(self, event_id: str, features: Mapping[str, float]) -> None:
        """Production says 20, and is off by an exponentially distributed error of either sign."""
        self.errors[event_id] = self.random.choice((-1.0, 1.0)) * self.random.expovariate(1.0)
        self.town.publish(event_id, features=features, prediction={"value": 20.0})

    def answer(self, event_id: str, wrong: float) -> None:
        """A person says the truth."""
        self.town.label(event_id, None, value=20.0 + wrong * self.errors[event_id])
