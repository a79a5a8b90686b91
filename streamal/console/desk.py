"""What reviewers do: take an item, answer it, change their mind. Each is one durable transaction.

An answer is accepted with its label in the outbox, its place in the queue's view and its line in
the audit together; `streamal.roles.label_publisher` publishes it later, whatever happens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias

from streamal.console.items import Filters, Item, Items
from streamal.errors import Reject
from streamal.events import LabelEvent
from streamal.ports import Clock
from streamal.state.durable import DurableFile
from streamal.state.outbox import Outbox

__all__ = ["Choice", "Desk", "Done", "Entry", "Refused"]

Action: TypeAlias = Literal["label", "unsure", "skip", "verdict"]

#: How far down the queue an item that is held already is looked for.
_LONGEST_QUEUE: Final = 200
_MOST_AUDIT: Final = 200


class Refused(Exception):
    """An answer that was not accepted; the message is for the reviewer."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reviewer decided.

    Attributes:
        action: what kind of answer.
        label: the class; None for a number, unsure and skip.
        value: the number of a regression.
        note: for colleagues; empty for none.
    """

    action: Action
    label: str | None = None
    value: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What was accepted or undone.

    Attributes:
        event_id: of the item.
        action: what kind of answer.
        answer: the class or number as text; None for unsure and skip.
        withdrawn: after undoing: whether the answer had been published, so that taking it back
            is an event of its own.
    """

    event_id: str
    action: str
    answer: str | None
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the audit.

    Attributes:
        at: epoch seconds.
        undone: `dropped` before publication, `withdrawn` after it; None when it stands.
    """

    at: float
    annotator: str
    action: str
    event_id: str
    answer: str | None
    note: str | None
    undone: str | None


class Desk:
    """See the module docstring; may be shared by threads.

    Args:
        file: the console's.
        items: the queue in it.
        outbox: the outbox in it.
        clock: time of day.
        check: raises `Reject` for a label that the pipeline could not use.
        lease_seconds: how long an item stays with whoever opened it.
        undo_seconds: how long an answer is held back.
        count: told what was done, once it is durable.
    """

    def __init__(
        self,
        *,
        file: DurableFile,
        items: Items,
        outbox: Outbox,
        clock: Clock,
        check: Callable[[LabelEvent], None],
        lease_seconds: float,
        undo_seconds: float,
        count: Callable[[str], None],
    ) -> None:
        self._file = file
        self._outbox = outbox
        self._clock = clock
        self._check = check
        self._lease_seconds = lease_seconds
        self._undo_seconds = undo_seconds
        self._count = count
        self.items = items

    def take_next(
        self, annotator: str, filters: Filters, *, adjudication: bool = False
    ) -> Item | None:
        """The item to work on: the one held already if it fits, else the first that is free."""
        with self._file.transaction():
            now = self._clock.now()
            queue = self.items.queue(
                annotator, filters, now, adjudication=adjudication, limit=_LONGEST_QUEUE
            )
            held = self._held(annotator, now)
            item = next((each for each in queue if each.review.event_id in held), None)
            if item is None and queue:
                item = queue[0]
            if item is not None:
                self._lease(item.review.event_id, annotator, now)
            return item

    def take(self, annotator: str, event_id: str) -> str | None:
        """Take a certain item; who holds it when it can't be had, None when it can."""
        with self._file.transaction():
            now = self._clock.now()
            holder = self._holder(event_id, annotator, now)
            if holder is None:
                self._lease(event_id, annotator, now)
            return holder

    def release(self, annotator: str) -> None:
        """Let go of everything."""
        self._file.execute("DELETE FROM leases WHERE annotator = ?", (annotator,))

    def answer(self, annotator: str, event_id: str, choice: Choice) -> Done:
        """Accept an answer; it is durable when this returns.

        Raises:
            Refused: it can't count any more, or never could; nothing was stored.
        """
        with self._file.transaction():
            now = self._clock.now()
            self._check_open(annotator, event_id, choice, now)
            label = self._label(annotator, event_id, choice, now)
            text = label.label if label.value is None else f"{label.value:.12g}"
            sequence = self._send(label, now, self._undo_seconds)
            self.items.say(label, sequence)
            self._file.execute("DELETE FROM leases WHERE annotator = ?", (annotator,))
            self._file.execute(
                "INSERT INTO audit (at, annotator, action, event_id, answer, note, sequence) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (now, annotator, choice.action, event_id, text, label.note, sequence),
            )
        self._count(choice.action)
        return Done(event_id, choice.action, text)

    def undo(self, annotator: str) -> Done:
        """Take back the reviewer's latest answer that stands, and hand them the item again.

        Raises:
            Refused: there is none.
        """
        with self._file.transaction():
            now = self._clock.now()
            rows = self._file.query(
                "SELECT id, event_id, action, answer, sequence FROM audit "
                "WHERE annotator = ? AND undone IS NULL ORDER BY id DESC LIMIT 1",
                (annotator,),
            )
            if not rows:
                raise Refused("There is nothing to undo.")
            entry, event_id, action, answer, sequence = rows[0]
            dropped = self._outbox.take_back(sequence)
            if not dropped:
                self._send(_withdrawal(annotator, event_id, action, now), now, 0.0)
            self.items.unsay(event_id, annotator)
            self._file.execute(
                "UPDATE audit SET undone = ? WHERE id = ?",
                ("dropped" if dropped else "withdrawn", entry),
            )
            if dropped:
                self._restore(annotator, event_id)
            if self._holder(event_id, annotator, now) is None:
                self._lease(event_id, annotator, now)
        self._count("dropped" if dropped else "withdrawn")
        return Done(event_id, action, answer, withdrawn=not dropped)

    def _restore(self, annotator: str, event_id: str) -> None:
        """What was dropped had revised an earlier answer: that one stands again."""
        self._file.execute(
            "INSERT INTO answers SELECT event_id, annotator, action, answer, note, at, sequence "
            "FROM audit WHERE annotator = ? AND event_id = ? AND undone IS NULL "
            "ORDER BY id DESC LIMIT 1",
            (annotator, event_id),
        )
        self.items.recount(event_id)

    def audit(self, annotator: str | None = None, limit: int = _MOST_AUDIT) -> list[Entry]:
        """The latest lines of the audit, of one reviewer or of all, newest first."""
        rows = self._file.query(
            "SELECT at, annotator, action, event_id, answer, note, undone FROM audit "
            "WHERE ?1 IS NULL OR annotator = ?1 ORDER BY id DESC LIMIT ?2",
            (annotator, limit),
        )
        return [Entry(*row) for row in rows]

    def answered_since(self, annotator: str, since: float) -> int:
        """How many of a reviewer's answers since a time (epoch seconds) stand."""
        rows = self._file.query(
            "SELECT count(*) FROM audit WHERE annotator = ? AND at >= ? AND undone IS NULL",
            (annotator, since),
        )
        return int(rows[0][0])

    def forget(self, before: float) -> None:
        """Drop the audit and the published labels of before a time (epoch seconds)."""
        self._file.execute("DELETE FROM audit WHERE at < ?", (before,))
        self._file.execute("DELETE FROM leases WHERE until < ?", (before,))
        self._outbox.forget(before)

    def _check_open(self, annotator: str, event_id: str, choice: Choice, now: float) -> None:
        item = self.items.get(event_id)
        if item is None:
            raise Refused("This item is not in the queue.")
        if now >= item.expires_at:
            raise Refused("This item expired while it was open; an answer would come too late.")
        if item.adjudication and choice.action != "verdict":
            raise Refused("The answers to this item disagree; a lead decides it.")
        if choice.action == "verdict" and not item.adjudication:
            raise Refused("The answers to this item do not disagree; it needs no verdict.")
        if item.done:
            raise Refused("This item was answered by somebody else in the meantime.")
        holder = self._holder(event_id, annotator, now)
        if holder is not None:
            raise Refused(f"This item has gone to {holder} after your time for it had run out.")

    def _label(self, annotator: str, event_id: str, choice: Choice, now: float) -> LabelEvent:
        try:
            label = LabelEvent(
                event_id=event_id,
                label=choice.label,
                value=choice.value,
                annotator=annotator,
                labelled_at=datetime.fromtimestamp(now, UTC),
                note=choice.note.strip() or None,
                unsure=choice.action == "unsure",
                skip=choice.action == "skip",
                adjudicates=choice.action == "verdict",
            )
            self._check(label)
        except Reject as reject:
            raise Refused(f"This answer cannot be used: {reject.detail}.") from reject
        except ValueError as error:
            raise Refused("This answer cannot be used: choose a class, or skip.") from error
        return label

    def _send(self, label: LabelEvent, now: float, hold_seconds: float) -> int:
        return self._outbox.add(
            label.event_id.encode(), label.to_bytes(), now=now, hold_seconds=hold_seconds
        )

    def _held(self, annotator: str, now: float) -> set[str]:
        rows = self._file.query(
            "SELECT event_id FROM leases WHERE annotator = ? AND until > ?", (annotator, now)
        )
        return {row[0] for row in rows}

    def _holder(self, event_id: str, annotator: str, now: float) -> str | None:
        """Who else has the last free place at this item; None when there is room."""
        rows: list[tuple[Any, ...]] = self._file.query(
            "SELECT leases.annotator, required - answered FROM leases JOIN items USING (event_id) "
            "WHERE event_id = ? AND until > ? AND leases.annotator <> ?",
            (event_id, now, annotator),
        )
        if rows and len(rows) >= max(1, rows[0][1]):
            return str(rows[0][0])
        return None

    def _lease(self, event_id: str, annotator: str, now: float) -> None:
        """One item per reviewer: taking another lets go of the one before."""
        self._file.execute(
            "DELETE FROM leases WHERE annotator = ? AND event_id <> ?", (annotator, event_id)
        )
        self._file.execute(
            "INSERT OR REPLACE INTO leases VALUES (?, ?, ?)",
            (event_id, annotator, now + self._lease_seconds),
        )


def _withdrawal(annotator: str, event_id: str, action: str, now: float) -> LabelEvent:
    return LabelEvent(
        event_id=event_id,
        annotator=annotator,
        labelled_at=datetime.fromtimestamp(now, UTC),
        withdrawn=True,
        adjudicates=action == "verdict",
    )
