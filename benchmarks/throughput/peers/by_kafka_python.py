"""Loops over kafka-python: `poll`, `decode` or the whole `job`, the first argument."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import orjson
from kafka import KafkaConsumer, KafkaProducer

from benchmarks.throughput.peers.job import BATCH_RECORDS, Chooser, Job, Progress


def subscribed(job: Job) -> Any:  # noqa: ANN401 - kafka-python has no types
    """A member of the job's group."""
    return KafkaConsumer(
        job.topic,
        bootstrap_servers=job.bootstrap,
        group_id=job.group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )


def poll(consumer: Any) -> Sequence[Any]:  # noqa: ANN401 - kafka-python has no types
    """Records of one poll."""
    found = consumer.poll(timeout_ms=500, max_records=BATCH_RECORDS)
    return [record for records in found.values() for record in records]


def read(job: Job, *, decode: bool) -> None:
    """Do nothing with what is read, or decode it."""
    progress, consumer = Progress(job), subscribed(job)
    while True:
        records = poll(consumer)
        if decode:
            for record in records:
                orjson.loads(record.value)
        progress.count(len(records))


def run(job: Job) -> None:
    """The whole job, at least once."""
    chooser, progress, consumer = Chooser(job), Progress(job), subscribed(job)
    producer = KafkaProducer(bootstrap_servers=job.bootstrap)
    while True:
        records = poll(consumer)
        for record in records:
            question = chooser.question(orjson.loads(record.value))
            if question is not None:
                producer.send(job.reviews, orjson.dumps(question), key=record.key)
        if records:
            producer.flush()
            consumer.commit()
        progress.count(len(records))


if __name__ == "__main__":
    if sys.argv[1] == "job":
        run(Job.given())
    else:
        read(Job.given(), decode=sys.argv[1] == "decode")
