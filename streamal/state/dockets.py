"""The events of a batch of labels: read by one query, judged in memory, written by one statement.

A judge asks for one event after the other; asking SQLite each time costs more than all judging.
What is not flushed exists in memory only, so whoever reads the tables themselves flushes before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from streamal.core.annotation import Answer
from streamal.ports import TopicPartition

__all__ = ["Ballot", "Docket", "Dockets", "as_answer", "as_columns", "ballot_of"]


def as_columns(answer: Answer | None) -> tuple[str | None, float | None]:
    """An answer as it lies in the columns `label` and `value`."""
    if answer is None:
        return None, None
    return (answer, None) if isinstance(answer, str) else (None, float(answer))


def as_answer(label: str | None, value: float | None) -> Answer | None:
    """Back from the columns."""
    return value if label is None else label


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


@dataclass(slots=True)
class Docket:
    """All that is known about one event. Times are epoch seconds.

    Attributes:
        event_id: identity of the event.
        payload: the review request as it lies on the log; None when none was made.
        required_labels: how many annotators are to answer.
        expires_at: of the request.
        final: the final answer; None while there is none.
        answered_at: when there was one first; None while there is none.
        changes: how often the final answer has changed.
        dispute: until when a lead may adjudicate, and whether one is waited for; None without one.
        adjudication: a lead, their answer, and when they gave it.
        lesson: partition and offset of the label record at which the event was learned.
        gold: id of the gold item behind the event; None for ordinary events.
        votes: annotator to standing answer.
    """

    event_id: str
    payload: bytes | None = None
    required_labels: int = 0
    expires_at: float = 0.0
    final: Answer | None = None
    answered_at: float | None = None
    changes: int = 0
    dispute: tuple[float, bool] | None = None
    adjudication: tuple[str, Answer, float] | None = None
    lesson: tuple[TopicPartition, int] | None = None
    gold: str | None = None
    votes: dict[str, Ballot] = field(default_factory=dict)


BALLOT_COLUMNS: Final = (
    "event_id, annotator, place, label, value, labelled_at, arrived_at, held, compared, ruled, "
    "feedback"
)
_DOCKETS: Final = (
    "SELECT asked.value, payload, required_labels, reviews.expires_at, reviews.label, "
    "reviews.value, answered_at, "
    "(SELECT max(sequence) FROM answers WHERE answers.event_id = asked.value), "
    "disputes.expires_at, is_open, adjudications.annotator, adjudications.label, "
    'adjudications.value, adjudications.labelled_at, topic, partition, "offset", item '
    "FROM json_each(?) AS asked LEFT JOIN reviews ON reviews.event_id = asked.value "
    "LEFT JOIN disputes ON disputes.event_id = asked.value "
    "LEFT JOIN adjudications ON adjudications.event_id = asked.value "
    "LEFT JOIN effects ON effects.event_id = asked.value AND kind = 'lesson' "
    "LEFT JOIN gold ON gold.event_id = asked.value"
)
_VOTES: Final = (
    "SELECT votes.event_id, annotator, place, label, votes.value, labelled_at, arrived_at, held, "
    "compared, ruled, feedback "
    "FROM json_each(?) AS asked JOIN votes ON votes.event_id = asked.value"
)
_CAST: Final = (
    f"INSERT OR REPLACE INTO votes ({BALLOT_COLUMNS}) "  # noqa: S608 - our own names
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Dockets:
    """Dockets of the events that are judged; used inside of the view's transactions.

    Args:
        connection: of the view.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[str, Docket] = {}
        self._settled: dict[str, Docket] = {}
        self._disputed: dict[str, Docket] = {}
        self._adjudicated: dict[str, Docket] = {}
        self._voted: dict[tuple[str, str], Docket] = {}
        self._answers: list[tuple[str, int, float, str | None, float | None]] = []

    def fetch(self, event_ids: Iterable[str]) -> None:
        """Read these events at once; those that are known already stay as they are."""
        missing = {event_id for event_id in event_ids if event_id not in self._known}
        if not missing:
            return
        asked = orjson.dumps(list(missing)).decode()
        found = {row[0]: _docket(row) for row in self._connection.execute(_DOCKETS, (asked,))}
        for row in self._connection.execute(_VOTES, (asked,)):
            ballot = ballot_of(row)
            found[ballot.event_id].votes[ballot.annotator] = ballot
        self._known.update(found)

    def get(self, event_id: str) -> Docket:
        """One event; an empty docket when nothing is known about it."""
        docket = self._known.get(event_id)
        if docket is None:
            self.fetch((event_id,))
            docket = self._known[event_id]
        return docket

    def cast(self, ballot: Ballot) -> None:
        """Add a vote, or replace the annotator's earlier one."""
        docket = self.get(ballot.event_id)
        docket.votes[ballot.annotator] = ballot
        self._voted[ballot.event_id, ballot.annotator] = docket

    def remove(self, event_id: str, annotator: str) -> None:
        """Take a vote out."""
        docket = self.get(event_id)
        docket.votes.pop(annotator, None)
        self._voted[event_id, annotator] = docket

    def settle(self, event_id: str, answer: Answer | None, at: float) -> None:
        """Make `answer` the final one from `at` on; None takes the final answer back."""
        docket = self.get(event_id)
        docket.final = answer
        docket.changes += 1
        if answer is None:
            docket.answered_at = None
        elif docket.answered_at is None:
            docket.answered_at = at
        self._settled[event_id] = docket
        self._answers.append((event_id, docket.changes, at, *as_columns(answer)))
        if answer is not None and docket.dispute is not None:
            self.dispute(event_id, (docket.dispute[0], False))

    def dispute(self, event_id: str, dispute: tuple[float, bool]) -> None:
        """Open or close a dispute, see `Docket.dispute`."""
        docket = self.get(event_id)
        docket.dispute = dispute
        self._disputed[event_id] = docket

    def adjudicate(self, event_id: str, verdict: tuple[str, Answer, float] | None) -> None:
        """Set a lead's verdict, see `Docket.adjudication`; None takes it back."""
        docket = self.get(event_id)
        docket.adjudication = verdict
        self._adjudicated[event_id] = docket

    def flush(self) -> None:
        """Write what has changed; what is known stays known."""
        many = self._connection.executemany
        many(
            "UPDATE reviews SET label = ?, value = ?, answered_at = ? WHERE event_id = ?",
            [
                (*as_columns(each.final), each.answered_at, event_id)
                for event_id, each in self._settled.items()
            ],
        )
        many("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", self._answers)
        self._flush_votes()
        many(
            "INSERT OR REPLACE INTO disputes VALUES (?, ?, ?)",
            [
                (event_id, *each.dispute)
                for event_id, each in self._disputed.items()
                if each.dispute is not None
            ],
        )
        self._flush_adjudications()
        self._clear_changes()

    def forget(self) -> None:
        """Drop everything, unwritten changes included."""
        self._known.clear()
        self._clear_changes()

    def _flush_votes(self) -> None:
        standing = {key: docket.votes.get(key[1]) for key, docket in self._voted.items()}
        gone = [key for key, ballot in standing.items() if ballot is None]
        self._connection.executemany("DELETE FROM votes WHERE event_id = ? AND annotator = ?", gone)
        cast = [_row(ballot) for ballot in standing.values() if ballot is not None]
        self._connection.executemany(_CAST, cast)

    def _flush_adjudications(self) -> None:
        rows = [(event_id, each.adjudication) for event_id, each in self._adjudicated.items()]
        self._connection.executemany(
            "DELETE FROM adjudications WHERE event_id = ?",
            [(event_id,) for event_id, verdict in rows if verdict is None],
        )
        self._connection.executemany(
            "INSERT OR REPLACE INTO adjudications VALUES (?, ?, ?, ?, ?)",
            [
                (event_id, verdict[0], *as_columns(verdict[1]), verdict[2])
                for event_id, verdict in rows
                if verdict is not None
            ],
        )

    def _clear_changes(self) -> None:
        self._settled.clear()
        self._disputed.clear()
        self._adjudicated.clear()
        self._voted.clear()
        self._answers.clear()


def _docket(row: tuple[Any, ...]) -> Docket:
    event_id, payload, required, expires_at, label, value, answered_at, changes, *rest = row
    until, is_open, lead, ruled_label, ruled_value, ruled_at, topic, partition, offset, item = rest
    ruled = as_answer(ruled_label, ruled_value)
    return Docket(
        event_id=event_id,
        payload=payload,
        required_labels=required or 0,
        expires_at=expires_at or 0.0,
        final=as_answer(label, value),
        answered_at=answered_at,
        changes=changes or 0,
        dispute=None if until is None else (until, bool(is_open)),
        adjudication=None if ruled is None else (lead, ruled, ruled_at),
        lesson=None if topic is None else (TopicPartition(topic, partition), offset),
        gold=item,
    )


def ballot_of(row: tuple[Any, ...]) -> Ballot:
    """A row of `votes`, its columns as in `BALLOT_COLUMNS`."""
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


def _row(ballot: Ballot) -> tuple[object, ...]:
    return (
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
    )
