"""Publishes events at a steady rate, each dated when it is sent: production, for latencies.

The arguments are bootstrap, topic, events per second, how many, and a prefix of the event ids.
"""

from __future__ import annotations

import re
import sys
import time
from datetime import UTC, datetime
from typing import Final

from confluent_kafka import Producer

from benchmarks.throughput.events import Shape, events

_TICK_SECONDS: Final = 0.002
_TIMESTAMP: Final = re.compile(rb'"timestamp":"[^"]*"')


def run(bootstrap: str, topic: str, rate: float, count: int, prefix: str) -> None:
    """Send them all."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0})
    made = [
        (event.key, *_TIMESTAMP.split(event.value, 1))
        for event in events(Shape(), count, seed=3, prefix=prefix)
    ]
    started = time.monotonic()
    for number, (key, before, after) in enumerate(made):
        while (wait := started + number / rate - time.monotonic()) > 0.0:
            producer.poll(0)
            time.sleep(min(wait, _TICK_SECONDS))
        sent = datetime.now(UTC).isoformat().encode()
        producer.produce(topic, before + b'"timestamp":"' + sent + b'"' + after, key)
    producer.flush()


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
