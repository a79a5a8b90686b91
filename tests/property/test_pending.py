"""Whatever crashes and however records are delivered, the view ends as after one straight pass."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from streamal.core.annotation import CollapseDetector
from streamal.errors import Fatal
from streamal.events import (
    AnnotatorRuling,
    LabelEvent,
    ModelRef,
    ModelView,
    Output,
    ReviewRequest,
    WindowStats,
)
from streamal.ports import Record, TopicPartition
from streamal.state import (
    GOLD_HEADER,
    ConsensusRules,
    Guard,
    JudgeRules,
    PendingView,
    Registered,
)
from streamal.state.schema import FORGET_ALL
from streamal.state.verdicts import Effect

START: Final = 1_700_000_000.0
#: SQLite's instructions between two looks at whether the process is to die; a batch of labels takes
#: some hundreds to some thousands of them.
HANDFUL: Final = 50
LABELS: Final = TopicPartition("labels", 0)
TABLES: Final = tuple(statement.rpartition(" ")[2] for statement in FORGET_ALL)
#: Quick to suspect, so that short logs hold quarantines.
RULES: Final = JudgeRules(
    consensus=ConsensusRules("weighted"),
    guard=Guard(CollapseDetector(threshold=0.9, false_alarm=0.4), least_comparisons=1),
    adjudication_seconds=15,
    gold={"item": "a"},
)

Image = dict[str, list[tuple[object, ...]]]
Judged = dict[int, tuple[str, tuple[Effect, ...]]]


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


def record(topic: str, offset: int, seconds: float, value: bytes, partition: int = 0) -> Record:
    return Record(topic, partition, offset, round((START + seconds) * 1000), None, value)


def review(offset: int, event: int, required: int = 1, *, gold: bool = False) -> Record:
    request = ReviewRequest(
        event_id=f"e{event}",
        pipeline="p",
        occurred_at=moment(0),
        decided_at=moment(0),
        expires_at=moment(20),
        features={"x": offset},
        prediction=Output(label="a"),
        model=ModelView(version=0),
        produced_by=ModelRef(),
        score=1,
        strategy="margin",
        policy="quantile",
        threshold=0.5,
        propensity=0.5,
        reason="above_threshold",
        priority=0.5,
        expected_correct=0.5,
        required_labels=required,
    )
    made = record("reviews", offset, 0, request.to_bytes())
    return made._replace(headers=((GOLD_HEADER, b"item"),)) if gold else made


def label(offset: int, event: int, who: str, said: str, kind: str, seconds: int) -> Record:
    answer = LabelEvent(
        event_id=f"e{event}",
        label=said,
        annotator=who,
        labelled_at=moment(seconds),
        unsure=kind == "unsure",
        skip=kind == "skip",
        withdrawn=kind == "withdrawn",
        adjudicates=kind == "adjudicates",
        features={"x": 1} if kind == "unsolicited" else None,
    )
    return record("labels", offset, seconds, answer.to_bytes())


def ruling(offset: int, who: str, kind: str, seconds: int) -> Record:
    decision = AnnotatorRuling.model_validate(
        {"annotator": who, "ruling": kind, "ruled_by": "lead", "ruled_at": moment(seconds)}
    )
    return record("labels", offset, seconds, decision.to_bytes())


def window(offset: int, start: int, partition: int, eighths: int) -> Record:
    # Eighths add up without rounding, whatever the order.
    increment = WindowStats(
        pipeline="p",
        partition=partition,
        window_start=moment(60 * start),
        window_seconds=60,
        events=3,
        routed=1,
        unreachable=0,
        sum_expected_correct=eighths / 8,
        sum_propensity=eighths / 8,
    )
    return record("windows", offset, 0, increment.to_bytes(), partition)


events = st.integers(0, 4)
people = st.sampled_from("xyz")
kinds = st.sampled_from(
    ["answer"] * 8
    + ["unsure", "skip", "withdrawn", "adjudicates", "unsolicited", "garbage"]
    + ["quarantine", "release", "dismiss"]
)


def spoken(n: int, event: int, who: str, answer: str, kind: str, seconds: int) -> Record:
    """Any record that may lie on `labels`."""
    if kind == "garbage":
        return record("labels", n, seconds, b"?")
    if kind in {"quarantine", "release", "dismiss"}:
        return ruling(n, who, kind, seconds)
    return label(n, event, who, answer, kind, seconds)


@st.composite
def logs(draw: st.DrawFn) -> dict[str, list[Record]]:
    """The topics as they lie on the log; reviews come in one partition, windows in two."""
    requests = draw(st.lists(st.tuples(events, st.integers(1, 3)), max_size=6))
    reviews = [review(n, event, required) for n, (event, required) in enumerate(requests)]
    reviews.append(review(len(reviews), 9, gold=True))
    said = st.tuples(
        st.one_of(events, st.just(9)), people, st.sampled_from("ab"), kinds, st.integers(0, 40)
    )
    labels = [
        spoken(n, event, who, answer, kind, s)
        for n, (event, who, answer, kind, s) in enumerate(draw(st.lists(said, max_size=20)))
    ]
    sums = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 24)), max_size=8))
    windows = [window(n // 2, start, n % 2, eighths) for n, (start, eighths) in enumerate(sums)]
    return {"reviews": reviews, "windows": windows, "labels": labels}


def image(view: PendingView) -> Image:
    return {
        table: sorted(view._connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)  # noqa: S608 - our own names
        for table in TABLES
    }


class _Breaks(list[Record]):
    """A batch during which the process dies, once it was read."""

    def __iter__(self) -> Iterator[Record]:
        yield from list.__iter__(self)
        raise KeyboardInterrupt


class _Countdown:
    """Lets SQLite work through so many handfuls of its instructions, and then no further."""

    def __init__(self, handfuls: int) -> None:
        self._left = handfuls

    def __call__(self) -> int:
        self._left -= 1
        return int(self._left < 0)


class Trainer:
    """Reads the topics in batches from where its view stands, and is killed now and then."""

    def __init__(self, folder: Path, log: dict[str, list[Record]]) -> None:
        self._path = folder / "view.sqlite3"
        self._copy = folder / "copy"
        self._log = log
        self._view = PendingView(self._path, pipeline="p", rules=RULES)
        self.judged: list[tuple[int, tuple[str, tuple[Effect, ...]]]] = []

    def image(self) -> Image:
        return image(self._view)

    def close(self) -> None:
        self._view.close()

    def step(self, topic: str, size: int, *, overlap: int, dies: int | None) -> bool:
        """Apply the next batch, beginning `overlap` records early; False at the topic's end.

        With `dies`, the process dies after so many handfuls of SQLite's instructions, or when it
        has read the batch with 0.
        """
        if topic == "labels":
            self._catch_up_with_reviews()
        offsets = self._view.offsets()
        todo = [each for each in self._log[topic] if each.offset >= offsets.get(each.source, 0)]
        first = self._log[topic].index(todo[0]) if todo else len(self._log[topic])
        batch = self._log[topic][max(0, first - overlap) : first + size]
        if dies is None:
            self._apply(topic, batch)
        else:
            self._die_in(topic, batch, dies)
        return bool(todo)

    def save(self) -> None:
        """What is on the disk now, in case that the machine loses power later."""
        shutil.rmtree(self._copy, ignore_errors=True)
        self._copy.mkdir()
        for file in self._path.parent.glob("view.sqlite3*"):
            shutil.copy(file, self._copy)

    def lose_power(self) -> None:
        """Everything after `save` is gone."""
        if not self._copy.exists():
            return
        self._view.close()
        for file in self._path.parent.glob("view.sqlite3*"):
            file.unlink()
        for file in self._copy.iterdir():
            shutil.copy(file, self._path.parent)
        self._view = PendingView(self._path, pipeline="p", rules=RULES)

    def _catch_up_with_reviews(self) -> None:
        self._view.apply_reviews(self._log["reviews"])

    def _apply(self, topic: str, batch: list[Record]) -> None:
        if topic == "reviews":
            self._view.apply_reviews(batch)
        elif topic == "windows":
            self._view.apply_windows(batch)
        else:
            self.judged += verdicts(self._view.register_labels(batch))

    def _die_in(self, topic: str, batch: list[Record], dies: int) -> None:
        connection = self._view._connection
        connection.set_progress_handler(_Countdown(dies) if dies else None, HANDFUL)
        try:
            self._apply(topic, batch if dies else _Breaks(batch))
        except (Fatal, KeyboardInterrupt):
            self._view.close()
            self._view = PendingView(self._path, pipeline="p", rules=RULES)
        else:
            connection.set_progress_handler(None, HANDFUL)


def verdicts(registered: Registered) -> list[tuple[int, tuple[str, tuple[Effect, ...]]]]:
    found = [
        (each.record.offset, (each.verdict.value, each.effects)) for each in registered.answers
    ]
    return found + [(each.record.offset, (each.reject.reason, ())) for each in registered.rejects]


def straight(log: dict[str, list[Record]]) -> tuple[Image, Judged]:
    view = PendingView(":memory:", pipeline="p", rules=RULES)
    view.apply_reviews(log["reviews"])
    view.apply_windows(log["windows"])
    judged = dict(verdicts(view.register_labels(log["labels"])))
    result = image(view)
    view.close()
    return result, judged


@contextmanager
def trainer(log: dict[str, list[Record]]) -> Iterator[Trainer]:
    with tempfile.TemporaryDirectory() as folder:
        made = Trainer(Path(folder), log)
        try:
            yield made
        finally:
            made.close()


steps = st.tuples(
    st.sampled_from(["reviews", "windows", "labels"]),
    st.integers(1, 4),
    st.integers(0, 5),
    st.sampled_from(["go", "go", "die", "save", "lose power"]),
    st.integers(0, 60),
)


@settings(max_examples=60, deadline=None)
@given(log=logs(), schedule=st.lists(steps, max_size=12))
def test_any_history_ends_in_the_view_of_a_straight_pass(
    log: dict[str, list[Record]], schedule: list[tuple[str, int, int, str, int]]
) -> None:
    expected, judged = straight(log)
    with trainer(log) as under_test:
        for topic, size, overlap, what, instructions in schedule:
            if what == "save":
                under_test.save()
            elif what == "lose power":
                under_test.lose_power()
            under_test.step(
                topic, size, overlap=overlap, dies=instructions if what == "die" else None
            )
        for topic in log:
            while under_test.step(topic, 3, overlap=1, dies=None):
                pass
        assert under_test.image() == expected
        assert all(judged[offset] == verdict for offset, verdict in under_test.judged)


@given(log=logs())
def test_an_event_is_learned_once_at_most(log: dict[str, list[Record]]) -> None:
    view = PendingView(":memory:", pipeline="p", rules=RULES)
    view.apply_reviews(log["reviews"])
    answers = view.register_labels(log["labels"]).answers
    learned = [lesson.event_id for each in answers for lesson in each.lessons]
    assert len(learned) == len(set(learned))
    view.close()


@given(log=logs())
def test_only_items_with_a_final_answer_that_was_in_time_are_learned(
    log: dict[str, list[Record]],
) -> None:
    view = PendingView(":memory:", pipeline="p", rules=RULES)
    view.apply_reviews(log["reviews"])
    for each in log["labels"]:
        for answer in view.register_labels([each]).answers:
            standing = {
                outcome.event_id: outcome.label for outcome in view.measures.outcomes(0, 1e12)
            }
            for lesson in answer.lessons:
                assert lesson.event_id != "e9"
                if lesson.review is not None:
                    assert standing[lesson.event_id] == lesson.answer
    view.close()


@given(log=logs())
def test_final_answers_are_those_of_their_history(log: dict[str, list[Record]]) -> None:
    view = PendingView(":memory:", pipeline="p", rules=RULES)
    view.apply_reviews(log["reviews"])
    view.register_labels(log["labels"])
    now = dict(view._connection.execute("SELECT event_id, label FROM reviews").fetchall())
    newest = dict(
        view._connection.execute(
            "SELECT event_id, label FROM answers GROUP BY event_id HAVING sequence = max(sequence)"
        ).fetchall()
    )
    assert {event: label for event, label in now.items() if event in newest} == newest
    assert all(now[event] is None for event in now if event not in newest)
    view.close()
