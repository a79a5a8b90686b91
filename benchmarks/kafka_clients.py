"""CPU per record of Kafka's clients: reading, each by itself and behind the broker port; sending.

    python benchmarks/kafka_clients.py [--records 200000] [--bytes 400] [--batch 500] [--rounds 5]

Starts a broker of deploy/local-kafka, fills a topic and reads it whole with each reader in turn,
`--rounds` times; then the port sends as many. The figure is the CPU time of this process, user and
system, with all its threads, per record: the median over the rounds, with what it takes to make the
reader. The ratio is to the same library by itself.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import confluent_kafka
import kafka

from streamal.broker.connection import ClientLibrary, KafkaConnection
from streamal.broker.opening import kafka_broker
from streamal.ports import Consumer, TopicSpec

sys.path.insert(0, str(Path(__file__).parents[1] / "deploy" / "local-kafka"))

from local_kafka import LocalKafka

TOPIC = "records"
LIBRARIES: tuple[ClientLibrary, ...] = ("kafka-python", "librdkafka")

Read = Callable[[], int]


def sent(library: ClientLibrary, bootstrap: str, topic: str, asked: argparse.Namespace) -> float:
    """Send the records to a new topic; CPU in microseconds for each."""
    records: int = asked.records
    broker = kafka_broker(KafkaConnection(client=library, bootstrap_servers=(bootstrap,)))
    broker.admin().create_topics([TopicSpec(topic, asked.partitions)])
    producer = broker.producer()
    value = bytes(asked.bytes)
    started = time.process_time()
    for number in range(records):
        producer.send(topic, value, key=b"%d" % number, partition=number % asked.partitions)
    producer.flush()
    took = time.process_time() - started
    broker.close()
    return took / records * 1e6


@contextmanager
def by_kafka_python(bootstrap: str, batch: int) -> Iterator[Read]:
    """The library's own poll, as a member of a group."""
    client = kafka.KafkaConsumer(
        TOPIC,
        bootstrap_servers=[bootstrap],
        group_id=uuid.uuid4().hex,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        isolation_level="read_committed",
    )
    yield lambda: sum(len(found) for found in client.poll(1000, max_records=batch).values())
    client.close(autocommit=False)


@contextmanager
def by_librdkafka(bootstrap: str, batch: int) -> Iterator[Read]:
    """The library's own consume; what it gives are handles, from which nothing is taken yet."""
    client = confluent_kafka.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": uuid.uuid4().hex,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "check.crcs": True,
        }
    )
    client.subscribe([TOPIC])
    yield lambda: len(client.consume(batch, 0.05))
    client.close()


def behind_the_port(library: ClientLibrary) -> Callable[[str, int], Any]:
    """Our consumer over this library, as a member of a group."""

    @contextmanager
    def reading(bootstrap: str, batch: int) -> Iterator[Read]:
        connection = KafkaConnection(client=library, bootstrap_servers=(bootstrap,))
        broker = kafka_broker(connection)
        consumer: Consumer = broker.consumer(group=uuid.uuid4().hex)
        consumer.subscribe([TOPIC])
        yield lambda: len(consumer.poll(1.0, batch))
        broker.close()

    return reading


READERS: dict[str, Callable[[str, int], Any]] = {
    "kafka-python": by_kafka_python,
    "kafka-python, port": behind_the_port("kafka-python"),
    "librdkafka": by_librdkafka,
    "librdkafka, port": behind_the_port("librdkafka"),
}


def cost(reader: Callable[[str, int], Any], bootstrap: str, batch: int, records: int) -> float:
    """CPU in microseconds per record, with what making and closing the reader takes."""
    started = time.process_time()
    with reader(bootstrap, batch) as read:
        seen = 0
        while seen < records:
            seen += read()
        return (time.process_time() - started) / records * 1e6


def main() -> None:
    """Measure, and print one line for each reader."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--bytes", type=int, default=400)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--partitions", type=int, default=4)
    asked = parser.parse_args()
    found: dict[str, list[float]] = {name: [] for name in READERS}
    with LocalKafka() as server:
        sent("librdkafka", server.bootstrap, TOPIC, asked)
        for _ in range(asked.rounds):
            for name, reader in READERS.items():
                found[name].append(cost(reader, server.bootstrap, asked.batch, asked.records))
        sending = {
            library: sent(library, server.bootstrap, f"sent-by-{library}", asked)
            for library in LIBRARIES
        }
    for name, costs in found.items():
        alone = statistics.median(found[name.removesuffix(", port")])
        here = statistics.median(costs)
        print(f"read, {name:20} {here:6.2f} µs   {here / alone:5.2f}")
    for library, each in sending.items():
        print(f"send, {library + ', port':20} {each:6.2f} µs")


if __name__ == "__main__":
    main()
