"""The first contact with a cluster: whether any broker answers, before anything else is tried."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from streamal.broker.connection import KafkaConnection
from streamal.broker.opening import kafka_broker
from streamal.errors import BrokerGone, BrokerUnavailable

__all__ = ["await_broker"]

#: kafka-python needs more than half a second for a request.
_SHORTEST_TRY_SECONDS: Final = 0.6


def await_broker(connection: KafkaConnection, limit_seconds: float) -> None:
    """Return once a broker answers.

    Args:
        connection: to which cluster, and how long one try may take.
        limit_seconds: how long to try; at least one try of 0.6 s is made.

    Raises:
        BrokerGone: none answered in time; says what happened at each server.
        Unauthorized: the broker refuses our credentials.
    """
    deadline = time.monotonic() + limit_seconds
    while True:
        left = max(_SHORTEST_TRY_SECONDS, deadline - time.monotonic())
        limit = min(left, connection.request_timeout_seconds)
        broker = kafka_broker(replace(connection, request_timeout_seconds=limit))
        try:
            with _silent("kafka", "librdkafka"):
                broker.admin()
        except BrokerUnavailable as error:
            if time.monotonic() >= deadline:
                raise BrokerGone(
                    f"no broker answered within {limit_seconds:g} s: {error}"
                ) from error
        else:
            return
        finally:
            broker.close()


@contextmanager
def _silent(*names: str) -> Iterator[None]:
    """Keep the clients from logging every try: the error that is raised says it once."""
    before = {logging.getLogger(name): logging.getLogger(name).level for name in names}
    try:
        for logger in before:
            logger.setLevel(logging.CRITICAL)
        yield
    finally:
        for logger, level in before.items():
            logger.setLevel(level)
