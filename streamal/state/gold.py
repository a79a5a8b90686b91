"""Gold items: reviews whose answer is known beforehand; they measure annotators, nothing else.

They lie in tables of their own and never in `reviews`, so that no estimate, count or export can
meet them.
"""

from __future__ import annotations

import sqlite3

__all__ = ["GOLD_HEADER", "GoldAnswers"]

#: Record header that tells the trainer a gold item from others: a header, not a field, because
#: review tools show fields to people. It names the item, never the answer.
GOLD_HEADER = "streamal.gold"


class GoldAnswers:
    """Which reviews are gold items, and who has answered them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, event_id: str, item: str, expires_at: float) -> bool:
        """A gold item was published under `event_id`; False when it was known."""
        changed = self._connection.execute(
            "INSERT INTO gold VALUES (?, ?, ?) ON CONFLICT (event_id) DO NOTHING",
            (event_id, item, expires_at),
        ).rowcount
        return bool(changed)

    def is_first(self, event_id: str, annotator: str) -> bool:
        """Remember that `annotator` answered; False when they had before."""
        changed = self._connection.execute(
            "INSERT INTO gold_answers VALUES (?, ?) ON CONFLICT DO NOTHING", (event_id, annotator)
        ).rowcount
        return bool(changed)
