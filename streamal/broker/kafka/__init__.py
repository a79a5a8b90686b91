"""The broker over kafka-python: the only package that may import it.

kafka-python 3 speaks the classic group protocol (not KIP-848) and needs Apache Kafka 2.5 or newer
for what streamal asks of it: offsets inside transactions with the member's generation (KIP-447).
Its logging is left alone; a deployment sets the level of the logger `kafka` as it likes.
"""

from streamal.broker.kafka.broker import KafkaBroker

__all__ = ["KafkaBroker"]
