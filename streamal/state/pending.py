"""The trainer's join: a SQLite materialised view of `reviews`, `windows` and `labels`.

Every batch is applied in one transaction together with the offsets it reached, so the file is
always the exact image of a prefix of each topic, whatever crashes. Losing it means replaying.

Three offsets per partition of `labels` make a label count exactly once:

===  =====================================  ======================================================
S    next offset of this view               labels below S are registered: their verdict is stored
L    next offset that the model snapshot    labels below L are in the model
     does not contain
G    next offset of the consumer group,     for labels below G, dead letters and counts are out
     committed with what was emitted
===  =====================================  ======================================================

They are committed to three places and so can part in a crash. A trainer starts reading at the
least of them and passes every record to `register_labels`; it learns an answer when its verdict
says so **and** its offset is at or past L, and emits when its offset is at or past G. That is sound
because the verdict of a record never changes: below S it is read back, not judged anew (to a fresh
look, a label that is registered already would be a duplicate of itself).

A verdict follows from the logs alone: the labels before it, its log time, and the reviews. For the
last, the view must have caught up with the end of `reviews` as it was after the batch of labels was
fetched. Equal event ids must share a partition of `reviews` and of `labels` (they do when the event
id is the key), so that "first" means the lowest offset.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from streamal.errors import Reject
from streamal.events import AnnotatorRuling, LabelEvent, ReviewRequest, WindowStats
from streamal.events.base import load_json, rejecting
from streamal.ports import Record, TopicPartition
from streamal.state.database import Identity, Location, open_database, transaction
from streamal.state.gold import GOLD_HEADER, GoldAnswers
from streamal.state.judge import Judge, JudgeRules
from streamal.state.learned import LearnedReviews
from streamal.state.measures import ReviewMeasures
from streamal.state.purge import purge
from streamal.state.schema import FORGET_ALL
from streamal.state.segments import SegmentView
from streamal.state.summaries import SummaryStore
from streamal.state.verdicts import Answer, Effect, Registered, Rejected, Verdict
from streamal.state.workforce import Workforce, WorkforceMeasures

__all__ = ["Applied", "PendingView"]

#: A week: long enough for a few hundred answers at human speed, short enough to follow vacations.
_RECENT_SECONDS: Final = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a batch of reviews or windows.

    Attributes:
        stored: records that changed the view.
        repeated: reviews of an event that has one already; the first one counts.
        redelivered: records below the view's offset; ignored.
        foreign: records of another pipeline that shares the topic; ignored.
        gold: reviews whose answer is known beforehand.
        rejects: unreadable records, reported once: not again when they are redelivered.
    """

    stored: int
    repeated: int
    redelivered: int
    foreign: int
    gold: int
    rejects: tuple[Rejected, ...]


class _Fate(StrEnum):
    STORED = "stored"
    REPEATED = "repeated"
    REDELIVERED = "redelivered"
    FOREIGN = "foreign"
    GOLD = "gold"


class PendingView:
    """What was asked of humans and what they answered. Used by one thread at a time.

    Args:
        location: its file, created with its folder when missing and held exclusively; a damaged or
            foreign one is moved aside. `":memory:"` keeps nothing.
        pipeline: name of the pipeline; records of others are ignored.
        cluster: anything that tells this log from another, such as the cluster id.
        recent_seconds: how far back `measures` look for rates and latencies, > 0.
        rules: what verdicts depend on besides the logs.
        check: raises `Reject` for what is to be turned away before it counts for anything; a
            function of the record alone.

    Raises:
        SettingsInvalid: the file is in use or cannot be written.
    """

    def __init__(
        self,
        location: Location,
        *,
        pipeline: str,
        cluster: str = "",
        recent_seconds: float = _RECENT_SECONDS,
        rules: JudgeRules | None = None,
        check: Callable[[LabelEvent | AnnotatorRuling], None] | None = None,
    ) -> None:
        self._check = check
        self._pipeline = pipeline
        self._connection = open_database(location, Identity(pipeline, cluster))
        self._judge = Judge(self._connection, rules or JudgeRules())
        self._gold = GoldAnswers(self._connection)
        self.measures = ReviewMeasures(self._connection, recent_seconds)
        self.annotators = self._judge.annotators
        self._workforce = WorkforceMeasures(
            self._connection, self.annotators, self._judge.rules.consensus.classes
        )
        self.segments = SegmentView(self._connection)
        self.summaries = SummaryStore(self._connection)
        self.learned = LearnedReviews(self._connection)

    def close(self) -> None:
        """Release the file. May be called twice."""
        self._connection.close()

    def offsets(self) -> dict[TopicPartition, int]:
        """The next offset of each partition that this view has not applied (S)."""
        rows = self._connection.execute("SELECT topic, partition, next_offset FROM offsets")
        return {TopicPartition(topic, partition): offset for topic, partition, offset in rows}

    def apply_reviews(self, records: Sequence[Record]) -> Applied:
        """Take in reviews, in offset order per partition; the first of an event counts.

        Raises:
            Fatal: the file failed; nothing of the batch was applied.
        """
        return self._apply(records, self._store_review)

    def apply_windows(self, records: Sequence[Record]) -> Applied:
        """Add increments to their windows, in offset order per partition.

        Raises:
            Fatal: the file failed; nothing of the batch was applied.
        """
        return self._apply(records, self._add_window)

    def register_labels(self, records: Sequence[Record]) -> Registered:
        """Judge label records, in offset order per partition, and remember what follows.

        Records below the view's offset are answered with what was stored for them.

        Raises:
            Fatal: the file failed; nothing of the batch was registered.
        """
        rejects: list[Rejected] = []
        read: list[_Readable] = []
        with self._progress() as progress:
            for record in records:
                is_new = progress.advance(record)
                try:
                    read.append(_Readable(record, self._read_label(record), is_new))
                except Reject as reject:
                    rejects.append(Rejected(record, reject))
            answers = self._answer_all(read)
        return Registered(tuple(answers), tuple(rejects))

    def lookup(self, event_id: str) -> ReviewRequest | None:
        """The review of an event; None when none was requested or it was purged."""
        row = self._connection.execute(
            "SELECT payload FROM reviews WHERE event_id = ?", (event_id,)
        ).fetchone()
        return None if row is None else ReviewRequest.from_bytes(row[0])

    def learned_at(self, event_id: str) -> tuple[TopicPartition, int] | None:
        """Partition and offset of the label record at which an event was learned."""
        row = self._connection.execute(
            'SELECT topic, partition, "offset" FROM effects '
            "WHERE event_id = ? AND kind = 'lesson'",
            (event_id,),
        ).fetchone()
        return None if row is None else (TopicPartition(row[0], row[1]), row[2])

    def held(self, annotator: str) -> int:
        """How many answers of an annotator wait for a lead's decision."""
        return len(self._judge.box.held(annotator))

    def workforce(self, now: float) -> Workforce:
        """How the people are doing at `now`, in epoch seconds."""
        return self._workforce.workforce(now)

    def purge(self, before: float, contained: Mapping[TopicPartition, int]) -> int:
        """Forget reviews that expired before `before`, with their labels and windows.

        A window goes when no review of it or of an older one is left. A label that comes after its
        review has gone is unknown (or unsolicited, if it carries features) instead of late.

        Args:
            before: epoch seconds; at least the span of estimation and `recent_seconds` in the past.
            contained: L of the last *published* snapshot, per partition of `labels`. Labels at or
                past it, and their reviews, stay: a restart asks for them again.

        Returns:
            The number of reviews forgotten.
        """
        with transaction(self._connection):
            return purge(self._connection, before, contained)

    def reset(self) -> None:
        """Forget everything, offsets included, as a new lineage or a recreated topic needs.

        A lineage that starts at the beginning of `labels` meets reviews that were purged long ago;
        without them their labels would be unknown.
        """
        with transaction(self._connection):
            for statement in FORGET_ALL:
                self._connection.execute(statement)
            self.annotators.forget()

    def _apply(self, records: Sequence[Record], store: Callable[[Record], _Fate]) -> Applied:
        fates: Counter[_Fate] = Counter()
        rejects: list[Rejected] = []
        with self._progress() as progress:
            for record in records:
                if not progress.advance(record):
                    fates[_Fate.REDELIVERED] += 1
                    continue
                try:
                    fates[store(record)] += 1
                except Reject as reject:
                    rejects.append(Rejected(record, reject))
        return Applied(
            stored=fates[_Fate.STORED],
            repeated=fates[_Fate.REPEATED],
            redelivered=fates[_Fate.REDELIVERED],
            foreign=fates[_Fate.FOREIGN],
            gold=fates[_Fate.GOLD],
            rejects=tuple(rejects),
        )

    def _store_review(self, record: Record) -> _Fate:
        review = ReviewRequest.from_bytes(record.value)
        if review.pipeline != self._pipeline:
            return _Fate.FOREIGN
        if review.adjudication is not None:
            return _Fate.REPEATED  # asks again about an event that has its review
        gold = record.header(GOLD_HEADER)
        if gold is not None:
            expires_at = review.expires_at.timestamp()
            is_new = self._gold.add(review.event_id, gold.decode("utf-8", "replace"), expires_at)
            return _Fate.GOLD if is_new else _Fate.REPEATED
        changed = self._connection.execute(
            "INSERT INTO reviews VALUES "
            "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, ?, ?, ?, ?, ?) "
            "ON CONFLICT (event_id) DO NOTHING",
            (
                review.event_id,
                record.value,
                review.occurred_at.timestamp(),
                review.decided_at.timestamp(),
                review.expires_at.timestamp(),
                review.propensity,
                review.expected_correct,
                review.reason,
                review.required_labels,
                review.prediction.label,
                review.model.label,
                review.prediction.value,
                review.model.value,
                review.tolerance,
                review.expected_loss,
                int(review.synthetic),
            ),
        ).rowcount
        if changed:
            self.segments.add_review(review)
        return _Fate.STORED if changed else _Fate.REPEATED

    def _add_window(self, record: Record) -> _Fate:
        window = WindowStats.from_bytes(record.value)
        if window.pipeline != self._pipeline:
            return _Fate.FOREIGN
        self._connection.execute(
            "INSERT INTO windows VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (window_start, window_seconds) DO UPDATE SET "
            "events = events + excluded.events, "
            "routed = routed + excluded.routed, "
            "unreachable = unreachable + excluded.unreachable, "
            "sum_expected_correct = sum_expected_correct + excluded.sum_expected_correct, "
            "sum_propensity = sum_propensity + excluded.sum_propensity, "
            "sum_expected_loss = sum_expected_loss + excluded.sum_expected_loss",
            (
                window.window_start.timestamp(),
                window.window_seconds,
                window.events,
                window.routed,
                window.unreachable,
                window.sum_expected_correct,
                window.sum_propensity,
                window.sum_expected_loss,
            ),
        )
        self.segments.add_window(window)
        self.summaries.add(window)
        return _Fate.STORED

    def _answer_all(self, read: Sequence[_Readable]) -> list[Answer]:
        """The batch, in its order: read back where it was judged before, else judged."""
        events = (each.content.event_id for each in read if isinstance(each.content, LabelEvent))
        with self._judge.batch(events):
            stored = self._stored([each.record for each in read if not each.is_new])
            answers = [self._answer(each, stored) for each in read]
            self._remember(
                [answer for each, answer in zip(read, answers, strict=True) if each.is_new]
            )
        return answers

    def _answer(self, read: _Readable, stored: _Stored) -> Answer:
        record, content = read.record, read.content
        if read.is_new:
            return self._judge.judge(record, content)
        known = stored.get((record.source, record.offset))
        if known is not None:
            return Answer(record, content, *known)
        # Its verdict was purged: only a group whose offsets were lost asks for it again.
        with self._judge.hypothetically():
            return self._judge.judge(record, content)

    def _stored(self, records: Sequence[Record]) -> _Stored:
        """What was decided about records that lie close together, by partition and offset."""
        offsets: defaultdict[TopicPartition, list[int]] = defaultdict(list)
        for record in records:
            offsets[record.source].append(record.offset)
        found: _Stored = {}
        for source, there in offsets.items():
            first, end = min(there), max(there) + 1
            effects = self._judge.effects.between(source, first, end)
            for offset, verdict in self._connection.execute(
                'SELECT "offset", verdict FROM labels '
                'WHERE topic = ? AND partition = ? AND "offset" >= ? AND "offset" < ?',
                (*source, first, end),
            ):
                found[source, offset] = (Verdict(verdict), effects.get(offset, ()))
        return found

    def _read_label(self, record: Record) -> LabelEvent | AnnotatorRuling:
        document = load_json(record.value)
        kind: type[LabelEvent | AnnotatorRuling] = (
            AnnotatorRuling if "ruling" in document else LabelEvent
        )
        content: LabelEvent | AnnotatorRuling = rejecting(kind, document)
        if self._check is not None:
            self._check(content)
        return content

    def _remember(self, answers: Sequence[Answer]) -> None:
        self._connection.executemany(
            "INSERT INTO labels VALUES (?, ?, ?, ?, ?, ?, ?)",
            [_label_row(each) for each in answers],
        )

    @contextmanager
    def _progress(self) -> Iterator[_Progress]:
        """One transaction that ends with the offsets reached in it."""
        with transaction(self._connection):
            progress = _Progress(self.offsets())
            yield progress
            self._connection.executemany(
                "INSERT INTO offsets VALUES (?, ?, ?) ON CONFLICT (topic, partition) "
                "DO UPDATE SET next_offset = excluded.next_offset",
                [(*source, offset) for source, offset in progress.next_offsets.items()],
            )


class _Readable(NamedTuple):
    """A record of `labels` that says something; whether it was never judged before."""

    record: Record
    content: LabelEvent | AnnotatorRuling
    is_new: bool


#: Partition and offset of a record to what was decided about it.
_Stored: TypeAlias = dict[tuple[TopicPartition, int], tuple[Verdict, tuple[Effect, ...]]]


def _label_row(answer: Answer) -> tuple[object, ...]:
    record, content = answer.record, answer.content
    return (
        record.topic,
        record.partition,
        record.offset,
        content.event_id if isinstance(content, LabelEvent) else None,
        answer.verdict.value,
        content.annotator,
        record.timestamp_ms / 1000,
    )


class _Progress:
    """Tells new records from redelivered ones."""

    def __init__(self, next_offsets: dict[TopicPartition, int]) -> None:
        self.next_offsets = next_offsets

    def advance(self, record: Record) -> bool:
        """Whether `record` is at or past its partition's offset; moves the offset past it if so."""
        if record.offset < self.next_offsets.get(record.source, 0):
            return False
        self.next_offsets[record.source] = record.offset + 1
        return True
