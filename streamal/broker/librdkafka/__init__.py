"""The broker over librdkafka: the only package that may import confluent-kafka.

librdkafka is asked for the classic group protocol with the assignor that kafka-python uses, so that
members with either library can share a group. It speaks the transaction protocol of before KIP-890.
Its log lines go to the logger `librdkafka`.
"""

from streamal.broker.librdkafka.broker import LibrdkafkaBroker

__all__ = ["LibrdkafkaBroker"]
