"""While no broker answers, calls say so in time; afterwards nothing is lost or doubled."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from streamal.errors import BrokerUnavailable, Retriable
from streamal.ports import TopicPartition

if TYPE_CHECKING:
    from tests.contract.conftest import Bench, KafkaBench

#: Longest that any call may take in an outage, with request_timeout_seconds = 2.
LIMIT_SECONDS = 20.0


@contextmanager
def in_time() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < LIMIT_SECONDS


def fails(call: Callable[[], object]) -> None:
    with in_time(), pytest.raises(BrokerUnavailable):
        call()


def test_a_poll_raises_instead_of_looking_idle_and_reads_on_afterwards(fragile: Bench) -> None:
    topic = fragile.topic()
    fragile.send(topic, b"0", b"1")
    member = fragile.broker.consumer(group=fragile.name("group"))
    member.subscribe([topic])
    assert len(fragile.take(member, 2)) == 2
    member.commit({TopicPartition(topic, 0): 2})

    fragile.break_off()
    fails(lambda: fragile.until(lambda: member.poll(0.1, 10) is None))
    fragile.restore()
    fragile.until(lambda: answers(lambda: fragile.send(topic, b"2")))

    found: list[bytes | None] = []

    def read() -> bool:
        return answers(lambda: found.extend(r.value for r in member.poll(0.5, 10))) and bool(found)

    fragile.until(read)
    assert found == [b"2"]


def answers(call: Callable[[], object]) -> bool:
    """Whether the call gets through yet."""
    try:
        call()
    except Retriable:
        return False
    return True


def test_look_ups_and_new_clients_fail_in_time(fragile: Bench) -> None:
    topic = fragile.topic()
    partition = TopicPartition(topic, 0)
    reader = fragile.reader(topic)
    admin = fragile.broker.admin()

    fragile.break_off()
    try:
        fails(lambda: reader.end_offsets([partition]))
        fails(lambda: admin.describe_topics([topic]))
        fails(admin.cluster_id)
        fails(lambda: fragile.broker.transactional_producer(fragile.name("id")))
    finally:
        fragile.restore()
    fragile.until(lambda: answers(lambda: reader.end_offsets([partition])))
    fragile.until(lambda: answers(lambda: admin.describe_topics([topic])))


def test_a_transaction_survives_an_outage_by_abort_and_retry(fragile: Bench) -> None:
    topic = fragile.topic()
    producer = fragile.broker.transactional_producer(fragile.name("id"))
    producer.begin()
    producer.send(topic, b"before", key=b"k")
    producer.commit()
    producer.begin()
    producer.send(topic, b"lost", key=b"k")
    producer.flush()

    fragile.break_off()
    fails(producer.commit)
    fails(producer.abort)
    fragile.restore()
    fragile.until(lambda: answers(producer.abort))
    producer.begin()
    producer.send(topic, b"after", key=b"k")
    producer.commit()

    assert fragile.values(topic) in ([b"before", b"after"], [b"before", b"lost", b"after"])


def test_closing_does_not_wait_for_the_broker(fragile: Bench) -> None:
    topic = fragile.topic()
    member = fragile.broker.consumer(group=fragile.name("group"))
    member.subscribe([topic])
    fragile.settle({member: 1})
    producer = fragile.broker.transactional_producer(fragile.name("id"))
    producer.begin()
    producer.send(topic, b"unsent", key=b"k")

    fragile.break_off()
    try:
        with in_time():
            member.close()
        with in_time():
            producer.close()
    finally:
        fragile.restore()


@pytest.mark.kafka
def test_an_abort_learns_that_a_commit_in_doubt_has_succeeded(
    own_kafka: Any,  # noqa: ANN401 - LocalKafka is loaded from a path
    bench_of: Callable[[Any], KafkaBench],
) -> None:
    """The broker hangs while it is asked to commit, and does it when it wakes up."""
    bench = bench_of(own_kafka)
    source, target = bench.topic(), bench.topic()
    partition = TopicPartition(source, 0)
    reader = bench.broker.consumer(group=bench.name("group"))
    reader.assign([partition])
    producer = bench.broker.transactional_producer(bench.name("id"))
    producer.begin()
    producer.send(target, b"once", key=b"k")
    producer.flush()

    own_kafka.signal_broker(signal.SIGSTOP)
    try:
        fails(producer.commit)
        fails(producer.abort)
    finally:
        own_kafka.signal_broker(signal.SIGCONT)
    bench.until(lambda: answers(producer.abort))

    if not bench.values(target):
        producer.begin()
        producer.send(target, b"once", key=b"k")
        producer.commit({partition: 1}, reader.group_metadata())
    assert bench.values(target) == [b"once"]


@pytest.mark.kafka
def test_the_error_names_the_cause(
    bench_of: Callable[[Any], KafkaBench], local_kafka: ModuleType
) -> None:
    port = local_kafka.free_port()
    with pytest.raises(BrokerUnavailable, match=f"127.0.0.1:{port}: Connection refused"):
        bench_of(f"127.0.0.1:{port}")
