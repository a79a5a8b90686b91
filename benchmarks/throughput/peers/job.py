"""The minimum of a gate's job: predict, compare with a threshold, ask about what is doubtful."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import numpy as np
import orjson
from river.compose import Pipeline
from river.linear_model import LogisticRegression
from river.preprocessing import StandardScaler

from benchmarks.throughput.events import Shape, events

#: What a peer prints before the number of events that it has handled.
HANDLED: Final = "handled"
#: Labels that the model has learned before the first event.
LABELS: Final = 3_000
#: Another draw than that of the events to be decided.
TRAINING_SEED: Final = 2
#: Records of one poll; kafka-python's default, and streamal's.
BATCH_RECORDS: Final = 500


@dataclass(frozen=True, slots=True)
class Job:
    """What a peer is asked to do; travels as JSON, the program's last argument.

    Attributes:
        bootstrap: the broker's `host:port`.
        topic: to read, from its beginning.
        reviews: topic to write to.
        group: a fresh consumer group.
        warm_up: events before the measured ones.
        total: events in all.
        budget: share of the events to ask about.
        features: numeric features of an event.
    """

    bootstrap: str
    topic: str
    reviews: str
    group: str
    warm_up: int
    total: int
    budget: float
    features: int

    @classmethod
    def given(cls) -> Self:
        """From the command line."""
        return cls(**json.loads(sys.argv[-1]))

    def to_argument(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self))


class Chooser:
    """A model that has learned, and the threshold that keeps its questions to the budget."""

    def __init__(self, job: Job) -> None:
        self._model = Pipeline(StandardScaler(), LogisticRegression())
        scores = []
        for event in events(Shape(job.features), LABELS, seed=TRAINING_SEED):
            features = orjson.loads(event.value)["features"]
            scores.append(self._doubt(features))
            self._model.learn_one(features, event.truth == "fraud")
        later = scores[LABELS // 2 :]
        self._threshold = float(np.quantile(later, 1.0 - job.budget))

    def _doubt(self, features: dict[str, float]) -> float:
        p: float = self._model.predict_proba_one(features).get(True, 0.5)
        return 1.0 - abs(2.0 * p - 1.0)

    def question(self, document: dict[str, Any]) -> dict[str, Any] | None:
        """What to ask people about an event; None where the model is sure."""
        doubt = self._doubt(document["features"])
        if doubt < self._threshold:
            return None
        return {
            "event_id": document["event_id"],
            "features": document["features"],
            "prediction": document["prediction"],
            "score": doubt,
        }


class Progress:
    """Tells the benchmark when the last event of the warm-up, and of all, was handled."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._handled = 0
        # A descriptor of our own: frameworks take `sys.stdout` for their logs.
        self._out = open(os.dup(1), "wb", buffering=0)  # noqa: PTH123, SIM115 - for good

    def count(self, events: int = 1) -> None:
        """So many more were handled."""
        before, self._handled = self._handled, self._handled + events
        for mark in (self._job.warm_up, self._job.total):
            if before < mark <= self._handled:
                self._out.write(f"{HANDLED} {mark}\n".encode())
