"""Reviews to the real Label Studio and labels back, with real Kafka in between."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from streamal.events import LabelEvent, ModelRef, ModelView, Output, ReviewRequest
from tests.conftest import RequireOrSkip
from tests.support.label_studio import Annotators, LabelStudio, missing_label_studio
from tests.support.site import Site, free_port, wait_until

REVIEWS = 200
CLASSES = ("ham & eggs", 'spam "x" <b>', "eggs")
SECRET = "rung by Label Studio alone"  # noqa: S105  of a test

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def studio(
    require_or_skip: RequireOrSkip, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabelStudio]:
    require_or_skip("label-studio", missing_label_studio())
    with LabelStudio(tmp_path_factory.mktemp("label-studio")) as server:
        yield server


@pytest.fixture
def people(studio: LabelStudio) -> Iterator[Annotators]:
    annotators = studio.people()
    yield annotators
    annotators.close()


class LossyRelay(ThreadingHTTPServer):
    """Passes on every second call; the others are lost, as in a restart of the receiver."""

    def __init__(self, target_port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Relay)
        self.target_port = target_port
        self.calls = 0
        self.dropped = 0
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, name="relay").start()

    def passes(self) -> bool:
        """Whether this call is passed on."""
        with self._lock:
            self.calls += 1
            drop = self.calls % 2 == 0
            self.dropped += drop
            return not drop

    def close(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.server_close()


class _Relay(BaseHTTPRequestHandler):
    server: LossyRelay

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.passes():
            connection = http.client.HTTPConnection("127.0.0.1", self.server.target_port, timeout=5)
            try:
                connection.request("POST", self.path, body, dict(self.headers))
                connection.getresponse().read()
            except OSError:
                pass
            finally:
                connection.close()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def section(studio: LabelStudio, folder: Path, **extra: object) -> str:
    settings = {
        "url": studio.url,
        "token": studio.token,
        "state_path": str(folder / "bridge.sqlite3"),
        "max_batch_tasks": 20,
        "poll_seconds": 5,
        "request_timeout_seconds": 5,
        **extra,
    }
    lines = [
        f"{key} = '{value}'" if isinstance(value, str) else f"{key} = {value}"
        for key, value in settings.items()
    ]
    return "[label_studio]\n" + "\n".join(lines) + "\n"


def site_with(new_site: Callable[[str], Site], bridge: str) -> Site:
    site = new_site(bridge)
    text = site.config.read_text()
    classes = ", ".join(f"'{label}'" for label in CLASSES)
    site.config.write_text(text.replace("[broker]", f"classes = [{classes}]\n[broker]", 1))
    return site


def ask(site: Site, number: int, *, ttl: Mapping[str, timedelta] | None = None) -> None:
    """Gates route `number` events; `ttl` says which ones have less than an hour."""
    producer = site.broker.producer()
    now = datetime.now(UTC)
    for index in range(number):
        label, event_id = CLASSES[index % len(CLASSES)], f"event-{index}"
        hour = timedelta(hours=1)
        review = ReviewRequest(
            event_id=event_id,
            pipeline=site.settings.pipeline.name,
            occurred_at=now,
            decided_at=now,
            expires_at=now + (ttl or {}).get(event_id, hour),
            features={"amount": 1.5 * index, "text": "<script>alert(1)</script>", "list": (1, 2)},
            prediction=Output(label=label, probabilities=dict.fromkeys(CLASSES, 1 / 3)),
            model=ModelView(version=1, label=label),
            produced_by=ModelRef(name="mail", version="7"),
            score=0.5,
            strategy="margin",
            policy="quantile",
            threshold=0.4,
            propensity=0.5,
            reason="above_threshold",
            priority=0.5,
            expected_correct=0.9,
        )
        producer.send(site.settings.topics.reviews, review.to_bytes(), key=review.event_id.encode())
    producer.flush()
    producer.close()


def labels(site: Site) -> list[LabelEvent]:
    records = site.read(site.settings.topics.labels)
    return [LabelEvent.from_bytes(record.value) for record in records]


def project_of(site: Site, people: Annotators) -> int:
    wait_until(lambda: people.project_titled(site.settings.pipeline.name) is not None, "a project")
    project = people.project_titled(site.settings.pipeline.name)
    assert project is not None
    return int(project["id"])


def imported(people: Annotators, project: int, least: int) -> Callable[[], bool]:
    def enough() -> bool:
        # Its server has better things to do than to be asked all the time.
        time.sleep(0.3)
        return bool(people.call("GET", f"/api/projects/{project}/")["task_number"] >= least)

    return enough


def truth(event_id: str | None) -> str:
    assert event_id is not None
    return CLASSES[int(event_id.removeprefix("event-")) % len(CLASSES)]


def test_200_reviews_out_and_200_labels_back(
    new_site: Callable[[str], Site], studio: LabelStudio, people: Annotators, tmp_path: Path
) -> None:
    port = free_port()
    relay = LossyRelay(port)
    bridge = section(
        studio,
        tmp_path,
        webhook_url=f"http://127.0.0.1:{relay.server_port}/label-studio",
        webhook_port=port,
        webhook_secret=SECRET,
    )
    site = site_with(new_site, bridge)
    try:
        _play(site, people, relay)
    finally:
        relay.close()


def _play(site: Site, people: Annotators, relay: LossyRelay) -> None:
    ask(site, REVIEWS)
    first = site.launch("bridge", "label-studio")
    project = project_of(site, people)
    wait_until(imported(people, project, 40), "some tasks")
    first.kill()
    second = site.start("bridge", "label-studio")
    wait_until(imported(people, project, REVIEWS), "all tasks", seconds=120)

    tasks = people.tasks(project)
    half = REVIEWS // 2
    for task in tasks[:half]:
        people.annotate(task.id, truth(task.event_id), note="seen" if task.id % 2 else None)
    second.kill()
    for task in tasks[half : half + 20]:
        people.annotate(task.id, truth(task.event_id))
    third = site.start("bridge", "label-studio")
    for task in tasks[half + 20 :]:
        people.annotate(task.id, truth(task.event_id))
    wait_until(lambda: len(labels(site)) >= REVIEWS, "every label", seconds=120)

    again = {task.id: task for task in people.tasks(project)}
    edited, deleted = again[tasks[3].id], again[tasks[150].id]
    people.edit(edited.annotations[0].id, CLASSES[0])
    people.edit(edited.annotations[0].id, "streamal:unsure")
    people.delete(deleted.annotations[0].id)
    wait_until(lambda: any(label.withdrawn for label in labels(site)), "the deletion")
    wait_until(lambda: any(label.unsure for label in labels(site)), "the edit")
    assert third.stop() == 0

    _check(site, people, project, edited.event_id, deleted.event_id)
    assert relay.dropped >= REVIEWS // 3
    assert relay.calls >= REVIEWS - 20


def _check(
    site: Site, people: Annotators, project: int, edited: str | None, deleted: str | None
) -> None:
    tasks = Counter(task.event_id for task in people.tasks(project))
    assert tasks == Counter({f"event-{index}": 1 for index in range(REVIEWS)})

    everything = labels(site)
    assert {label.annotator for label in everything} == {"lead@example.com"}
    by_event: dict[str, list[LabelEvent]] = {}
    for label in everything:
        by_event.setdefault(label.event_id, []).append(label)
    assert by_event.keys() == tasks.keys()
    for event_id, history in by_event.items():
        assert history[0].label == truth(event_id)
        if event_id == deleted:
            assert [label.withdrawn for label in history] == [False, True]
        elif event_id == edited:
            assert 2 <= len(history) <= 3
            assert history[-1].unsure
        else:
            assert len(history) == 1


def test_what_annotators_see_and_when_it_expires(
    new_site: Callable[[str], Site], studio: LabelStudio, people: Annotators, tmp_path: Path
) -> None:
    site = site_with(new_site, section(studio, tmp_path, poll_seconds=1))
    ask(site, 3, ttl={"event-2": timedelta(seconds=20)})
    bridge = site.start("bridge", "label-studio")
    project = project_of(site, people)
    wait_until(imported(people, project, 2), "the tasks")
    tasks = {task.event_id: task for task in people.tasks(project)}
    seen = people.call("GET", f"/api/tasks/{tasks['event-1'].id}/")
    assert seen["data"]["features"]["text"] == "<script>alert(1)</script>"
    assert seen["predictions"][0]["result"][0]["value"] == {"choices": [CLASSES[1]]}
    assert "reason" not in seen["data"]
    people.skip(tasks["event-0"].id)
    people.annotate(tasks["event-1"].id, CLASSES[0])

    def expired() -> bool:
        # On a slow machine it has before it is a task.
        outcomes = ("expired", "late")
        return any(
            bridge.metric("streamal_label_studio_tasks_total", outcome=outcome)
            for outcome in outcomes
        )

    wait_until(expired, "the third review expires", seconds=90)
    assert {task.event_id for task in people.tasks(project)} == {"event-0", "event-1"}
    wait_until(lambda: len(labels(site)) == 2, "two labels")
    assert {label.event_id: label.skip for label in labels(site)} == {
        "event-0": True,
        "event-1": False,
    }
    assert bridge.stop() == 0


def test_label_studio_away_and_back(
    new_site: Callable[[str], Site], studio: LabelStudio, people: Annotators, tmp_path: Path
) -> None:
    site = site_with(new_site, section(studio, tmp_path, poll_seconds=1, request_timeout_seconds=2))
    bridge = site.start("bridge", "label-studio")
    project = project_of(site, people)
    studio.freeze()
    ask(site, 5)
    wait_until(lambda: not bridge.ready(), "not ready while Label Studio does not answer")
    assert bridge.metric("streamal_retries_total", error="LabelStudioUnavailable")
    studio.thaw()
    wait_until(imported(people, project, 5), "the tasks", seconds=120)
    wait_until(bridge.ready, "ready again")
    assert bridge.stop() == 0
    assert len(people.tasks(project)) == 5
