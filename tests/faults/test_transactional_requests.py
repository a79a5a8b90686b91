"""Answers to transactional requests get lost, and requests come late: still exactly once.

Each test runs over both client libraries and a real broker, with a proxy in between that breaks
connections around one request.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from types import ModuleType

import pytest

from streamal.broker.connection import ClientLibrary, KafkaConnection
from streamal.broker.opening import kafka_broker
from streamal.errors import Retriable
from streamal.ports import Broker, Consumer, TopicPartition, TopicSpec, TransactionalProducer
from tests.conftest import RequireOrSkip
from tests.support.kafka_proxy import Api, Fault, KafkaProxy

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]

#: Nothing here should take so long.
PATIENCE_SECONDS = 60.0
LIBRARIES: tuple[ClientLibrary, ...] = ("kafka-python", "librdkafka")


@pytest.fixture(scope="module")
def proxy(local_kafka: ModuleType, require_or_skip: RequireOrSkip) -> Iterator[KafkaProxy]:
    """Between all clients of this module and their broker."""
    require_or_skip("kafka", local_kafka.missing_tools())
    made = KafkaProxy()
    with local_kafka.LocalKafka(settings=made.advertised()) as server, made.before(server.port):
        yield made


class Copying:
    """Copies numbered records from one topic to another in transactions, as a gate does."""

    def __init__(self, broker: Broker, library: ClientLibrary) -> None:
        self.broker, self.library = broker, library
        self.source, self.target = (f"{kind}-{uuid.uuid4().hex[:8]}" for kind in ("from", "to"))
        self.id = f"id-{self.source}"
        broker.admin().create_topics([TopicSpec(name, 1) for name in (self.source, self.target)])
        self.partition = TopicPartition(self.source, 0)
        self.group: Consumer = broker.consumer(group=f"group-{self.source}")
        self.group.assign([self.partition])
        self.producer: TransactionalProducer = broker.transactional_producer(self.id)

    def begin(self, number: int) -> None:
        """Open a transaction, and have the copy of one record stored."""
        self.producer.begin()
        self.producer.send(self.target, b"%d" % number, key=b"k")
        self.producer.flush()

    def commit(self, number: int) -> None:
        """Commit the copy with the offset behind the record."""
        self.producer.commit({self.partition: number + 1}, self.group.group_metadata())

    def committed(self) -> int:
        """The offset to go on at."""
        return self.group.committed([self.partition])[self.partition] or 0

    def copy_all(self, count: int) -> None:
        """Copy the records, each in a transaction of its own, whatever it takes."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (number := self.committed()) < count:
            assert time.monotonic() < deadline, "copying takes too long"
            try:
                self.begin(number)
                self.commit(number)
            except Retriable:
                self.recover()

    def recover(self) -> None:
        """Abort until the outcome is known."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return self.producer.abort()
            except Retriable:
                assert time.monotonic() < deadline, "aborting takes too long"

    def copies(self) -> list[bytes | None]:
        """What readers of committed records see."""
        reader = self.broker.consumer()
        partition = TopicPartition(self.target, 0)
        reader.assign([partition])
        end = reader.end_offsets([partition])[partition]
        found: list[bytes | None] = []
        deadline = time.monotonic() + PATIENCE_SECONDS
        while reader.position(partition) < end:
            assert time.monotonic() < deadline, "reading takes too long"
            found += [record.value for record in reader.poll(0.2, 100)]
        reader.close()
        return found


@pytest.fixture(params=LIBRARIES)
def copying(proxy: KafkaProxy, request: pytest.FixtureRequest) -> Iterator[Copying]:
    """A copier over each client library, through the proxy."""
    broker = kafka_broker(
        KafkaConnection(
            client=request.param,
            bootstrap_servers=(proxy.bootstrap,),
            request_timeout_seconds=5.0,
            linger_seconds=0.0,
        )
    )
    yield Copying(broker, request.param)
    broker.close()
    assert proxy.waiting() == 0, "a planned fault has met no request"


TRANSACTIONAL = [Api.END_TXN, Api.ADD_OFFSETS_TO_TXN, Api.TXN_OFFSET_COMMIT]


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.TWICE])
@pytest.mark.parametrize("api", TRANSACTIONAL)
def test_a_broken_connection_loses_and_repeats_nothing(
    copying: Copying, proxy: KafkaProxy, api: Api, fault: Fault
) -> None:
    copying.copy_all(1)
    proxy.plan(api, fault)

    copying.copy_all(4)

    assert copying.copies() == [b"0", b"1", b"2", b"3"]
    assert copying.committed() == 4


@pytest.mark.parametrize("api", TRANSACTIONAL)
def test_an_answer_that_comes_late_is_waited_for_or_found_out(
    copying: Copying, proxy: KafkaProxy, api: Api
) -> None:
    copying.copy_all(1)
    held = proxy.plan(api, Fault.LATE)
    copying.begin(1)
    try:
        copying.commit(1)
    except Retriable:
        held.release()
        copying.recover()
    copying.copy_all(3)

    assert copying.copies() == [b"0", b"1", b"2"]
    assert copying.committed() == 3


def test_a_commit_that_comes_late_does_not_end_a_later_transaction(
    copying: Copying, proxy: KafkaProxy
) -> None:
    late = proxy.plan(Api.END_TXN, Fault.HOLD)
    copying.begin(0)
    copying.commit(0)

    copying.begin(1)
    late.release()
    copying.recover()

    assert copying.copies() == [b"0"], "the late commit showed what was aborted"
    copying.copy_all(2)
    assert copying.copies() == [b"0", b"1"]
    assert copying.committed() == 2


def test_an_abort_that_comes_late_does_not_take_from_a_later_transaction(
    copying: Copying, proxy: KafkaProxy
) -> None:
    late = proxy.plan(Api.END_TXN, Fault.HOLD)
    copying.begin(0)
    copying.producer.abort()

    copying.begin(0)
    late.release()
    try:
        copying.commit(0)
    except Retriable:
        copying.recover()
    copying.copy_all(1)

    assert copying.copies() == [b"0"]
    assert copying.committed() == 1


def test_offsets_that_come_late_do_not_set_a_later_transaction_back(
    copying: Copying, proxy: KafkaProxy
) -> None:
    late = proxy.plan(Api.TXN_OFFSET_COMMIT, Fault.HOLD)
    copying.begin(0)
    copying.commit(0)

    copying.begin(1)
    proxy.first(Api.END_TXN, late.release)
    copying.commit(1)

    assert copying.committed() == 2
    assert copying.copies() == [b"0", b"1"]


def test_a_group_that_is_added_late_disturbs_no_later_transaction(
    copying: Copying, proxy: KafkaProxy
) -> None:
    late = proxy.plan(Api.ADD_OFFSETS_TO_TXN, Fault.HOLD)
    copying.begin(0)
    copying.commit(0)
    late.release()

    copying.copy_all(3)

    assert copying.copies() == [b"0", b"1", b"2"]
    assert copying.committed() == 3


def test_both_speak_the_transaction_protocol_that_has_one_epoch_for_many_transactions(
    copying: Copying, proxy: KafkaProxy
) -> None:
    """Which is why the rest is needed; with EndTxn 5 the broker raises the epoch itself."""
    proxy.versions.clear()

    copying.copy_all(1)

    spoken = {api: proxy.versions[api] for api in TRANSACTIONAL}
    assert (
        spoken
        == {
            "kafka-python": {
                Api.END_TXN: {3},
                Api.ADD_OFFSETS_TO_TXN: {3},
                Api.TXN_OFFSET_COMMIT: {3},
            },
            "librdkafka": {
                Api.END_TXN: {1},
                Api.ADD_OFFSETS_TO_TXN: {0},
                Api.TXN_OFFSET_COMMIT: {3},
            },
        }[copying.library]
    )
