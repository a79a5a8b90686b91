"""A shop whose model of fraud has gone out of date, watched on the memory broker."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import Any

import orjson

from streamal.bootstrap import Pipeline, topics_of
from streamal.broker.memory import MemoryBroker
from streamal.clock import ManualClock
from streamal.demo.reviewers import Reviewers
from streamal.operations.topics import topic_specs
from streamal.settings import Settings
from streamal.telemetry import Metrics
from tests.support.town import NO_WAIT, merged

_SECONDS_PER_ORDER = 10.0
_ORDERS_PER_STEP = 20
_FOREVER = 1e9


class Shop:
    """Orders that were predicted on, routed and partly reviewed.

    Production has learned that large amounts are fraud, and never heard of the nightly orders from
    Brazil. It gets worse when those become more, half way.

    Args:
        orders: how many come in.
        changes: settings.
    """

    def __init__(self, orders: int, changes: Mapping[str, Any] | None = None) -> None:
        self.clock = ManualClock()
        # Minutes pass between two steps.
        self.broker = MemoryBroker(
            self.clock, session_timeout_seconds=_FOREVER, transaction_timeout_seconds=_FOREVER
        )
        defaults = {
            "pipeline": {"name": "shop", "classes": ["fraud", "ok"]},
            "topics": {"predictions_partitions": 1},
            "gate": {"budget": 0.2, "poll_timeout_seconds": NO_WAIT},
            "learner": {"name": "logistic_regression"},
            "labels": {"ttl_seconds": 3600},
            "estimation": {"window_seconds": 3600, "label_horizon_seconds": 3600},
            "trainer": {"poll_timeout_seconds": NO_WAIT},
            "snapshots": {"signing_keys": ["0123456789abcdef"]},
        }
        self.settings = Settings.model_validate(merged(defaults, changes or {}))
        self.broker.admin().create_topics(topic_specs(self.settings))
        self.pipeline = Pipeline(self.settings, self.broker, self.clock, Metrics("shop"))
        self.started = self.clock.now()
        self.truth: dict[str, str] = {}
        self.said: dict[str, str] = {}
        self._random = random.Random(11)
        self._work(orders)

    @property
    def production_accuracy(self) -> float:
        """Its true accuracy."""
        right = sum(self.said[event_id] == label for event_id, label in self.truth.items())
        return right / len(self.truth)

    def _work(self, orders: int) -> None:
        gate, trainer = self.pipeline.gate(instance="shop"), self.pipeline.trainer(":memory:")
        reviewers = Reviewers(
            self.broker,
            topics_of(self.settings),
            self.truth,
            ("fraud", "ok"),
            seed=3,
            delay_seconds=600,
            noise=0,
        )
        gate.start()
        trainer.start()
        producer = self.broker.producer()
        rest = int(2 * 3600 / _SECONDS_PER_ORDER / _ORDERS_PER_STEP)
        for step in range(orders // _ORDERS_PER_STEP + rest):
            for _ in range(_ORDERS_PER_STEP):
                self.clock.advance(_SECONDS_PER_ORDER)
                if len(self.truth) < orders:
                    order = self._order(late=step * _ORDERS_PER_STEP > orders / 2)
                    producer.send(self.settings.topics.predictions, orjson.dumps(order))
            gate.step()
            reviewers.step(self.clock.now())
            trainer.step()
        for part in (gate, trainer, reviewers, producer):
            part.close()

    def _order(self, *, late: bool) -> dict[str, Any]:
        event_id = f"order-{len(self.truth)}"
        amount = self._random.lognormvariate(4, 0.7)
        country = self._random.choices(("pt", "de", "br"), (5, 3, 4 if late else 2))[0]
        hour = self._random.randrange(24)
        score = 1 / (1 + math.exp(-(amount - 150) / 30))
        self.truth[event_id] = "fraud" if amount > 150 or (country == "br" and hour < 8) else "ok"
        self.said[event_id] = "fraud" if score > 0.5 else "ok"
        return {
            "event_id": event_id,
            "timestamp": self.clock.now(),
            "model": {"name": "fraud", "version": "14"},
            "features": {"amount": round(amount, 2), "country": country, "hour": hour},
            "prediction": {"probabilities": {"fraud": score, "ok": 1 - score}},
            "metadata": {"shop": "north" if amount < 60 else "south"},
        }
