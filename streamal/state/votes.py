"""The ballot box: standing votes, final answers and their history, disputes and adjudications.

What votes amount to is decided in `streamal.state.judge`. Everything happens inside of the
transaction of the caller, on the dockets of its batch.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace

from streamal.core.annotation import Answer, Vote
from streamal.state.dockets import BALLOT_COLUMNS, Ballot, Dockets, ballot_of

__all__ = ["BallotBox", "Item", "as_votes"]


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


class BallotBox:
    """See the module docstring.

    Args:
        connection: of the view.
        dockets: the events of the batch.
    """

    def __init__(self, connection: sqlite3.Connection, dockets: Dockets) -> None:
        self._connection = connection
        self._dockets = dockets

    def item(self, event_id: str) -> Item | None:
        """The review of an event; None when none was requested."""
        docket = self._dockets.get(event_id)
        if docket.payload is None:
            return None
        until = docket.expires_at if docket.dispute is None else docket.dispute[0]
        deadline = max(docket.expires_at, until)
        return Item(event_id, docket.required_labels, deadline, docket.final)

    def vote(self, event_id: str, annotator: str) -> Ballot | None:
        """The standing answer of one annotator."""
        return self._dockets.get(event_id).votes.get(annotator)

    def counted(self, event_id: str) -> list[Ballot]:
        """The answers to a request that are not held, in their order."""
        return self._standing(event_id, feedback=False)

    def feedback(self, event_id: str) -> list[Ballot]:
        """Unsolicited answers for an event that are not held, in their order."""
        return self._standing(event_id, feedback=True)

    def _standing(self, event_id: str, *, feedback: bool) -> list[Ballot]:
        found = [
            ballot
            for ballot in self._dockets.get(event_id).votes.values()
            if not ballot.held and (ballot.feedback is not None) == feedback
        ]
        return sorted(found, key=_place) if len(found) > 1 else found

    def held(self, annotator: str) -> list[Ballot]:
        """The held votes of an annotator, in the order of the log."""
        self._dockets.flush()
        return self._select("annotator = ? AND held = 1 ORDER BY place, event_id", annotator)

    def cast(self, ballot: Ballot) -> None:
        """Add a vote, or replace the annotator's earlier one."""
        self._dockets.cast(ballot)

    def remove(self, event_id: str, annotator: str) -> None:
        """Take a vote out."""
        self._dockets.remove(event_id, annotator)

    def hold_open(self, annotator: str) -> list[str]:
        """Hold the annotator's votes on items without a final answer; the events they were on."""
        where = (
            "annotator = ? AND held = 0 AND EXISTS (SELECT 1 FROM reviews WHERE "
            "reviews.event_id = votes.event_id AND answered_at IS NULL)"
        )
        self._dockets.flush()
        touched = self._select(where, annotator)
        self._dockets.fetch(ballot.event_id for ballot in touched)
        for ballot in touched:
            self.cast(replace(ballot, held=True))
        return sorted(ballot.event_id for ballot in touched)

    def release(self, ballot: Ballot) -> None:
        """Count a held vote."""
        now = self._dockets.get(ballot.event_id).votes[ballot.annotator]
        self.cast(replace(now, held=False))

    def drop_held(self, annotator: str) -> None:
        """Forget the held votes of an annotator."""
        ballots = self.held(annotator)
        self._dockets.fetch(ballot.event_id for ballot in ballots)
        for ballot in ballots:
            self.remove(ballot.event_id, annotator)

    def settle(self, event_id: str, answer: Answer | None, at: float) -> None:
        """Make `answer` the final one from `at` on; None takes the final answer back."""
        self._dockets.settle(event_id, answer, at)

    def dispute(self, event_id: str, expires_at: float) -> bool:
        """Open a dispute until `expires_at`; False when one is open already."""
        known = self._dockets.get(event_id).dispute
        if known is not None and known[1]:
            return False
        self._dockets.dispute(event_id, (expires_at, True))
        return True

    def adjudication(self, event_id: str) -> tuple[str, Answer] | None:
        """Lead and answer of the final verdict; None without one."""
        verdict = self._dockets.get(event_id).adjudication
        return None if verdict is None else verdict[:2]

    def adjudicate(self, event_id: str, lead: str, answer: Answer, labelled_at: float) -> None:
        """Set a lead's verdict; a later one replaces it."""
        self._dockets.adjudicate(event_id, (lead, answer, labelled_at))

    def take_back_adjudication(self, event_id: str) -> bool:
        """Remove a lead's verdict; False when there was none."""
        if self._dockets.get(event_id).adjudication is None:
            return False
        self._dockets.adjudicate(event_id, None)
        return True

    def mark(self, ballot: Ballot, *, ruled: bool) -> None:
        """Remember that a vote was compared: with a lead's answer (`ruled`), or with others'."""
        now = self._dockets.get(ballot.event_id).votes[ballot.annotator]
        self.cast(replace(now, ruled=True) if ruled else replace(now, compared=True))

    def answers(self, event_id: str) -> Mapping[str, Answer]:
        """Annotator to answer, of the votes that are not held."""
        return {ballot.annotator: ballot.answer for ballot in self.counted(event_id)}

    def _select(self, where: str, *values: object) -> list[Ballot]:
        query = f"SELECT {BALLOT_COLUMNS} FROM votes WHERE {where}"  # noqa: S608 - our own names
        return [ballot_of(row) for row in self._connection.execute(query, values).fetchall()]


def _place(ballot: Ballot) -> tuple[int, str]:
    return ballot.place, ballot.annotator


def as_votes(ballots: list[Ballot]) -> list[Vote]:
    """Ballots as the core's votes."""
    return [Vote(ballot.annotator, ballot.answer) for ballot in ballots]
