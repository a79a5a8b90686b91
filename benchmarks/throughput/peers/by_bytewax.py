"""bytewax as its documentation shows it; it keeps offsets in a store of its own, here in none."""

from __future__ import annotations

from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.run import cli_main

from benchmarks.throughput.peers.job import Chooser, Job, Progress


def run(job: Job) -> None:
    """The whole job."""
    chooser, progress = Chooser(job), Progress(job)

    def question(message: Any) -> Any:  # noqa: ANN401 - bytewax's own
        asked = chooser.question(orjson.loads(message.value))
        progress.count()
        return None if asked is None else KafkaSinkMessage(message.key, orjson.dumps(asked))

    flow = Dataflow("minimum")
    source = kop.input("events", flow, brokers=[job.bootstrap], topics=[job.topic])
    asked = op.filter_map("question", source.oks, question)
    kop.output("reviews", asked, brokers=[job.bootstrap], topic=job.reviews)
    cli_main(flow)


if __name__ == "__main__":
    run(Job.given())
