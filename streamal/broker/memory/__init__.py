"""A broker inside the process, faithful to Kafka: for the demo, backtests and tests."""

from streamal.broker.memory.broker import MemoryBroker
from streamal.broker.memory.cluster import Killed

__all__ = ["Killed", "MemoryBroker"]
