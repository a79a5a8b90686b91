"""The ballot box: standing votes, final answers and their history, disputes and adjudications.

SQL only; what votes amount to is decided in `streamal.state.judge`. Everything happens inside of
the transaction of the caller.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamal.core.annotation import Answer, Vote

__all__ = ["Ballot", "BallotBox", "Item", "as_answer", "as_columns", "as_votes"]


def as_columns(answer: Answer | None) -> tuple[str | None, float | None]:
    """An answer as it lies in the columns `label` and `value`."""
    if answer is None:
        return None, None
    return (answer, None) if isinstance(answer, str) else (None, float(answer))


def as_answer(label: str | None, value: float | None) -> Answer | None:
    """Back from the columns."""
    return value if label is None else label


@dataclass(frozen=True, slots=True)
class Item:
    """A requested review as far as answers are concerned. Times are epoch seconds.

    Attributes:
        event_id: identity of the event.
        required_labels: how many annotators are to answer.
        deadline: until when answers are learned: the expiry of the review, or of the request to
            adjudicate it.
        final: the final answer; None while there is none.
    """

    event_id: str
    required_labels: int
    deadline: float
    final: Answer | None


@dataclass(frozen=True, slots=True)
class Ballot:
    """One annotator's standing answer for one event. Times are epoch seconds.

    Attributes:
        event_id: identity of the event.
        annotator: who.
        place: orders the votes of an event: the offset of the annotator's first one.
        answer: the class, or the number.
        labelled_at: when they say they answered.
        arrived_at: log time of their latest answer.
        held: whether it waits for a lead's decision about the annotator.
        compared: whether it was compared with the others' answers.
        ruled: whether it was compared with a lead's answer.
        feedback: the label's bytes, for unsolicited feedback.
    """

    event_id: str
    annotator: str
    place: int
    answer: Answer
    labelled_at: float
    arrived_at: float
    held: bool = False
    compared: bool = False
    ruled: bool = False
    feedback: bytes | None = None


_COLUMNS = (
    "event_id, annotator, place, label, value, labelled_at, arrived_at, held, compared, ruled, "
    "feedback"
)


class BallotBox:
    """See the module docstring."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def item(self, event_id: str) -> Item | None:
        """The review of an event; None when none was requested."""
        row = self._connection.execute(
            "SELECT required_labels, max(reviews.expires_at, "
            "coalesce(disputes.expires_at, reviews.expires_at)), label, value "
            "FROM reviews LEFT JOIN disputes USING (event_id) WHERE event_id = ?",
            (event_id,),
        ).fetchone()
        return None if row is None else Item(event_id, row[0], row[1], as_answer(*row[2:]))

    def vote(self, event_id: str, annotator: str) -> Ballot | None:
        """The standing answer of one annotator."""
        rows = self._select("event_id = ? AND annotator = ?", event_id, annotator)
        return rows[0] if rows else None

    def counted(self, event_id: str) -> list[Ballot]:
        """The answers to a request that are not held, in their order."""
        where = "event_id = ? AND held = 0 AND feedback IS NULL ORDER BY place, annotator"
        return self._select(where, event_id)

    def feedback(self, event_id: str) -> list[Ballot]:
        """Unsolicited answers for an event that are not held, in their order."""
        where = "event_id = ? AND held = 0 AND feedback IS NOT NULL ORDER BY place, annotator"
        return self._select(where, event_id)

    def held(self, annotator: str) -> list[Ballot]:
        """The held votes of an annotator, in the order of the log."""
        return self._select("annotator = ? AND held = 1 ORDER BY place, event_id", annotator)

    def cast(self, ballot: Ballot) -> None:
        """Add a vote, or replace the annotator's earlier one."""
        self._connection.execute(
            f"INSERT OR REPLACE INTO votes ({_COLUMNS}) "  # noqa: S608 - our own names
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                ballot.event_id,
                ballot.annotator,
                ballot.place,
                *as_columns(ballot.answer),
                ballot.labelled_at,
                ballot.arrived_at,
                int(ballot.held),
                int(ballot.compared),
                int(ballot.ruled),
                ballot.feedback,
            ),
        )

    def remove(self, event_id: str, annotator: str) -> None:
        """Take a vote out."""
        self._connection.execute(
            "DELETE FROM votes WHERE event_id = ? AND annotator = ?", (event_id, annotator)
        )

    def hold_open(self, annotator: str) -> list[str]:
        """Hold the annotator's votes on items without a final answer; the events they were on."""
        where = (
            "annotator = ? AND held = 0 AND EXISTS (SELECT 1 FROM reviews WHERE "
            "reviews.event_id = votes.event_id AND answered_at IS NULL)"
        )
        touched = [ballot.event_id for ballot in self._select(where, annotator)]
        self._connection.execute(f"UPDATE votes SET held = 1 WHERE {where}", (annotator,))  # noqa: S608 - our own names
        return sorted(touched)

    def release(self, ballot: Ballot) -> None:
        """Count a held vote."""
        self._connection.execute(
            "UPDATE votes SET held = 0 WHERE event_id = ? AND annotator = ?",
            (ballot.event_id, ballot.annotator),
        )

    def drop_held(self, annotator: str) -> None:
        """Forget the held votes of an annotator."""
        self._connection.execute("DELETE FROM votes WHERE annotator = ? AND held = 1", (annotator,))

    def settle(self, event_id: str, answer: Answer | None, at: float) -> None:
        """Make `answer` the final one from `at` on; None takes the final answer back."""
        label, value = as_columns(answer)
        self._connection.execute(
            "UPDATE reviews SET label = ?, value = ?, answered_at = "
            "iif(?, NULL, coalesce(answered_at, ?)) WHERE event_id = ?",
            (label, value, answer is None, at, event_id),
        )
        self._connection.execute(
            "INSERT INTO answers SELECT ?, coalesce(max(sequence), 0) + 1, ?, ?, ? "
            "FROM answers WHERE event_id = ?",
            (event_id, at, label, value, event_id),
        )
        if answer is not None:
            self._connection.execute(
                "UPDATE disputes SET is_open = 0 WHERE event_id = ?", (event_id,)
            )

    def dispute(self, event_id: str, expires_at: float) -> bool:
        """Open a dispute until `expires_at`; False when one is open already."""
        changed = self._connection.execute(
            "INSERT INTO disputes VALUES (?, ?, 1) ON CONFLICT (event_id) DO UPDATE SET "
            "is_open = 1, expires_at = excluded.expires_at WHERE is_open = 0",
            (event_id, expires_at),
        ).rowcount
        return bool(changed)

    def adjudication(self, event_id: str) -> tuple[str, Answer] | None:
        """Lead and answer of the final verdict; None without one."""
        row = self._connection.execute(
            "SELECT annotator, label, value FROM adjudications WHERE event_id = ?", (event_id,)
        ).fetchone()
        if row is None:
            return None
        answer = as_answer(row[1], row[2])
        return None if answer is None else (row[0], answer)

    def adjudicate(self, event_id: str, lead: str, answer: Answer, labelled_at: float) -> None:
        """Set a lead's verdict; a later one replaces it."""
        self._connection.execute(
            "INSERT OR REPLACE INTO adjudications VALUES (?, ?, ?, ?, ?)",
            (event_id, lead, *as_columns(answer), labelled_at),
        )

    def take_back_adjudication(self, event_id: str) -> bool:
        """Remove a lead's verdict; False when there was none."""
        query = "DELETE FROM adjudications WHERE event_id = ?"
        return bool(self._connection.execute(query, (event_id,)).rowcount)

    def mark(self, ballot: Ballot, *, column: str) -> None:
        """Remember that a vote was compared: with others (`compared`) or a lead (`ruled`)."""
        self._connection.execute(
            f"UPDATE votes SET {column} = 1 WHERE event_id = ? AND annotator = ?",  # noqa: S608 - our own names
            (ballot.event_id, ballot.annotator),
        )

    def answers(self, event_id: str) -> Mapping[str, Answer]:
        """Annotator to answer, of the votes that are not held."""
        return {ballot.annotator: ballot.answer for ballot in self.counted(event_id)}

    def _select(self, where: str, *values: object) -> list[Ballot]:
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM votes WHERE {where}", values)  # noqa: S608 - our own names
        return [_ballot(row) for row in rows.fetchall()]


def _ballot(row: tuple[Any, ...]) -> Ballot:
    event_id, annotator, place, label, value, labelled_at, arrived_at, *flags, feedback = row
    answer = as_answer(label, value)
    if answer is None:
        raise RuntimeError(f"a vote of {annotator} on {event_id} without an answer")
    held, compared, ruled = (bool(flag) for flag in flags)
    return Ballot(
        event_id=event_id,
        annotator=annotator,
        place=place,
        answer=answer,
        labelled_at=labelled_at,
        arrived_at=arrived_at,
        held=held,
        compared=compared,
        ruled=ruled,
        feedback=feedback,
    )


def as_votes(ballots: list[Ballot]) -> list[Vote]:
    """Ballots as the core's votes."""
    return [Vote(ballot.annotator, ballot.answer) for ballot in ballots]
