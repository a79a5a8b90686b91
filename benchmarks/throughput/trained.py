"""A trained model on the `models` topic, as a trainer leaves it; all that is known of models here.

Whoever changes how the core learns changes this module.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import orjson

from benchmarks.throughput.events import Shape, events
from benchmarks.throughput.peers.job import LABELS, TRAINING_SEED
from streamal.bootstrap.parts import blank_model, learner_digest, new_signer
from streamal.core.types import Production
from streamal.events import Heartbeat
from streamal.ports import Broker
from streamal.settings import Settings
from streamal.state.snapshots import dump, new_header, pack

_LINEAGE: Final = "throughput"
_models: dict[tuple[str, Shape], bytes] = {}


def publish_trained(settings: Settings, broker: Broker, shape: Shape) -> None:
    """Write the snapshot of a model that has learned some thousand labels of such events."""
    header = new_header(
        pipeline=settings.pipeline.name,
        version=1,
        lineage=_LINEAGE,
        label_offsets={},
        labels_learned=LABELS,
        created_at=datetime.now(UTC),
        learner=settings.learner.name,
        settings_digest=learner_digest(settings),
        heartbeat=Heartbeat(sent_at=datetime.now(UTC), pending=0),
    )
    producer = broker.producer()
    for message in pack(header, _trained(settings, shape), new_signer(settings)):
        producer.send(
            settings.topics.models, message.value, key=message.key, headers=message.headers
        )
    producer.flush()
    producer.close()


def _trained(settings: Settings, shape: Shape) -> bytes:
    """The pickled model; rows that are repeated share it."""
    identity = (settings.learner.model_dump_json(), shape)
    if identity not in _models:
        model = blank_model(settings)
        for event in events(shape, LABELS, seed=TRAINING_SEED):
            document = orjson.loads(event.value)
            prediction = document["prediction"]
            production = Production(
                label=prediction["label"], probabilities=prediction["probabilities"]
            )
            event_id = document["event_id"]
            model.learn(document["features"], production, event.truth, event_id=event_id)
        _models[identity] = dump(model)
    return _models[identity]
