"""FastStream over `confluent` or `aiokafka`, event by event or with a second word in `batches`."""

from __future__ import annotations

import asyncio
import importlib
import sys
from typing import Any

from faststream import FastStream

from benchmarks.throughput.peers.job import BATCH_RECORDS, Chooser, Job, Progress

_ROOMS = {"confluent": "faststream.confluent", "aiokafka": "faststream.kafka"}


def application(job: Job, client: str, *, batches: bool) -> Any:  # noqa: ANN401 - FastStream's
    """The whole job, acknowledged as it is by default: in intervals."""
    broker = importlib.import_module(_ROOMS[client]).KafkaBroker(job.bootstrap)
    chooser, progress = Chooser(job), Progress(job)
    publisher = broker.publisher(job.reviews, batch=batches)

    async def one(body: dict[str, Any]) -> None:
        asked = chooser.question(body)
        if asked is not None:
            await publisher.publish(asked)
        progress.count()

    async def many(bodies: list[dict[str, Any]]) -> None:
        asked = [found for body in bodies if (found := chooser.question(body)) is not None]
        if asked:
            await publisher.publish(*asked)
        progress.count(len(bodies))

    given: dict[str, Any] = {"group_id": job.group, "auto_offset_reset": "earliest"}
    if batches:
        broker.subscriber(job.topic, batch=True, max_records=BATCH_RECORDS, **given)(many)
    else:
        broker.subscriber(job.topic, **given)(one)
    return FastStream(broker)


if __name__ == "__main__":
    client, _, batches = sys.argv[1].partition(" ")
    asyncio.run(application(Job.given(), client, batches=bool(batches)).run())
