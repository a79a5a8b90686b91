"""What each label record amounts to, and what follows from it.

A function of the logs: the labels before it, its own log time, the reviews, and the rules. Votes on
an item count in the order of the log; the first `required_labels` of them decide, and when those
disagree, each further one may. A lead's adjudication stands above all votes. An event is learned
once: the answer that stands first is the lesson, and later changes of the final answer reach
estimates and exports, never the model (docs/decisions/0010).
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from streamal.core.annotation import Answer as GivenAnswer
from streamal.core.annotation import Vote
from streamal.events import AnnotatorRuling, LabelEvent
from streamal.ports import Record
from streamal.state.annotators import Annotators, Guard, Standing
from streamal.state.consensus import ConsensusRules, outcome, refit
from streamal.state.dockets import Ballot, Dockets
from streamal.state.effects import EffectLog
from streamal.state.gold import GoldAnswers
from streamal.state.verdicts import Answer, Dispute, Effect, Quarantine, Verdict
from streamal.state.votes import BallotBox, Item, as_votes

__all__ = ["Judge", "JudgeRules"]


@dataclass(frozen=True, slots=True)
class JudgeRules:
    """What verdicts depend on besides the logs.

    Attributes:
        consensus: how votes become an answer.
        guard: when an annotator is quarantined.
        adjudication_seconds: how long a lead is given to adjudicate.
        gold: id of a gold item to its known answer.
    """

    consensus: ConsensusRules = field(default_factory=ConsensusRules)
    guard: Guard = field(default_factory=Guard)
    adjudication_seconds: float = 7 * 86_400.0
    gold: Mapping[str, GivenAnswer] = field(default_factory=dict)


@dataclass(slots=True)
class _Case:
    """One record under judgement.

    Attributes:
        record: as it lies on the topic.
        effects: what has followed so far.
        suspects: annotators whose agreement has just collapsed.
        releases: whether it sets free answers that had arrived in time.
    """

    record: Record
    effects: list[Effect] = field(default_factory=list)
    suspects: deque[str] = field(default_factory=deque)
    releases: bool = False

    @property
    def at(self) -> float:
        """Log time of the record, epoch seconds."""
        return self.record.timestamp_ms / 1000

    def ballot(
        self, label: LabelEvent, answer: GivenAnswer, *, held: bool, unsolicited: bool
    ) -> Ballot:
        """The annotator's first vote on an event."""
        return Ballot(
            event_id=label.event_id,
            annotator=label.annotator,
            place=self.record.offset,
            answer=answer,
            labelled_at=label.labelled_at.timestamp(),
            arrived_at=self.at,
            held=held,
            feedback=self.record.value if unsolicited else None,
        )

    def revised(self, own: Ballot, label: LabelEvent, answer: GivenAnswer, *, held: bool) -> Ballot:
        """The same vote with another answer; it keeps its place."""
        return replace(
            own,
            answer=answer,
            held=held,
            labelled_at=label.labelled_at.timestamp(),
            arrived_at=self.at,
        )


def given(label: LabelEvent) -> GivenAnswer | None:
    """The answer that a label carries; None when it takes one back or leaves it open."""
    if label.withdrawn or label.unsure or label.skip:
        return None
    return label.value if label.label is None else label.label


class Judge:
    """Judges records one after the other, inside of the caller's transaction.

    Args:
        connection: of the view.
        rules: what verdicts depend on besides the logs.
    """

    def __init__(self, connection: sqlite3.Connection, rules: JudgeRules) -> None:
        self.rules = rules
        self._connection = connection
        self._gold = GoldAnswers(connection)
        self._dockets = Dockets(connection)
        self.box = BallotBox(connection, self._dockets)
        self.effects = EffectLog(connection, self._dockets)
        self.annotators = Annotators(connection, rules.guard)

    @contextmanager
    def batch(self, event_ids: Iterable[str]) -> Iterator[None]:
        """Judge a batch of labels of these events; what it changes is written at the end.

        What was not written is forgotten, as it is when the batch fails.
        """
        self._forget()
        try:
            self._dockets.fetch(event_ids)
            yield
            self._flush()
        finally:
            self._forget()

    @contextmanager
    def hypothetically(self) -> Iterator[None]:
        """What is judged inside, within a batch, leaves no trace."""
        self._flush()
        self._connection.execute("SAVEPOINT look")
        try:
            yield
        finally:
            self._forget()
            self._connection.execute("ROLLBACK TO look")
            self._connection.execute("RELEASE look")

    def _flush(self) -> None:
        self._dockets.flush()
        self.effects.flush()
        self.annotators.flush()

    def _forget(self) -> None:
        self._dockets.forget()
        self.effects.forget()
        self.annotators.forget()

    def judge(self, record: Record, content: LabelEvent | AnnotatorRuling) -> Answer:
        """The verdict on a record that was never judged before, and what follows from it."""
        case = _Case(record)
        if isinstance(content, AnnotatorRuling):
            self._rule(case, content)
            verdict = Verdict.RULING
        else:
            verdict = self._judge_label(case, content)
        self._quarantine_suspects(case)
        return Answer(record, content, verdict, tuple(case.effects))

    def _judge_label(self, case: _Case, label: LabelEvent) -> Verdict:
        standing = self.annotators.get(label.annotator).standing
        if standing is Standing.DISMISSED:
            return Verdict.DISMISSED
        item = self._dockets.get(label.event_id).gold
        if item is not None:
            return self._judge_gold(case, label, item)
        if label.adjudicates:
            return self._adjudicate(case, label)
        answer = given(label)
        own = self.box.vote(label.event_id, label.annotator)
        held = standing is Standing.QUARANTINED
        if answer is None:
            return self._retract(case, label, own)
        if own is None or self._is_overtaken(own):
            return self._vote(case, label, answer, held=held)
        return self._revise(case, label, own, answer, held=held)

    def _is_overtaken(self, own: Ballot) -> bool:
        """Feedback was given before a review was requested; an answer to that is a new vote."""
        return own.feedback is not None and self.box.item(own.event_id) is not None

    # --- votes ---

    def _vote(self, case: _Case, label: LabelEvent, answer: GivenAnswer, *, held: bool) -> Verdict:
        item = self.box.item(label.event_id)
        if item is None and label.features is None:
            return Verdict.UNKNOWN
        if item is not None and case.at > item.deadline:
            return Verdict.LATE
        ballot = case.ballot(label, answer, held=held, unsolicited=item is None)
        self.box.cast(ballot)
        self.annotators.count_answer(label.annotator)
        if held:
            return Verdict.HELD
        if item is None:
            return self._feed_back(case, ballot)
        if item.final is None:
            return self._settle(case, item)
        self._join(case, item.event_id, item.final)
        agrees = self.rules.consensus.agree(answer, item.final)
        return Verdict.DUPLICATE if agrees else Verdict.CONTRADICTORY

    def _feed_back(self, case: _Case, ballot: Ballot) -> Verdict:
        """Unsolicited feedback: the first one of an event is learned, without a vote."""
        if not self.effects.is_learned(ballot.event_id):
            self._learn_feedback(case, ballot)
            return Verdict.UNSOLICITED
        first = self.box.feedback(ballot.event_id)[0]
        agrees = self.rules.consensus.agree(first.answer, ballot.answer)
        return Verdict.DUPLICATE if agrees else Verdict.CONTRADICTORY

    def _learn_feedback(self, case: _Case, ballot: Ballot) -> None:
        if ballot.feedback is None:
            raise RuntimeError(f"feedback of {ballot.annotator} on {ballot.event_id} without bytes")
        lesson = self.effects.feedback(
            case.record, len(case.effects), ballot.event_id, ballot.answer, ballot.feedback
        )
        case.effects.append(lesson)

    def _retract(self, case: _Case, label: LabelEvent, own: Ballot | None) -> Verdict:
        """Withdrawn, unsure or skipped: the annotator has no answer for this event any more."""
        if own is None:
            if label.unsure:
                return Verdict.UNSURE
            return Verdict.SKIP if label.skip else Verdict.WITHDRAWN
        self.box.remove(own.event_id, own.annotator)
        if not own.held:
            self._reconsider(case, own.event_id)
        return Verdict.WITHDRAWN

    def _revise(
        self, case: _Case, label: LabelEvent, own: Ballot, answer: GivenAnswer, *, held: bool
    ) -> Verdict:
        if answer == own.answer:
            return Verdict.DUPLICATE
        self.box.cast(case.revised(own, label, answer, held=held))
        self.annotators.count_answer(own.annotator)
        if not own.held:
            self._reconsider(case, own.event_id)
        return Verdict.HELD if held else Verdict.REVISED

    # --- from votes to a final answer ---

    def _settle(self, case: _Case, item: Item) -> Verdict:
        """A vote was added to an item without a final answer: what does that make of it?"""
        before = len(case.effects)
        answer = self._final_answer(case, item)
        if answer is not None:
            self._make_final(case, item, answer)
        news = case.effects[before:]
        if any(isinstance(effect, Dispute) for effect in news):
            return Verdict.DISPUTED
        if answer is None:
            return Verdict.VOTE
        return Verdict.LEARNED if news else Verdict.SETTLED

    def _reconsider(self, case: _Case, event_id: str) -> None:
        """Votes on an item have changed: its final answer may have, too."""
        item = self.box.item(event_id)
        if item is None:
            return
        answer = self._final_answer(case, item)
        if answer is None and item.final is not None:
            self.box.settle(event_id, None, case.at)
        elif answer is not None and answer != item.final:
            self._make_final(case, item, answer)

    def _final_answer(self, case: _Case, item: Item) -> GivenAnswer | None:
        """The answer that adjudication or votes carry; opens a dispute when votes fail to."""
        votes = as_votes(self.box.counted(item.event_id))
        self._seat_panel(item.event_id, votes if len(votes) >= item.required_labels else [])
        ruling = self.box.adjudication(item.event_id)
        if ruling is not None:
            return ruling[1]
        for count in range(item.required_labels, len(votes) + 1):
            found = outcome(self.rules.consensus, self.annotators, votes[:count])
            if found.answer is not None:
                return found.answer
        if len(votes) >= item.required_labels:
            self._dispute(case, item)
        return None

    def _make_final(self, case: _Case, item: Item, answer: GivenAnswer) -> None:
        self.box.settle(item.event_id, answer, case.at)
        in_time = case.releases or case.at <= item.deadline
        if in_time and not self.effects.is_learned(item.event_id):
            lesson = self.effects.lesson(case.record, len(case.effects), item.event_id, answer)
            case.effects.append(lesson)
        self._compare(case, item.event_id, answer)

    def _dispute(self, case: _Case, item: Item) -> None:
        review = self.effects.review(item.event_id)
        late = case.at > item.deadline
        expires_at = case.at + self.rules.adjudication_seconds
        if review is None or late or not self.box.dispute(item.event_id, expires_at):
            return
        asked_at = datetime.fromtimestamp(case.at, UTC)
        dispute = Dispute(review, asked_at, dict(self.box.answers(item.event_id)))
        self.effects.dispute(case.record, len(case.effects), review, dispute)
        case.effects.append(dispute)

    def _adjudicate(self, case: _Case, label: LabelEvent) -> Verdict:
        item, answer = self.box.item(label.event_id), given(label)
        if item is None:
            return Verdict.UNKNOWN
        if label.withdrawn:
            if self.box.take_back_adjudication(item.event_id):
                self._reconsider(case, item.event_id)
            return Verdict.WITHDRAWN
        if answer is None:
            return Verdict.UNSURE if label.unsure else Verdict.SKIP
        self.box.adjudicate(item.event_id, label.annotator, answer, label.labelled_at.timestamp())
        self._reconsider(case, item.event_id)
        self._compare(case, item.event_id, answer)
        return Verdict.ADJUDICATED

    # --- annotators ---

    def _judge_gold(self, case: _Case, label: LabelEvent, item: str) -> Verdict:
        answer, known = given(label), self.rules.gold.get(item)
        if answer is None or known is None:
            return Verdict.GOLD
        if self._gold.is_first(label.event_id, label.annotator):
            agrees = self.rules.consensus.agree(answer, known)
            self._observe(case, label.annotator, float(agrees), gold=True)
        return Verdict.GOLD

    def _join(self, case: _Case, event_id: str, final: GivenAnswer) -> None:
        """A vote on an item that has its final answer: it counts for agreement only."""
        self._seat_panel(event_id, as_votes(self.box.counted(event_id)))
        self._compare(case, event_id, final)

    def _seat_panel(self, event_id: str, votes: Sequence[Vote]) -> None:
        answers = {vote.annotator: vote.answer for vote in votes}
        position = self.annotators.set_panel(event_id, answers)
        refit(self.rules.consensus, self.annotators, position)

    def _compare(self, case: _Case, event_id: str, final: GivenAnswer) -> None:
        """Each vote is compared once with a lead's answer, and once with one that two others gave.

        A final answer that a single annotator gave says nothing about those who contradict it.
        """
        agree = self.rules.consensus.agree
        ballots, ruling = self.box.counted(event_id), self.box.adjudication(event_id)
        if ruling is None and sum(agree(ballot.answer, final) for ballot in ballots) < 2:
            return
        for ballot in ballots:
            known = ballot.compared if ruling is None else ballot.ruled
            if known or (ruling is not None and ballot.annotator == ruling[0]):
                continue
            self.box.mark(ballot, ruled=ruling is not None)
            self._observe(case, ballot.annotator, float(agree(ballot.answer, final)))

    def _observe(
        self, case: _Case, annotator: str, agreement: float, *, gold: bool = False
    ) -> None:
        if self.annotators.observe(annotator, agreement, gold=gold):
            case.suspects.append(annotator)

    def _quarantine_suspects(self, case: _Case) -> None:
        while case.suspects:
            name = case.suspects.popleft()
            if self.annotators.get(name).standing is Standing.TRUSTED:
                self._quarantine(case, name)

    def _quarantine(self, case: _Case, name: str) -> None:
        """Hold the annotator's answers, those on undecided items included."""
        known = self.annotators.get(name)
        self.annotators.set_standing(name, Standing.QUARANTINED, case.at)
        quarantine = Quarantine(
            annotator=name,
            since=datetime.fromtimestamp(case.at, UTC),
            agreement=known.agreement or 0.0,
            compared=known.compared,
        )
        self.effects.quarantine(case.record, len(case.effects), quarantine)
        case.effects.append(quarantine)
        for event_id in self.box.hold_open(name):
            self._reconsider(case, event_id)

    def _rule(self, case: _Case, ruling: AnnotatorRuling) -> None:
        name = ruling.annotator
        if ruling.ruling == "quarantine":
            if self.annotators.get(name).standing is not Standing.QUARANTINED:
                self._quarantine(case, name)
        elif ruling.ruling == "release":
            self._release(case, name)
            # Last: what the lead has looked at is no evidence for another quarantine.
            self.annotators.set_standing(name, Standing.TRUSTED, case.at)
        else:
            self.annotators.set_standing(name, Standing.DISMISSED, case.at)
            self.box.drop_held(name)

    def _release(self, case: _Case, name: str) -> None:
        """Count what was held; it had arrived in time, so it is learned whenever it is released."""
        case.releases = True
        for ballot in self.box.held(name):
            self.box.release(ballot)
            item = self.box.item(ballot.event_id)
            if item is None:
                self._feed_back(case, ballot)
            elif item.final is None:
                self._reconsider(case, ballot.event_id)
            else:
                self._join(case, ballot.event_id, item.final)
