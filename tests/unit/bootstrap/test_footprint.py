"""What a role's process has imported once it works: nothing that only other roles need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Final

#: 20 to 100 MB each. SciPy's bare package is small, and River imports it everywhere.
HEAVY: Final = frozenset(
    {
        "matplotlib",
        "pandas",
        "pyarrow",
        "river.datasets",
        "river.linear_model",
        "river.preprocessing",
        "river.tree",
        "scipy.special",
        "scipy.stats",
        "sklearn",
    }
)
OTHERS: Final = frozenset(
    {
        "jinja2",
        "starlette",
        "streamal.connectors",
        "streamal.console",
        "streamal.demo",
        "streamal.lab",
        "uvicorn",
    }
)
#: Checks the settings as `streamal run` does, and decides on a prediction from the memory broker.
GATE: Final = """
import json, sys
from streamal.bootstrap import Pipeline
from streamal.broker.memory import MemoryBroker
from streamal.cli.common import read_settings
from streamal.clock import SystemClock
from streamal.operations.topics import topic_specs
from streamal.ports import TopicPartition
from streamal.service import _make
from streamal.telemetry import Metrics

settings, clock = read_settings(None), SystemClock()
broker = MemoryBroker(clock)
broker.admin().create_topics(topic_specs(settings))
event = {
    "event_id": "e",
    "timestamp": "2026-03-02T09:30:00Z",
    "features": {"x": 1.5, "y": "b"},
    "prediction": {"label": "ok", "probabilities": {"ok": 0.5, "fraud": 0.5}},
}
producer = broker.producer()
producer.send("predictions", json.dumps(event).encode(), key=b"e")
producer.flush()
gate = _make(Pipeline(settings, broker, clock, Metrics("orders", roles=("gate",))), "gate")
gate.start()
sources = [TopicPartition("predictions", n) for n in gate.consumer.partitions_for("predictions")]
while not any(gate.consumer.committed(sources).values()):
    gate.step()
gate.close()
rejects = [TopicPartition("dead-letters", 0)]
assert not any(broker.consumer(group=None).end_offsets(rejects).values())
print(json.dumps(sorted(sys.modules)))
"""


def test_a_gate_imports_neither_scipy_nor_what_other_roles_need() -> None:
    done = subprocess.run(
        [sys.executable, "-c", GATE],
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
        env={**os.environ, "STREAMAL_SNAPSHOTS__SIGNING_KEYS": "0123456789abcdef"},
    )
    assert done.returncode == 0, done.stderr
    modules = set(json.loads(done.stdout.splitlines()[-1]))
    assert "streamal.core.learners.experts" in modules
    assert modules & (HEAVY | OTHERS) == set()
