"""quixstreams, `at-least-once` or `exactly-once`, as its documentation shows it."""

from __future__ import annotations

import sys
from typing import Any

from quixstreams import Application

from benchmarks.throughput.peers.job import Chooser, Job, Progress


def run(job: Job, guarantee: str) -> None:
    """The whole job."""
    chooser, progress = Chooser(job), Progress(job)
    application = Application(
        broker_address=job.bootstrap,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        processing_guarantee=guarantee,
    )
    source = application.topic(job.topic, value_deserializer="json")
    reviews = application.topic(job.reviews, value_serializer="json")

    def question(document: dict[str, Any]) -> dict[str, Any] | None:
        asked = chooser.question(document)
        progress.count()
        return asked

    frame = application.dataframe(source).apply(question)
    frame.filter(lambda asked: asked is not None).to_topic(reviews)
    application.run()


if __name__ == "__main__":
    run(Job.given(), sys.argv[1])
