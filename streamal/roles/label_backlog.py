"""Registers the labels that a new leader finds on the log, before any window is closed."""

from __future__ import annotations

from collections.abc import Collection

from streamal.ports import Consumer, TopicPartition
from streamal.roles.loop import CATCH_UP_POLL_SECONDS
from streamal.roles.review_view import ReviewView

__all__ = ["register_backlog"]


def register_backlog(
    labels: Consumer, view: ReviewView, sources: Collection[TopicPartition], max_batch_records: int
) -> None:
    """Bring the view abreast of `labels` as they are now; the consumer stands where it stood.

    A file that was lost holds no answer, and one of a while ago lacks those since. Windows that
    matured in between would be closed without them. Nothing is learned or reported here: when the
    leader comes to these records, their verdicts are read back.

    Args:
        labels: assigned to `sources`, at the offsets where the leader is to go on.
        view: the pending view and its feed.
        sources: the partitions of `labels`.
        max_batch_records: most records registered in one SQLite transaction.
    """
    resume = {source: labels.position(source) for source in sources}
    registered = view.pending.offsets()
    ends = labels.end_offsets(list(sources))
    for source, position in resume.items():
        labels.seek(source, max(position, registered.get(source, 0)))
    while any(labels.position(source) < end for source, end in ends.items()):
        records = labels.poll(CATCH_UP_POLL_SECONDS, max_batch_records)
        view.catch_up()
        view.pending.register_labels(records)
    for source, position in resume.items():
        labels.seek(source, position)
