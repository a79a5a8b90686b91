"""Reviews out and labels back, whatever fails in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from streamal.connectors.label_studio.bridge import LabelStudioRole
from streamal.connectors.label_studio.labelling import UNSURE
from streamal.connectors.label_studio.mirror import Mirror
from streamal.connectors.label_studio.webhook import SECRET_HEADER
from streamal.errors import Fenced, LabelStudioUnavailable, SettingsInvalid
from tests.support.office import ANN, Office
from tests.unit.connectors.label_studio.conftest import START


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path / "bridge.sqlite3")
    yield made
    made.role.close()


def test_reviews_become_tasks_by_priority(office: Office) -> None:
    office.ask("low", priority=0.1)
    office.ask("high", priority=0.9)
    office.work()
    assert office.studio.events() == ["high", "low"]
    assert office.count("tasks_total", outcome="imported") == 2
    assert office.count("open_tasks") == 2
    assert office.count("waiting_reviews") == 0


def test_annotations_become_labels(office: Office) -> None:
    office.ask("a", "b", "c", "d")
    office.work()
    office.studio.annotate("a", "spam")
    office.studio.annotate("b", None, was_cancelled=True)
    office.studio.annotate("c", UNSURE)
    office.studio.annotate("d", "ham", person=None)
    office.work()
    assert sorted(office.labels()) == [
        ("a", ANN, "spam"),
        ("b", ANN, "skip"),
        ("c", ANN, "unsure"),
        ("d", "label-studio", "ham"),
    ]
    assert office.count("open_tasks") == 0
    assert office.count("answers_total", outcome="label") == 2


def test_somebody_unknown_is_called_by_number(office: Office) -> None:
    office.ask("a")
    office.work()
    office.studio.annotate("a", "spam", person=99)
    office.work()
    assert office.labels() == [("a", "label-studio-99", "spam")]


def test_edits_and_deletions_follow(office: Office) -> None:
    office.ask("a")
    office.work()
    annotation = office.studio.annotate("a", "spam")
    office.work()
    office.studio.edit("a", annotation, "ham")
    office.work()
    office.studio.delete("a", annotation)
    office.work()
    office.studio.annotate("a", "ham")
    office.work()
    assert [word for _, _, word in office.labels()] == ["spam", "ham", "withdrawn", "ham"]
    assert office.count("answers_total", outcome="revised") == 2
    assert office.count("answers_total", outcome="withdrawn") == 1


def test_deleting_a_task_takes_no_answer_back(office: Office) -> None:
    office.ask("a")
    office.work()
    office.studio.annotate("a", "spam")
    office.work()
    office.studio.all_tasks.clear()
    office.work()
    assert office.labels() == [("a", ANN, "spam")]
    assert office.studio.events() == []


@pytest.mark.parametrize("lose_file", [False, True], ids=["file kept", "file lost"])
def test_a_restart_repeats_nothing(office: Office, lose_file: bool) -> None:
    office.ask("a", "b", "c")
    office.work()
    office.studio.annotate("a", "spam")
    gone = office.studio.annotate("b", "ham")
    office.work()
    office.studio.delete("b", gone)
    office.work()
    before = office.labels()
    office.restart(lose_file=lose_file)
    office.work()
    assert office.labels() == before
    assert sorted(office.studio.events()) == ["a", "b", "c"]
    office.studio.annotate("c", "ham")
    office.work()
    assert office.labels() == [*before, ("c", ANN, "ham")]


def test_what_happened_meanwhile_is_caught_up_with(office: Office) -> None:
    office.ask("a", "b")
    office.work()
    first = office.studio.annotate("a", "spam")
    office.work()
    office.role.close()
    office.ask("c")
    office.studio.edit("a", first, "ham")
    office.studio.annotate("b", "spam")
    office.role = office.new_role()
    office.work()
    assert sorted(office.labels()) == [("a", ANN, "ham"), ("a", ANN, "spam"), ("b", ANN, "spam")]
    assert len(office.studio.events()) == 3


def test_killed_between_publishing_and_remembering(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.ask("a")
    office.work()
    office.studio.annotate("a", "spam")
    with monkeypatch.context() as patched:
        patched.setattr(Mirror, "remember", _die)
        with pytest.raises(RuntimeError):
            office.work()
    office.restart()
    office.work()
    assert office.labels() == [("a", ANN, "spam")]


def _die(*_: object) -> None:
    raise RuntimeError("killed")


@pytest.mark.parametrize("fault", ["lose_next_import", "fail_next_import"])
def test_an_import_without_an_answer(office: Office, fault: str) -> None:
    office.ask(*"abc")
    setattr(office.studio, fault, True)
    office.work(rounds=40)
    assert sorted(office.studio.events()) == ["a", "b", "c"]
    assert office.count("waiting_reviews") == 0


def test_an_annotation_before_it_is_known_that_the_import_worked(office: Office) -> None:
    office.ask("a")
    office.studio.lose_next_import = True
    office.work(rounds=1)
    office.studio.annotate("a", "spam")
    office.work(rounds=40)
    assert office.labels() == [("a", ANN, "spam")]
    assert office.studio.events() == ["a"]


@pytest.mark.parametrize("answered", ["neither", "first", "second", "both"])
def test_a_task_that_comes_late_is_no_second_task(office: Office, answered: str) -> None:
    office.ask("a")
    office.work()
    ((project, data),) = [
        (each["project"], each["data"]) for each in office.studio.all_tasks.values()
    ]
    if answered in {"first", "both"}:
        office.studio.annotate("a", "spam")
    twin = office.studio.add_task(project, data)
    if answered in {"second", "both"}:
        twin["annotations"].append(
            {"id": 77, "completed_by": 1, "result": [], "updated_at": twin["updated_at"]}
        )
    office.restart()
    office.work()
    left = list(office.studio.all_tasks)
    assert (twin["id"] in left) == (answered in {"second", "both"})
    assert len(left) == (2 if answered == "both" else 1)
    office.studio.annotate("a", "ham")
    office.work()
    assert office.labels()[-1] == ("a", ANN, "ham")


def test_a_task_that_is_refused_does_not_stop_the_others(office: Office) -> None:
    office.studio.refuse = lambda task: task["data"]["event_id"] == "b"
    office.ask("a", "b", "c")
    office.work()
    assert sorted(office.studio.events()) == ["a", "c"]
    assert office.count("tasks_total", outcome="refused") == 1
    assert office.count("waiting_reviews") == 0


def test_what_expired_is_taken_out_of_sight(office: Office) -> None:
    soon = {"expires_at": START + timedelta(seconds=60)}
    office.ask("unanswered", "answered", "begun", **soon)
    office.ask("later")
    office.work()
    office.studio.annotate("answered", "ham")
    office.studio.task("begun")["drafts"] = [{"id": 1}]
    office.town.clock.advance(120)
    office.ask("too late", **soon)
    office.work()
    assert sorted(office.studio.events()) == ["answered", "begun", "later"]
    assert office.count("tasks_total", outcome="expired") == 1
    assert office.count("tasks_total", outcome="late") == 1
    assert office.labels() == [("answered", ANN, "ham")]


def test_expired_tasks_may_stay(tmp_path: Path) -> None:
    office = Office(tmp_path / "b.sqlite3", remove_expired=False)
    office.ask("a", expires_at=START + timedelta(seconds=60))
    office.work()
    office.town.clock.advance(120)
    office.work()
    assert office.studio.events() == ["a"]
    office.role.close()


def test_no_more_tasks_than_can_be_answered(tmp_path: Path) -> None:
    office = Office(tmp_path / "b.sqlite3", max_open_tasks=2)
    office.ask("a", "b", "c", priority=0.5)
    office.work()
    assert len(office.studio.events()) == 2
    office.ask("urgent", priority=0.9)
    office.studio.annotate(office.studio.events()[0], "ham")
    office.work()
    assert office.studio.events()[2] == "urgent"
    assert office.count("waiting_reviews") == 1
    office.role.close()


def test_a_webhook_is_heard_before_the_next_poll(tmp_path: Path) -> None:
    office = Office(tmp_path / "b.sqlite3", poll_seconds=3600)
    office.ask("a")
    office.work()
    office.studio.annotate("a", "ham")
    office.work()
    assert office.labels() == []
    office.bell.ring()
    office.work()
    assert office.labels() == [("a", ANN, "ham")]
    office.role.close()


def test_reviews_and_labels_of_others_are_left_alone(office: Office) -> None:
    office.ask("theirs", pipeline="other")
    office.ask("a")
    office.work()
    assert office.studio.events() == ["a"]
    office.town.label("a", "spam")
    office.studio.add_task(next(iter(office.studio.projects)), {"event_id": "unknown"})
    office.studio.annotate("unknown", "ham")
    office.restart()
    office.work()
    assert [word for _, _, word in office.labels()] == ["spam"]
    office.studio.annotate("a", "spam", person=1)
    office.work()
    assert office.labels()[1:] == [("a", ANN, "spam")]


def test_a_record_that_is_no_review_is_passed_over(office: Office) -> None:
    office.town.writer.send(office.town.topics.reviews, b"{", key=b"x")
    office.ask("a")
    office.work()
    assert office.studio.events() == ["a"]


def test_a_second_bridge_ends_the_first(office: Office, tmp_path: Path) -> None:
    office.ask("a")
    office.work()
    first, office.path = office.role, tmp_path / "second.sqlite3"
    office.role = office.new_role()
    office.work()
    office.studio.annotate("a", "ham")
    with pytest.raises(Fenced):
        _steps(first)
    first.close()
    office.work()
    assert office.labels() == [("a", ANN, "ham")]
    assert office.studio.events() == ["a"]


def _steps(role: LabelStudioRole) -> None:
    for _ in range(4):
        role.step()


def test_label_studio_away(office: Office) -> None:
    office.ask("a")
    office.studio.away = True
    with pytest.raises(LabelStudioUnavailable) as caught:
        office.role.step()
    before = office.town.clock.now()
    for _ in range(9):
        with pytest.raises(LabelStudioUnavailable):
            office.role.recover(caught.value)
    assert office.town.clock.now() - before > 30
    office.studio.away = False
    office.role.recover(caught.value)
    office.work()
    assert office.studio.events() == ["a"]


@pytest.mark.parametrize("effect", ["lost before", "lost after"])
@pytest.mark.parametrize("victim", range(1, 26))
def test_any_request_may_go_unanswered(office: Office, effect: str, victim: int) -> None:
    answer, seen = office.studio._answer, 0

    def failing(request: httpx.Request) -> httpx.Response:
        nonlocal seen
        seen += 1
        if seen != victim:
            return answer(request)
        if effect == "lost after":
            answer(request)
        raise httpx.ReadError("connection reset", request=request)

    office.studio._answer = failing  # type: ignore[method-assign]  # places the fault
    office.role = office.new_role()
    office.ask("a", "b")
    office.work(rounds=40)
    annotation = office.studio.annotate("a", "spam")
    office.studio.annotate("b", "ham")
    office.work()
    office.studio.edit("a", annotation, "ham")
    office.work(rounds=40)
    assert sorted(office.studio.events()) == ["a", "b"]
    assert sorted(office.labels()) == [("a", ANN, "ham"), ("a", ANN, "spam"), ("b", ANN, "ham")]
    assert len(office.studio.projects) == 1
    assert seen > 25


def test_the_webhook_is_registered_once(tmp_path: Path) -> None:
    office = Office(
        tmp_path / "b.sqlite3",
        webhook_url="http://bridge/label-studio",
        webhook_secret="s",  # noqa: S106  of a test
    )
    office.work()
    office.restart()
    office.work()
    (hook,) = office.studio.hooks
    assert hook["headers"] == {SECRET_HEADER: "s"}
    assert hook["url"] == "http://bridge/label-studio"
    office.role.close()


def test_a_webhook_that_is_refused_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    office = Office(tmp_path / "b.sqlite3", webhook_url="http://10.0.0.1/label-studio")
    office.studio.private_webhooks = False
    office.ask("a")
    office.work()
    assert office.studio.events() == ["a"]
    assert "SSRF_PROTECTION_ENABLED" in caplog.text
    office.role.close()


def test_a_project_by_id_must_exist(tmp_path: Path) -> None:
    office = Office(tmp_path / "b.sqlite3", project_id=12)
    with pytest.raises(SettingsInvalid, match=r"label_studio\.project_id = 12"):
        office.role.step()
    office.studio.projects[12] = {
        "id": 12,
        "title": "theirs",
        "label_config": '<View><Text name="t" value="$text"/><Choices name="c" toName="t">'
        '<Choice value="ham"/><Choice value="spam"/></Choices></View>',
    }
    office.ask("a")
    office.work()
    assert office.studio.task("a")["data"]["text"] == "hello"
    assert office.studio.task("a")["predictions"][0]["result"][0]["from_name"] == "c"
    office.role.close()


def test_a_new_project_shows_tasks_to_as_many_as_are_required(tmp_path: Path) -> None:
    office = Office(tmp_path / "b.sqlite3", labels={"required": 3})
    office.work()
    (project,) = office.studio.projects.values()
    assert project["maximum_annotations"] == 3
    office.role.close()


def test_closing_twice_is_closing_once(office: Office) -> None:
    office.work(rounds=1)
    office.role.close()
    office.role.close()
