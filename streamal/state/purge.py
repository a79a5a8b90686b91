"""What leaves the pending view, and when: by age, and never what a restart will ask for."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from streamal.ports import TopicPartition

__all__ = ["purge"]

_HAS_REVIEW = "EXISTS (SELECT 1 FROM reviews WHERE reviews.event_id = {table}.event_id)"
#: Tables whose rows speak of a review and leave with it.
_FOLLOWERS = ("answers", "disputes", "adjudications")


def purge(
    connection: sqlite3.Connection, before: float, contained: Mapping[TopicPartition, int]
) -> int:
    """See `PendingView.purge`; inside of the caller's transaction."""
    for (topic, partition), offset in contained.items():
        connection.execute(
            'DELETE FROM labels WHERE topic = ? AND partition = ? AND "offset" < ? '
            "AND arrived_at < ? AND NOT EXISTS (SELECT 1 FROM reviews "
            "WHERE reviews.event_id = labels.event_id AND expires_at >= ?)",
            (topic, partition, offset, before, before),
        )
    # A ruling's lessons are of other events than its record: they stay while those can be answered.
    connection.execute(
        "DELETE FROM effects WHERE NOT EXISTS (SELECT 1 FROM labels "
        "WHERE labels.topic = effects.topic AND labels.partition = effects.partition "
        'AND labels."offset" = effects."offset") AND NOT EXISTS (SELECT 1 FROM reviews '
        "WHERE reviews.event_id = effects.event_id AND expires_at >= ?)",
        (before,),
    )
    forgotten = connection.execute(
        "DELETE FROM reviews WHERE expires_at < ? AND NOT EXISTS "
        "(SELECT 1 FROM effects WHERE effects.event_id = reviews.event_id) AND NOT EXISTS "
        # A held vote stays, with its review, until a lead has decided.
        "(SELECT 1 FROM votes WHERE votes.event_id = reviews.event_id AND held = 1)",
        (before,),
    ).rowcount
    _follow(connection, before)
    connection.execute(
        "DELETE FROM windows WHERE window_start + window_seconds < "
        "min(?, coalesce((SELECT min(occurred_at) FROM reviews), ?))",
        (before, before),
    )
    connection.execute(
        "DELETE FROM summaries WHERE NOT EXISTS (SELECT 1 FROM windows "
        "WHERE windows.window_start = summaries.window_start "
        "AND windows.window_seconds = summaries.window_seconds)"
    )
    return forgotten


def _follow(connection: sqlite3.Connection, before: float) -> None:
    for table in _FOLLOWERS:
        connection.execute(
            f"DELETE FROM {table} WHERE NOT {_HAS_REVIEW.format(table=table)}"  # noqa: S608 - our own names
        )
    connection.execute(
        f"DELETE FROM votes WHERE held = 0 AND arrived_at < ? "  # noqa: S608 - our own names
        f"AND NOT {_HAS_REVIEW.format(table='votes')} AND NOT EXISTS "
        "(SELECT 1 FROM effects WHERE effects.event_id = votes.event_id)",
        (before,),
    )
    connection.execute("DELETE FROM gold WHERE expires_at < ?", (before,))
    connection.execute(
        "DELETE FROM gold_answers WHERE NOT EXISTS "
        "(SELECT 1 FROM gold WHERE gold.event_id = gold_answers.event_id)"
    )
