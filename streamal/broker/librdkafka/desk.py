"""Questions to a cluster: what all clients of a broker look up, over one connection."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any, TypeVar

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection
from confluent_kafka import TopicPartition as TheirPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from streamal.broker.connection import KafkaConnection
from streamal.broker.diagnosis import diagnosis
from streamal.broker.librdkafka.config import client_config
from streamal.broker.librdkafka.errors import UNAUTHORIZED, kafka_error, translated, translating
from streamal.broker.librdkafka.tokens import Tokens
from streamal.errors import BrokerUnavailable, StreamalError
from streamal.ports import TopicPartition

__all__ = ["Desk", "Troubles"]

T = TypeVar("T")

#: Between two looks at what librdkafka has to say while an answer is waited for.
LOOK_SECONDS = 0.05
#: After a broker has come back, an admin client of librdkafka goes on to ask with the epoch
#: of before, and is refused for as long as it keeps what it knows. A new one asks afresh.
OUTDATED = frozenset({"FENCED_LEADER_EPOCH", "UNKNOWN_LEADER_EPOCH", "NOT_LEADER_FOR_PARTITION"})
#: On top of the time that librdkafka was given for a request.
GRACE_SECONDS = 1.0


class Troubles:
    """Notes what librdkafka tells of the cluster as a whole; one for each client."""

    def __init__(self) -> None:
        self.refusal: KafkaError | None = None
        self.alone_since: float | None = None

    def __call__(self, error: KafkaError) -> None:
        """Called by librdkafka, out of its `poll`."""
        if error.name() == "_ALL_BROKERS_DOWN" and self.alone_since is None:
            self.alone_since = time.monotonic()
        if error.name() in UNAUTHORIZED:
            self.refusal = error

    def check(self, about: str) -> None:
        """Raise what librdkafka only tells and goes on trying.

        Raises:
            Unauthorized: the cluster refuses us.
        """
        refusal, self.refusal = self.refusal, None
        if refusal is not None:
            raise translated(refusal, about)


class Desk:
    """Asks a cluster, each question with a limit; may be used by several threads.

    Raises:
        SettingsInvalid: a file or a factory that the settings name is not what it should be.
        Unauthorized: the token endpoint refuses us.
        BrokerUnavailable: the token endpoint does not answer.
    """

    def __init__(self, connection: KafkaConnection) -> None:
        self.connection = connection
        self.limit = connection.request_timeout_seconds
        oauth = connection.authenticated and connection.sasl_mechanism == "OAUTHBEARER"
        tokens = Tokens(connection) if oauth else None
        if tokens is not None:
            tokens.check()
        self.config = client_config(connection, tokens)
        self._troubles = Troubles()
        self._connect()

    def _connect(self) -> None:
        with translating("connecting"):
            self.client = AdminClient({**self.config, "error_cb": self._troubles})

    def answer(self, future: Future[T], about: str) -> T:
        """What the question was answered with.

        Raises:
            KafkaException: the answer is an error of the cluster.
            BrokerUnavailable: there was none in time.
            Unauthorized: the cluster does not let us in.
        """
        deadline = time.monotonic() + self.limit + GRACE_SECONDS
        while True:
            try:
                return future.result(LOOK_SECONDS)
            except TimeoutError:
                self.client.poll(0)
                self._troubles.check(about)
                if time.monotonic() > deadline:
                    raise BrokerUnavailable(f"{about}: no answer in {self.limit:g} s") from None

    def check_contact(self) -> None:
        """Return when a broker answers.

        Raises:
            BrokerUnavailable: none does; says what happens at each server.
            Unauthorized: they refuse us.
        """
        servers = ", ".join(self.connection.bootstrap_servers)
        try:
            with translating(f"connecting to {servers}"):
                self.answer(
                    self.client.describe_cluster(request_timeout=self.limit),
                    f"connecting to {servers}",
                )
        except BrokerUnavailable as error:
            self.client.poll(0)
            self._troubles.check(f"connecting to {servers}")
            raise BrokerUnavailable(f"no broker answers: {diagnosis(self.connection)}") from error

    def cluster_id(self) -> str:
        """The id that the cluster was formatted with."""
        about = "asking for the cluster's id"
        with translating(about):
            found = self.answer(self.client.describe_cluster(request_timeout=self.limit), about)
        return str(found.cluster_id)

    def partitions(self, topics: Iterable[str]) -> dict[str, list[Any]]:
        """The partitions of those topics that exist.

        Raises:
            Unauthorized: one of them may not be described.
        """
        names = list(topics)
        if not names:
            return {}
        asked = self.client.describe_topics(TopicCollection(names), request_timeout=self.limit)
        existing = {}
        for name, future in asked.items():
            about = f"describing topic {name!r}"
            try:
                existing[name] = list(self.answer(future, about).partitions)
            except KafkaException as error:
                if kafka_error(error).name() != "UNKNOWN_TOPIC_OR_PART":
                    raise translated(kafka_error(error), about) from error
        return existing

    def offsets(
        self, partitions: Iterable[TopicPartition], spec: OffsetSpec, *, committed: bool
    ) -> dict[TopicPartition, int]:
        """One offset of each partition; with `committed` nothing after the last stable one."""
        wanted = {TheirPartition(*partition): spec for partition in partitions}
        if not wanted:
            return {}
        level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        try:
            return self._offsets(wanted, level)
        except KafkaException as error:
            if kafka_error(error).name() not in OUTDATED:
                raise self._explained(error, wanted) from error
        self._connect()
        try:
            return self._offsets(wanted, level)
        except KafkaException as error:
            raise self._explained(error, wanted) from error

    def _offsets(
        self, wanted: dict[TheirPartition, OffsetSpec], level: IsolationLevel
    ) -> dict[TopicPartition, int]:
        asked = self.client.list_offsets(wanted, isolation_level=level, request_timeout=self.limit)
        return {
            TopicPartition(theirs.topic, theirs.partition): self._offset(theirs.topic, future)
            for theirs, future in asked.items()
        }

    def _offset(self, topic: str, future: Future[Any]) -> int:
        about = f"looking up offsets of {topic}"
        offset = int(self.answer(future, about).offset)
        if offset < 0:  # what librdkafka answers, without an error, for a leader that is away
            raise BrokerUnavailable(f"{about}: no leader answers")
        return offset

    def _explained(self, error: KafkaException, wanted: Iterable[TheirPartition]) -> StreamalError:
        topics = sorted({partition.topic for partition in wanted})
        if kafka_error(error).name() == "_NOENT":  # "no leaders found", whatever the reason
            self.partitions(topics)
        return translated(kafka_error(error), f"looking up offsets of {', '.join(topics)}")
