"""The publisher of an outbox, on the memory broker; every fault is in tests/faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streamal.errors import BrokerUnavailable, Fenced
from streamal.ports import Record
from streamal.roles.label_publisher import ANSWER_HEADER, LabelPublisher
from streamal.state.database import Identity
from streamal.state.durable import DurableFile
from streamal.state.outbox import OUTBOX_SCHEMA, Outbox
from streamal.telemetry import Metrics
from tests.support.town import Town


class Desk:
    """An outbox with its publisher, in a town."""

    def __init__(self, path: Path) -> None:
        self.town = Town()
        self.metrics = Metrics("town")
        self.file = DurableFile(
            path,
            setting="console.state_path",
            identity=Identity("town", "memory"),
            schema=OUTBOX_SCHEMA,
            version=1,
        )
        self.outbox = Outbox(self.file)

    def publisher(self, max_batch_records: int = 100) -> LabelPublisher:
        return LabelPublisher(
            broker=self.town.broker,
            topic=self.town.topics.labels,
            outbox=self.outbox,
            owner="town-console",
            role="console",
            max_batch_records=max_batch_records,
            clock=self.town.clock,
            metrics=self.metrics,
        )

    def add(self, *values: bytes) -> None:
        for value in values:
            self.outbox.add(value, value, now=self.town.clock.now())

    def records(self) -> list[Record]:
        return list(self.town.read(self.town.topics.labels))

    def values(self) -> list[bytes | None]:
        return [record.value for record in self.records()]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "outbox")
    yield made
    made.file.close()


def test_messages_go_out_in_order_once_each_in_batches(desk: Desk) -> None:
    publisher = desk.publisher(max_batch_records=2)
    desk.add(b"a", b"b", b"c")

    assert [publisher.step() for _ in range(4)] == [2, 1, 0, 0]

    assert desk.values() == [b"a", b"b", b"c"]
    assert [record.key for record in desk.records()] == [b"a", b"b", b"c"]
    origins = [record.header(ANSWER_HEADER) for record in desk.records()]
    assert origins == [f"{desk.outbox.name}:{n}".encode() for n in (1, 2, 3)]
    assert (
        desk.metrics.value(
            "streamal_transactions_total", {"role": "console", "outcome": "committed"}
        )
        == 2
    )


def test_a_commit_whose_answer_was_lost_is_found_out_by_the_next_publisher(desk: Desk) -> None:
    publisher = desk.publisher()
    desk.add(b"a")
    desk.town.broker.lose_next_commit_response()
    with pytest.raises(BrokerUnavailable):
        publisher.step()
    publisher.close()
    assert desk.outbox.waiting() == 1

    successor = desk.publisher()

    assert desk.outbox.waiting() == 0
    assert successor.step() == 0
    assert desk.values() == [b"a"]


def test_a_newer_publisher_of_the_same_outbox_fences_the_older(desk: Desk) -> None:
    older, newer = desk.publisher(), desk.publisher()
    desk.add(b"a")
    with pytest.raises(Fenced):
        older.step()

    assert newer.step() == 1
    assert desk.values() == [b"a"]


def test_without_a_broker_nothing_is_lost(desk: Desk) -> None:
    publisher = desk.publisher()
    desk.add(b"a")
    desk.town.broker.available = False
    with pytest.raises(BrokerUnavailable):
        publisher.step()
    publisher.close()
    with pytest.raises(BrokerUnavailable):
        desk.publisher()
    desk.town.broker.available = True

    assert desk.publisher().step() == 1
    assert desk.values() == [b"a"]


def test_offsets_that_the_broker_has_dropped_repeat_nothing(desk: Desk) -> None:
    desk.add(b"a")
    publisher = desk.publisher()
    publisher.step()
    publisher.close()
    with desk.file.transaction():  # the group's offsets under another name are none at all
        desk.file.execute("UPDATE outbox_name SET name = 'other'")
    desk.outbox = Outbox(desk.file)

    assert desk.publisher().step() == 0
    assert desk.values() == [b"a"]
