"""Following topics into a view that keeps its own offsets, on the memory broker."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import ClassVar

import pytest

from streamal.errors import BrokerUnavailable
from streamal.ports import Broker, Record, TopicPartition
from streamal.roles.follower import Follower
from tests.support.town import Town


class Notebook(Follower):
    """A view that writes everything down."""

    view: ClassVar[str] = "the notebook"

    def __init__(
        self, broker: Broker, topics: list[str], offsets: dict[TopicPartition, int]
    ) -> None:
        self.offsets = offsets
        self.lines: list[bytes | None] = []
        super().__init__(broker, topics, max_batch_records=3)

    def _applied(self) -> Mapping[TopicPartition, int]:
        return self.offsets

    def _forget(self) -> None:
        self.offsets.clear()
        self.lines.clear()

    def _apply(self, records: list[Record]) -> None:
        for record in records:
            self.lines.append(record.value)
            self.offsets[record.source] = record.offset + 1


@pytest.fixture
def town() -> Town:
    town = Town()
    producer = town.broker.producer()
    for number in range(7):
        producer.send(town.topics.labels, str(number).encode(), partition=0)
    producer.flush()
    producer.close()
    return town


def labels(town: Town) -> TopicPartition:
    return TopicPartition(town.topics.labels, 0)


def followed(town: Town, offsets: dict[TopicPartition, int]) -> Notebook:
    return Notebook(town.broker, [town.topics.reviews, town.topics.labels], offsets)


def test_it_goes_on_behind_what_the_view_has(town: Town) -> None:
    notebook = followed(town, {labels(town): 2})
    assert notebook.follow(0.0) == 3
    assert notebook.lines == [b"2", b"3", b"4"]
    notebook.catch_up()
    assert notebook.lines == [b"2", b"3", b"4", b"5", b"6"]
    assert notebook.follow(0.0) == 0


def test_what_is_no_longer_kept_is_passed_over(town: Town) -> None:
    town.broker.truncate(labels(town), before=5)
    notebook = followed(town, {})
    notebook.catch_up()
    assert notebook.lines == [b"5", b"6"]


def test_a_poll_that_was_not_applied_is_repeated(town: Town) -> None:
    notebook = followed(town, {})
    notebook.follow(0.0)
    notebook.offsets[labels(town)] = 1  # the transaction that held the others was lost
    notebook.resume()
    notebook.follow(0.0)
    assert notebook.lines == [b"0", b"1", b"2", b"1", b"2", b"3"]


def test_a_topic_that_ends_earlier_was_made_anew(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        notebook = followed(town, {labels(town): 8})
    assert "rebuilding the notebook" in caplog.text
    notebook.catch_up()
    assert len(notebook.lines) == 7


def test_a_broker_that_is_away_is_said_at_once(town: Town) -> None:
    with town.broker.outage(), pytest.raises(BrokerUnavailable):
        followed(town, {})


def test_where_the_topics_end_is_not_asked_behind_a_waiting_fetch(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broker answers one connection in order, so a consumer of its own asks."""
    notebook = followed(town, {})

    def behind_a_fetch(_: object) -> dict[TopicPartition, int]:
        raise AssertionError("the consumer that reads was asked")

    monkeypatch.setattr(notebook._consumer, "end_offsets", behind_a_fetch)
    notebook.catch_up()
    assert len(notebook.lines) == 7
    reading, asking = notebook._consumer, notebook._scout
    assert asking is not None
    notebook.close()
    for consumer in (reading, asking):
        with pytest.raises(RuntimeError):
            consumer.poll(0.0, 1)
