"""What a trainer knows, made anew from the topics; nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from streamal.bootstrap import Pipeline
from streamal.operations.inspect import require_topics
from streamal.ports import Consumer, TopicPartition
from streamal.roles.loop import CATCH_UP_POLL_SECONDS
from streamal.state.database import Location
from streamal.state.pending import PendingView

__all__ = ["replayed_view"]

_BATCH_RECORDS = 5000


@contextmanager
def replayed_view(pipeline: Pipeline, location: Location = ":memory:") -> Iterator[PendingView]:
    """The pending view after all reviews and labels that are kept now.

    Args:
        pipeline: whose topics are read.
        location: a new file, for what would not fit into memory.

    Raises:
        TopicsInvalid: topics are missing or of the wrong shape.
        BrokerUnavailable: no broker answers.
    """
    require_topics(pipeline)
    labels = pipeline.broker.consumer()
    try:
        sources = _from_the_beginning(labels, pipeline.settings.topics.labels)
        # Before the reviews: a label below these ends has its review in what is read after them.
        ends = labels.end_offsets(sources)
        with pipeline.review_view(location) as view:
            view.catch_up()
            while any(labels.position(source) < end for source, end in ends.items()):
                view.pending.register_labels(labels.poll(CATCH_UP_POLL_SECONDS, _BATCH_RECORDS))
            yield view.pending
    finally:
        labels.close()


def _from_the_beginning(consumer: Consumer, topic: str) -> list[TopicPartition]:
    sources = [TopicPartition(topic, number) for number in consumer.partitions_for(topic)]
    consumer.assign(sources)
    for source, first in consumer.beginning_offsets(sources).items():
        consumer.seek(source, first)
    return sources
