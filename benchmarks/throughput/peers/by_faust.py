"""faust-streaming as its documentation shows it."""

from __future__ import annotations

from typing import Any

import faust

from benchmarks.throughput.peers.job import Chooser, Job, Progress


def application(job: Job) -> Any:  # noqa: ANN401 - faust's
    """The whole job, at least once."""
    chooser, progress = Chooser(job), Progress(job)
    app = faust.App(
        job.group,
        broker=f"kafka://{job.bootstrap}",
        value_serializer="json",
        topic_partitions=1,
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
    )
    reviews = app.topic(job.reviews)

    async def gate(stream: Any) -> None:  # noqa: ANN401 - faust's
        async for document in stream:
            asked = chooser.question(document)
            if asked is not None:
                await reviews.send(value=asked)
            progress.count()

    app.agent(app.topic(job.topic))(gate)
    return app


if __name__ == "__main__":
    faust.Worker(application(Job.given()), loglevel="warn").execute_from_commandline()
