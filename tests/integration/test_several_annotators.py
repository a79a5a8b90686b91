"""Several annotators on real Kafka: overlap, a poisoner, revisions, withdrawals, and kill -9."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streamal.bootstrap.labels import judge_rules, label_rules
from streamal.core.learners import OnlineModel, build_model
from streamal.core.types import Production
from streamal.events import DriftEvent, LabelEvent, ReviewRequest
from streamal.operations.annotators import annotators, rule
from streamal.operations.inspect import inspect
from streamal.state import Answer, Dispute, PendingView, Quarantine
from streamal.state.gold import GOLD_HEADER
from streamal.state.snapshots import load
from tests.support.single import outlook_of
from tests.support.site import Site, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

EVENTS = 240
SETTINGS = """
[gate]
budget = 0.5
[learner]
name = "logistic_regression"
[trainer]
snapshot_every_labels = 10
snapshot_every_seconds = 2
heartbeat_seconds = 1
[labels]
required = 2
overlap = 0.5
leads = ["lead"]
[labels.guard]
min_comparisons = 8
false_alarm = 0.01
[labels.gold]
path = "{gold}"
share = 0.1
"""


def truth(number: int) -> str:
    return "yes" if number % 3 else "no"


def other(label: str) -> str:
    return "no" if label == "yes" else "yes"


class Crowd(threading.Thread):
    """Answers what it is asked: three honest annotators, one poisoner, and a lead for disputes."""

    def __init__(self, site: Site) -> None:
        super().__init__(name="crowd")
        self._site = site
        self._done = threading.Event()
        self.asked: Counter[str] = Counter()
        self.sent = 0

    def run(self) -> None:
        settings, broker = self._site.settings, self._site.broker
        consumer = broker.consumer(group=f"{settings.pipeline.name}-crowd")
        consumer.subscribe([settings.topics.reviews])
        self._producer = broker.producer()
        while not self._done.is_set():
            for record in consumer.poll(0.1, 500):
                gold = record.header(GOLD_HEADER) is not None
                self._answer(ReviewRequest.from_bytes(record.value), gold=gold)
            self._producer.flush()
        consumer.close()
        self._producer.close()

    def _answer(self, request: ReviewRequest, *, gold: bool) -> None:
        right = truth(int(str(request.features["n"])))
        if request.adjudication is not None:
            self._say("lead", request.event_id, right, adjudicates=True)
            return
        self.asked["gold" if gold else "event"] += 1
        turn = sum(self.asked.values())
        honest = [("ann", "bob", "cyd")[(turn + place) % 3] for place in range(2)]
        # A slip that is mended, and an answer that is taken back and given again.
        if turn % 5 == 0:
            self._say(honest[0], request.event_id, other(right))
        self._say(honest[0], request.event_id, right)
        self._say("mal", request.event_id, other(right))
        if turn % 7 == 0:
            self._say(honest[1], request.event_id, right)
            self._say(honest[1], request.event_id, right, withdrawn=True)
        self._say(honest[1], request.event_id, right)

    def _say(self, annotator: str, event_id: str, label: str, **fields: bool) -> None:
        answer = LabelEvent(
            event_id=event_id,
            label=label,
            annotator=annotator,
            labelled_at=datetime.now(UTC),
            **fields,
        )
        topic = self._site.settings.topics.labels
        self._producer.send(topic, answer.to_bytes(), key=event_id.encode())
        self.sent += 1

    def finish(self) -> None:
        """Stop answering."""
        self._done.set()
        self.join(timeout=60)


def straight(site: Site) -> list[Answer]:
    """Every label on the log, judged in one pass."""
    settings = site.settings
    view = PendingView(
        ":memory:",
        pipeline=settings.pipeline.name,
        rules=judge_rules(settings),
        check=label_rules(settings).check,
    )
    view.apply_reviews(site.read(settings.topics.reviews))
    answers = list(view.register_labels(site.read(settings.topics.labels)).answers)
    view.close()
    return answers


def opinions(model: OnlineModel) -> list[float]:
    return [
        outlook_of(model, {"n": number, "r": number % 3}, Production()).probabilities.get(
            "yes", -1.0
        )
        for number in range(30)
    ]


def check_model(site: Site, answers: list[Answer]) -> None:
    """The published model is what one straight pass over the log makes of it."""
    reader = site.pipeline.snapshot_reader()
    reader.catch_up()
    reader.close()
    assert reader.snapshot is not None
    model = load(reader.snapshot, OnlineModel)
    lessons = [lesson for answer in answers for lesson in answer.lessons]
    assert model.labels_learned == len(lessons)
    assert len({lesson.event_id for lesson in lessons}) == len(lessons)
    again = build_model("logistic_regression", parameters={}, committee_size=0)
    for lesson in lessons:
        again.learn(lesson.features, Production(), lesson.answer, event_id=lesson.event_id)
    assert opinions(model) == opinions(again)


def caught_up(site: Site) -> bool:
    """Every label is read, and every lesson is in the published model."""
    found = inspect(site.pipeline)
    lessons = sum(len(answer.lessons) for answer in straight(site))
    return found.labels_lag == 0 and (found.model.labels_learned if found.model else 0) == lessons


def check_notices(site: Site, answers: list[Answer]) -> None:
    """Each dispute reached the leads once, each quarantine was announced once."""
    effects = [effect for answer in answers for effect in answer.effects]
    topics = site.settings.topics
    requests = [ReviewRequest.from_bytes(each.value) for each in site.read(topics.reviews)]
    asked = Counter(each.event_id for each in requests if each.adjudication is not None)
    assert asked == Counter(each.review.event_id for each in effects if isinstance(each, Dispute))
    assert asked
    alarms = [DriftEvent.from_bytes(each.value) for each in site.read(topics.drift)]
    announced = [each for each in alarms if each.detector == "annotator_agreement"]
    suspects = [each.annotator for each in effects if isinstance(each, Quarantine)]
    assert len(announced) == len(suspects)
    assert set(suspects) == {"mal"}


def test_a_poisoner_among_several_annotators_and_a_trainer_that_is_killed(
    new_site: Callable[[str], Site], tmp_path: Path
) -> None:
    gold = tmp_path / "gold.csv"
    rows = "".join(f"{number},{number % 3},{truth(number)}\n" for number in range(1000, 1030))
    gold.write_text(f"n,r,label\n{rows}", encoding="utf-8")
    site = new_site(SETTINGS.format(gold=gold))
    crowd = Crowd(site)
    crowd.start()
    site.start("gate", "gate")
    trainer = site.start("trainer", "trainer")
    for number in range(EVENTS):
        probabilities = {"no": 0.4, "yes": 0.6}
        site.publish(f"e{number}", {"n": number, "r": number % 3}, probabilities)
        if number % 20 == 0:
            site.flush()
            time.sleep(0.2)
        if number == EVENTS // 2:
            wait_until(lambda: crowd.sent > 60, "answers")
            trainer.kill()
            trainer = site.start("trainer", "trainer")
    site.flush()
    wait_until(
        lambda: (trainer.metric("streamal_annotators_quarantined") or 0) == 1, "a quarantine"
    )
    wait_until(lambda: sum(lane.decided for lane in inspect(site.pipeline).gates) == EVENTS, "all")
    wait_until(lambda: caught_up(site), "all answers learned")
    check_model(site, straight(site))

    workforce = annotators(site.pipeline)
    (mal,) = [each for each in workforce.annotators if each.annotator == "mal"]
    assert mal.standing == "quarantined"
    assert mal.held > 0
    others = [each for each in workforce.annotators if each.annotator in {"ann", "bob", "cyd"}]
    assert {each.standing for each in others} == {"trusted"}
    assert all((each.agreement or 0) > 0.9 for each in others)
    assert crowd.asked["gold"] > 0
    assert (mal.gold, workforce.alpha is not None) == (0.0, True)

    trainer.kill()
    rule(site.pipeline, "mal", "release", ruled_by="lead", note="to see what follows")
    site.start("trainer", "trainer")
    wait_until(lambda: caught_up(site), "what was held is learned")
    crowd.finish()
    wait_until(lambda: caught_up(site), "the last answers are learned")
    answers = straight(site)
    verdicts = Counter(answer.verdict.value for answer in answers)
    expected = {
        "vote",
        "learned",
        "revised",
        "withdrawn",
        "disputed",
        "adjudicated",
        "held",
        "gold",
    }
    assert expected | {"ruling"} <= set(verdicts)
    check_model(site, answers)
    check_notices(site, answers)
    assert site.read(site.settings.topics.dead_letters) == []
