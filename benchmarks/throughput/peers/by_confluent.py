"""Loops over confluent-kafka: `poll`, `decode`, the `job`, or the job in `transactions`."""

from __future__ import annotations

import sys
from typing import Any

import orjson
from confluent_kafka import Consumer, Producer

from benchmarks.throughput.peers.job import BATCH_RECORDS, Chooser, Job, Progress


def subscribed(job: Job) -> Any:  # noqa: ANN401 - confluent-kafka has no types
    """A member of the job's group."""
    consumer = Consumer(
        {
            "bootstrap.servers": job.bootstrap,
            "group.id": job.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([job.topic])
    return consumer


def read(job: Job, *, decode: bool) -> None:
    """Do nothing with what is read, or decode it."""
    progress, consumer = Progress(job), subscribed(job)
    while True:
        messages = consumer.consume(BATCH_RECORDS, timeout=0.5)
        for message in messages:
            value = message.value()
            if decode:
                orjson.loads(value)
        progress.count(len(messages))


def run(job: Job) -> None:
    """The whole job, at least once."""
    chooser, progress, consumer = Chooser(job), Progress(job), subscribed(job)
    producer = Producer({"bootstrap.servers": job.bootstrap})
    while True:
        messages = consumer.consume(BATCH_RECORDS, timeout=0.5)
        ask(job, chooser, producer, messages)
        if messages:
            producer.flush()
            consumer.commit(asynchronous=False)
        progress.count(len(messages))


def run_in_transactions(job: Job) -> None:
    """The whole job, exactly once."""
    chooser, progress, consumer = Chooser(job), Progress(job), subscribed(job)
    producer = Producer({"bootstrap.servers": job.bootstrap, "transactional.id": job.group})
    producer.init_transactions()
    while True:
        messages = consumer.consume(BATCH_RECORDS, timeout=0.5)
        if messages:
            producer.begin_transaction()
            ask(job, chooser, producer, messages)
            producer.send_offsets_to_transaction(
                consumer.position(consumer.assignment()), consumer.consumer_group_metadata()
            )
            producer.commit_transaction()
        progress.count(len(messages))


def ask(job: Job, chooser: Chooser, producer: Any, messages: list[Any]) -> None:  # noqa: ANN401 - confluent-kafka has no types
    """Produce what is to be asked about these messages."""
    for message in messages:
        question = chooser.question(orjson.loads(message.value()))
        if question is not None:
            producer.produce(job.reviews, orjson.dumps(question), message.key())


if __name__ == "__main__":
    match sys.argv[1]:
        case "job":
            run(Job.given())
        case "transactions":
            run_in_transactions(Job.given())
        case mode:
            read(Job.given(), decode=mode == "decode")
