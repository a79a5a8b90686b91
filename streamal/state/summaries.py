"""What events looked like in each window, added up over partitions, for data drift."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Final

import orjson

from streamal.core.drift import Summary
from streamal.events import DataSummary, WindowStats

__all__ = ["SUMMARY_SCHEMA", "SummaryStore", "WindowSummary"]

SUMMARY_SCHEMA: Final = """
CREATE TABLE summaries (
    window_start REAL NOT NULL,
    window_seconds REAL NOT NULL,
    counts BLOB NOT NULL,
    PRIMARY KEY (window_start, window_seconds)
) STRICT, WITHOUT ROWID;
"""

#: Bounds of what is kept of a window: the most that settings allow, so that a change of settings
#: needs no replay.
_BINS: Final = 256
_VARIABLES: Final = 1004


@dataclass(frozen=True, slots=True)
class WindowSummary:
    """One window's events.

    Attributes:
        window_start: first instant, seconds since the epoch.
        window_seconds: its length.
        summary: all partitions together.
    """

    window_start: float
    window_seconds: float
    summary: Summary

    @property
    def window_end(self) -> float:
        """First instant after it."""
        return self.window_start + self.window_seconds


class SummaryStore:
    """The table of summaries in the pending view; used inside of its transactions.

    Args:
        connection: of the view.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, increment: WindowStats) -> None:
        """Add an increment to its window; one without a summary changes nothing."""
        if increment.summary is None:
            return
        key = (increment.window_start.timestamp(), increment.window_seconds)
        row = self._connection.execute(
            "SELECT counts FROM summaries WHERE window_start = ? AND window_seconds = ?", key
        ).fetchone()
        summary = _core(increment.summary)
        if row is not None:
            known = Summary.read(orjson.loads(row[0]), _BINS, _VARIABLES)
            known.merge(summary)
            summary = known
        self._connection.execute(
            "INSERT OR REPLACE INTO summaries VALUES (?, ?, ?)",
            (*key, orjson.dumps(summary.json())),
        )

    def between(self, start: float, end: float, bins: int, variables: int) -> list[WindowSummary]:
        """Windows that lie within [`start`, `end`) (epoch seconds), oldest first.

        Args:
            start: first instant.
            end: first instant after.
            bins: most bins per variable of what is returned.
            variables: most variables.
        """
        rows = self._connection.execute(
            "SELECT window_start, window_seconds, counts FROM summaries "
            "WHERE window_start >= ? AND window_start + window_seconds <= ? "
            "ORDER BY window_start, window_seconds",
            (start, end),
        )
        return [
            WindowSummary(first, seconds, Summary.read(orjson.loads(counts), bins, variables))
            for first, seconds, counts in rows
        ]


def _core(summary: DataSummary) -> Summary:
    return Summary.read(summary.model_dump(mode="json"), _BINS, _VARIABLES)
