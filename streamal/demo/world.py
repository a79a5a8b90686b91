"""The demo's world: a production model that goes stale, and two pipelines that watch it.

Everything runs on one thread and a clock that is moved by hand, one second per event, so that a
seed fixes the whole run. Gate and trainer are the ones that run in production.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from streamal.bootstrap import Pipeline, check_settings
from streamal.broker.memory import MemoryBroker
from streamal.clock import ManualClock
from streamal.core.estimation import Estimate
from streamal.core.features import FeatureColumns
from streamal.core.learners import Learner, build_learner
from streamal.core.types import top_class
from streamal.demo.data import Item
from streamal.demo.desk import DemoDesk, open_desk
from streamal.demo.reviewers import Reviewers
from streamal.operations.topics import topic_specs
from streamal.ports import Producer
from streamal.roles.gate_batch import Decided
from streamal.settings import Settings
from streamal.telemetry import Metrics

__all__ = ["PREDICTIONS", "Tally", "Watcher", "World", "train_production"]

PREDICTIONS: Final = "predictions"


def train_production(items: Sequence[Item], seed: int) -> Learner:
    """A forest that has learned `items` and never learns again."""
    model = build_learner("adaptive_random_forest", parameters={}, committee_size=0, seed=seed)
    for number, item in enumerate(items):
        model.learn(item.features, item.label, event_id=f"past-{number}")
    return model


@dataclass(slots=True)
class Tally:
    """What one pipeline's decisions came to, counted against the truth."""

    decided: int = 0
    routed: int = 0
    model_right: int = 0
    routed_errors: int = 0

    @property
    def routed_ratio(self) -> float:
        """Share of the events that were sent to review."""
        return self.routed / max(1, self.decided)

    @property
    def model_accuracy(self) -> float:
        """Prequential accuracy of the online model over all events."""
        return self.model_right / max(1, self.decided)

    @property
    def error_yield(self) -> float:
        """Share of the reviewed items that production had got wrong."""
        return self.routed_errors / max(1, self.routed)


class Watcher:
    """One pipeline with its reviewers, driven step by step.

    Args:
        settings: of the pipeline.
        broker: the log that all watchers share.
        clock: the world's clock.
        truth: event id to true class; grows as the world goes on.
        reviewers: makes the reviewers of this pipeline.
        with_desk: whether to open a review console, if its libraries are there.
    """

    def __init__(
        self,
        settings: Settings,
        broker: MemoryBroker,
        clock: ManualClock,
        truth: Mapping[str, str],
        reviewers: Callable[[Settings], Reviewers],
        *,
        with_desk: bool = False,
    ) -> None:
        check_settings(settings)
        broker.admin().create_topics(topic_specs(settings))
        self.tally = Tally()
        self.metrics = Metrics(settings.pipeline.name)
        self._truth = truth
        self._clock = clock
        pipeline = Pipeline(settings, broker, clock, self.metrics)
        self.gate = pipeline.gate(instance="demo", observer=self._observe)
        self.trainer = pipeline.trainer(":memory:")
        self._reviewers = reviewers(settings)
        self.gate.start()
        self.trainer.start()
        self.desk: DemoDesk | None = open_desk(pipeline) if with_desk else None

    def step(self) -> None:
        """One step of everybody."""
        self.gate.step()
        self._reviewers.step(self._clock.now())
        self.trainer.step()
        if self.desk is not None:
            self.desk.step()

    def estimate(self) -> Estimate | None:
        """Production's accuracy over all matured windows, from the reviews alone; None so far."""
        quality = self.trainer.quality
        if quality is None or not quality.production.overall().labelled:
            return None
        return quality.production.overall()

    def close(self) -> None:
        """End in good order."""
        if self.desk is not None:
            self.desk.close()
        self.gate.close()
        self.trainer.close()
        self._reviewers.close()

    def _observe(self, decided: Decided) -> None:
        known = decided.assessed.outlooks.probabilities.top_classes()
        for prediction, own, query in zip(
            decided.predictions, known, decided.decisions.queries, strict=True
        ):
            label = self._truth[prediction.event_id]
            self.tally.decided += 1
            self.tally.model_right += own == label
            if query:
                self.tally.routed += 1
                self.tally.routed_errors += prediction.prediction.label != label


class World:
    """Publishes the stream with production's predictions and lets everybody work.

    Args:
        production: a model that doesn't learn any more.
        clock: moved by one second per event.
        broker: the log.
        tell: whether events carry the recorded class for the person who reviews some of them; as
            metadata, which no model sees.
    """

    def __init__(
        self, production: Learner, clock: ManualClock, broker: MemoryBroker, *, tell: bool = False
    ) -> None:
        self._tell = tell
        self._production = production
        self._clock = clock
        self._producer: Producer = broker.producer()
        self.truth: dict[str, str] = {}
        self.production_right = 0

    @property
    def production_accuracy(self) -> float:
        """Production's true accuracy so far."""
        return self.production_right / max(1, len(self.truth))

    def publish(self, item: Item) -> None:
        """Let production predict one item, and a second pass."""
        self._clock.advance(1.0)
        event_id = f"event-{len(self.truth)}"
        probabilities = self._production.predict_proba(FeatureColumns([item.features])).item(0)
        self.truth[event_id] = item.label
        self.production_right += top_class(probabilities) == item.label
        event = {
            "event_id": event_id,
            "timestamp": self._clock.now(),
            "model": {"name": "demo", "version": "1"},
            "features": item.features,
            "prediction": {"probabilities": probabilities},
            "metadata": {"recorded class": item.label} if self._tell else {},
        }
        self._producer.send(PREDICTIONS, orjson.dumps(event), key=event_id.encode())
