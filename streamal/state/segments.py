"""Segments in the pending view: what was counted in each, and which values deserve a name.

Part of the view's file and of its transactions, see `streamal.state.pending`; what is purged there
takes its segments along.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from streamal.events import ReviewRequest, WindowStats
from streamal.events.segments import OTHER, segment_value

__all__ = ["SEGMENT_SCHEMA", "SegmentSums", "SegmentView"]

SEGMENT_SCHEMA: Final = """
CREATE TABLE review_segments (
    event_id TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (event_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE window_segments (
    window_start REAL NOT NULL,
    window_seconds REAL NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    events INTEGER NOT NULL,
    sum_expected_correct REAL NOT NULL,
    sum_expected_loss REAL NOT NULL,
    PRIMARY KEY (window_start, window_seconds, key, name)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER segments_of_reviews AFTER DELETE ON reviews BEGIN
    DELETE FROM review_segments WHERE event_id = OLD.event_id;
END;
CREATE TRIGGER segments_of_windows AFTER DELETE ON windows BEGIN
    DELETE FROM window_segments
    WHERE window_start = OLD.window_start AND window_seconds = OLD.window_seconds;
END;
"""

#: Latest reviews that the list of names is made from: enough to rank a few dozen values.
_RECENT_REVIEWS: Final = 10_000
#: How much a value that has a name already weighs more than one that has not: without it, values
#: of about the same frequency would take turns, each with gaps in its windows.
_INCUMBENT: Final = 2.0


class SegmentSums(NamedTuple):
    """One segment's part of a window, over the reachable events.

    Attributes:
        events: their number.
        sum_expected_correct: sum of g = predicted P(production is right).
        sum_expected_loss: in a regression, sum of g = predicted |production - truth|.
    """

    events: int
    sum_expected_correct: float
    sum_expected_loss: float = 0.0


class SegmentView:
    """Segments of one pending view.

    Args:
        connection: of the view.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add_review(self, review: ReviewRequest) -> None:
        """Remember the segments that a new review's event was counted in."""
        rows = [
            (review.event_id, key, name, _value(key, name, review))
            for key, name in review.segments.items()
        ]
        self._connection.executemany("INSERT INTO review_segments VALUES (?, ?, ?, ?)", rows)

    def add_window(self, window: WindowStats) -> None:
        """Add an increment."""
        start = window.window_start.timestamp()
        rows = [
            (
                start,
                window.window_seconds,
                key,
                name,
                sums.events,
                sums.sum_expected_correct,
                sums.sum_expected_loss,
            )
            for key, values in window.segments.items()
            for name, sums in values.items()
        ]
        self._connection.executemany(
            "INSERT INTO window_segments VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (window_start, window_seconds, key, name) DO UPDATE SET "
            "events = events + excluded.events, "
            "sum_expected_correct = sum_expected_correct + excluded.sum_expected_correct, "
            "sum_expected_loss = sum_expected_loss + excluded.sum_expected_loss",
            rows,
        )

    def sums(self, start: float, seconds: float) -> dict[str, dict[str, SegmentSums]]:
        """Key to name to sums of the window that begins at `start` and is `seconds` long."""
        found: defaultdict[str, dict[str, SegmentSums]] = defaultdict(dict)
        for key, name, *sums in self._connection.execute(
            "SELECT key, name, events, sum_expected_correct, sum_expected_loss "
            "FROM window_segments WHERE window_start = ? AND window_seconds = ? ORDER BY key, name",
            (start, seconds),
        ):
            found[key][name] = SegmentSums(*sums)
        return dict(found)

    def of_reviews(self, start: float, end: float) -> dict[str, dict[str, str]]:
        """Event id to key to name, of the reviews of events that occurred in [`start`, `end`)."""
        found: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for event_id, key, name in self._connection.execute(
            "SELECT event_id, key, name FROM reviews JOIN review_segments USING (event_id) "
            "WHERE occurred_at >= ? AND occurred_at < ?",
            (start, end),
        ):
            found[event_id][key] = name
        return dict(found)

    def listed(
        self, limits: Mapping[str, int], before: Mapping[str, Sequence[str]]
    ) -> dict[str, tuple[str, ...]]:
        """The values that are to have a name, the most frequent first.

        Frequencies are those of the latest reviews, each counted for all the events that it stands
        for. The same view and the same list before give the same list, whoever asks.

        Args:
            limits: key to the largest number of its values.
            before: the list in force.
        """
        return {
            key: self._most_frequent(key, limit, set(before.get(key, ())))
            for key, limit in limits.items()
        }

    def _most_frequent(self, key: str, limit: int, named: set[str]) -> tuple[str, ...]:
        rows = self._connection.execute(
            "SELECT value, sum(1.0 / propensity) FROM (SELECT event_id, propensity FROM reviews "
            "ORDER BY occurred_at DESC, event_id LIMIT ?) JOIN review_segments USING (event_id) "
            "WHERE key = ? AND value != ? GROUP BY value",
            (_RECENT_REVIEWS, key, OTHER),
        )
        weights = {
            value: weight * (_INCUMBENT if value in named else 1.0) for value, weight in rows
        }
        return tuple(sorted(weights, key=lambda value: (-weights[value], value))[:limit])


def _value(key: str, name: str, review: ReviewRequest) -> str:
    """What the key really says; `name` where that is not to be known."""
    value = segment_value(key, review.produced_by, review.prediction, review.metadata)
    return name if value is None else value
