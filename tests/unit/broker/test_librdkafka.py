"""What each error of librdkafka means to us, and how it is given our settings."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from streamal.broker.connection import KafkaConnection
from streamal.broker.librdkafka.config import client_config, consumer_config, producer_config
from streamal.broker.librdkafka.consumer import LibrdkafkaConsumer
from streamal.broker.librdkafka.desk import Desk
from streamal.broker.librdkafka.errors import translated, translating
from streamal.broker.librdkafka.producer import flushed
from streamal.broker.librdkafka.tokens import Tokens
from streamal.broker.opening import kafka_broker
from streamal.errors import (
    BrokerUnavailable,
    Fatal,
    Fenced,
    Rebalanced,
    SettingsInvalid,
    StreamalError,
    TopicsInvalid,
    Unauthorized,
)
from streamal.ports import TopicPartition


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("_TRANSPORT", BrokerUnavailable),
        ("_TIMED_OUT", BrokerUnavailable),
        ("_ALL_BROKERS_DOWN", BrokerUnavailable),
        ("COORDINATOR_LOAD_IN_PROGRESS", BrokerUnavailable),
        ("NOT_ENOUGH_REPLICAS", BrokerUnavailable),
        ("ILLEGAL_GENERATION", Rebalanced),
        ("UNKNOWN_MEMBER_ID", Rebalanced),
        ("_FENCED", Fenced),
        ("INVALID_PRODUCER_EPOCH", Fenced),
        ("FENCED_INSTANCE_ID", Fenced),
        ("_AUTHENTICATION", Unauthorized),
        ("TOPIC_AUTHORIZATION_FAILED", Unauthorized),
        ("TRANSACTIONAL_ID_AUTHORIZATION_FAILED", Unauthorized),
        ("MSG_SIZE_TOO_LARGE", TopicsInvalid),
        ("_UNKNOWN_PARTITION", TopicsInvalid),
        ("UNKNOWN_TOPIC_OR_PART", TopicsInvalid),
        ("INVALID_SESSION_TIMEOUT", SettingsInvalid),
        ("INVALID_TXN_STATE", Fatal),
        ("UNKNOWN", Fatal),
    ],
)
def test_the_kind_is_chosen_by_what_can_be_done(theirs: str, ours: type[StreamalError]) -> None:
    error = translated(KafkaError(getattr(KafkaError, theirs)), "sending to 'topic'")

    assert type(error) is ours
    assert str(error).startswith("sending to 'topic': ")


def test_what_ends_only_the_transaction_is_tried_again_and_what_ends_the_client_is_not() -> None:
    code = KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER
    abortable = KafkaError(code, "reason", False, False, True)
    fatal = KafkaError(KafkaError._TIMED_OUT, "reason", True)

    assert type(translated(abortable, "committing")) is BrokerUnavailable
    assert type(translated(fatal, "committing")) is Fatal


def test_an_error_behind_pythons_complaint_is_found() -> None:
    """Librdkafka raises, calls back once more, and Python finds an error where none should be."""
    complaint = SystemError("returned a result with an exception set")
    complaint.__cause__ = KafkaException(KafkaError(KafkaError._FENCED))

    with pytest.raises(Fenced), translating("flushing"):
        raise complaint
    with pytest.raises(SystemError), translating("flushing"):
        raise SystemError("something else")


def test_programming_errors_pass_unchanged() -> None:
    for error in (Rebalanced("ours"), ValueError("a bug")):
        with pytest.raises(type(error)) as caught, translating("anything"):
            raise error
        assert caught.value is error


def test_a_missing_library_is_one_line_with_the_key_and_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)

    with pytest.raises(SettingsInvalid) as caught:
        kafka_broker(KafkaConnection(client="librdkafka"))

    (line,) = caught.value.problems
    assert line.startswith("client: librdkafka")
    assert line.endswith("pip install 'streamal[librdkafka]'")


def test_every_codec_needs_no_package_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: name if name == "confluent_kafka" else None
    )

    assert KafkaConnection(client="librdkafka", compression="zstd").problems() == ()


def test_the_settings_reach_librdkafka_in_its_words() -> None:
    connection = KafkaConnection(
        client="librdkafka",
        bootstrap_servers=("one:9092", "two:9093"),
        client_id="pipeline",
        request_timeout_seconds=7.0,
        session_timeout_seconds=20.0,
        max_poll_interval_seconds=40.0,
        transaction_timeout_seconds=5.0,
        compression="zstd",
        linger_seconds=0.02,
        metadata_max_age_seconds=30.0,
    )

    shared = client_config(connection, None)
    reading = consumer_config(
        connection, group="g", start_from="latest", read_committed=True, member="m"
    )
    writing = producer_config(connection, "id")

    assert _some(shared, "bootstrap.servers", "client.id", "socket.timeout.ms") == [
        "one:9092,two:9093",
        "pipeline",
        7_000,
    ]
    assert shared["topic.metadata.refresh.interval.ms"] == 30_000
    assert _some(reading, "session.timeout.ms", "max.poll.interval.ms") == [20_000, 40_000]
    assert _some(reading, "group.instance.id", "isolation.level", "auto.offset.reset") == [
        "m",
        "read_committed",
        "latest",
    ]
    assert _some(writing, "compression.type", "linger.ms", "partitioner") == [
        "zstd",
        20,
        "murmur2_random",
    ]
    assert _some(writing, "transaction.timeout.ms", "socket.timeout.ms") == [5_000, 5_000]


def _some(config: dict[str, Any], *names: str) -> list[Any]:
    return [config[name] for name in names]


class Told:
    """A message as librdkafka hands it over: a record, or the end of a partition."""

    def __init__(self, offset: int, error: KafkaError | None = None) -> None:
        self._offset, self._error = offset, error

    def error(self) -> KafkaError | None:
        return self._error

    def topic(self) -> str:
        return "topic"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return 1, 0

    def key(self) -> bytes:
        return b"k"

    def value(self) -> bytes:
        return b"v"

    def headers(self) -> None:
        return None


def test_the_end_of_a_partition_that_comes_with_its_records_moves_the_position_past_a_marker() -> (
    None
):
    at = TopicPartition("topic", 0)
    consumer = LibrdkafkaConsumer(
        Desk(KafkaConnection(client="librdkafka", bootstrap_servers=("127.0.0.1:1",))),
        group=None,
        start_from="earliest",
        read_committed=True,
        member=None,
    )
    consumer.assign([at])
    consumer.seek(at, 4)

    records = consumer._records([Told(4), Told(5), Told(7, KafkaError(KafkaError._PARTITION_EOF))])

    assert [record.offset for record in records] == [4, 5]
    assert consumer.position(at) == 7
    consumer.close()


class JsonWebTokens:
    """A factory of tokens that say when they end."""

    def token(self) -> str:
        claims = base64.urlsafe_b64encode(json.dumps({"exp": 1_234.0}).encode()).decode()
        return f"head.{claims.rstrip('=')}.signature"


def test_a_token_ends_when_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("json.made_here", JsonWebTokens, raising=False)

    target = "json:made_here"

    token, end = Tokens(KafkaConnection(oauth_token_factory=target))("")

    assert token == JsonWebTokens().token()
    assert end == 1_234.0


class GivesUpOnce:
    """A client whose first flush ends without a word, as over a fatal error."""

    def __init__(self) -> None:
        self.limits: list[float] = []

    def flush(self, limit_seconds: float) -> int:
        self.limits.append(limit_seconds)
        if len(self.limits) == 1:
            raise SystemError("returned NULL without setting an exception")
        return 3


def test_a_flush_that_gives_up_without_a_word_is_asked_again() -> None:
    client = GivesUpOnce()
    assert flushed(client, 2.0) == 3
    assert client.limits == [2.0, 2.0]
