"""What annotations say, and what of it is news."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from streamal.connectors.label_studio.answers import TAKEN_BACK, Answer, answers, digest, news
from streamal.connectors.label_studio.documents import Annotation
from streamal.connectors.label_studio.labelling import UNSURE, Interface
from streamal.events import LabelEvent
from tests.unit.connectors.label_studio.conftest import START

CHOICES = Interface("label", "features", "choices", frozenset({"ham", "spam", UNSURE}), ())
NUMBER = Interface("label", "features", "number", frozenset(), ())


def region(name: str, **value: Any) -> dict[str, Any]:  # noqa: ANN401  as Label Studio has it
    return {"from_name": name, "value": value}


def annotation(
    number: int,
    *regions: dict[str, Any],
    person: int | None = 1,
    later: float = 0,
    **fields: Any,  # noqa: ANN401  any field
) -> Annotation:
    return Annotation.model_validate(
        {
            "id": number,
            "completed_by": person,
            "result": list(regions),
            "updated_at": START + timedelta(seconds=later),
            **fields,
        }
    )


def said(*annotations: Annotation, interface: Interface = CHOICES) -> dict[str, Answer]:
    return answers(annotations, interface, lambda person: f"person-{person}")


def test_a_choice_with_a_note() -> None:
    found = said(
        annotation(1, region("label", choices=["ham"]), region("note", text=["why", "so"]))
    )
    assert found == {"person-1": Answer("ham", None, False, False, "why\nso", START)}


def test_a_note_may_be_plain_text() -> None:
    found = said(annotation(1, region("label", choices=["ham"]), region("note", text="why")))
    assert found["person-1"].note == "why"


def test_i_cannot_tell() -> None:
    found = said(annotation(1, region("label", choices=[UNSURE])))["person-1"]
    assert found.unsure
    assert found.label is None


def test_a_skipped_task_is_skipped_whatever_was_chosen() -> None:
    found = said(annotation(1, region("label", choices=["ham"]), was_cancelled=True))["person-1"]
    assert found.skip
    assert found.label is None
    assert not found.unsure


@pytest.mark.parametrize(
    "regions",
    [(), (region("other", choices=["ham"]),), (region("label", choices=[]),), (region("label"),)],
)
def test_an_annotation_that_says_nothing_is_no_answer(regions: tuple[dict[str, Any], ...]) -> None:
    assert said(annotation(1, *regions)) == {}


def test_a_number() -> None:
    found = said(annotation(1, region("label", number=3)), interface=NUMBER)
    assert found["person-1"].value == 3.0


def test_a_person_may_come_as_an_object_or_not_at_all() -> None:
    assert annotation(1, person={"id": 5, "email": "x"}).completed_by == 5  # type: ignore[arg-type]  # as sent
    assert annotation(1, person=None).completed_by is None


def test_each_person_has_one_answer_their_newest() -> None:
    found = said(
        annotation(2, region("label", choices=["ham"]), later=5),
        annotation(3, region("label", choices=["spam"]), later=2),
        annotation(4, region("label", choices=["spam"]), person=2),
    )
    assert {name: answer.label for name, answer in found.items()} == {
        "person-1": "ham",
        "person-2": "spam",
    }


def answer(label: str | None, *, later: float = 0, skip: bool = False) -> Answer:
    return Answer(label, None, False, skip, None, START + timedelta(seconds=later))


def test_what_is_published_is_no_news() -> None:
    given = {"a": answer("ham")}
    (label,) = news("e1", given, {}, START)
    assert (label.label, label.annotator, label.labelled_at) == ("ham", "a", START)
    assert news("e1", given, {"a": digest(label)}, START) == []


def test_the_same_answer_saved_again_is_no_news() -> None:
    published = {"a": answer("ham").digest()}
    assert news("e1", {"a": answer("ham", later=60)}, published, START) == []


def test_another_answer_is_news() -> None:
    published = {"a": answer("ham").digest()}
    (label,) = news("e1", {"a": answer("spam")}, published, START)
    assert label.label == "spam"
    (label,) = news("e1", {"a": answer(None, skip=True)}, published, START)
    assert label.skip


def test_an_answer_that_is_gone_is_withdrawn_once() -> None:
    published = {"a": answer("ham").digest(), "b": answer("ham").digest()}
    (label,) = news("e1", {"b": answer("ham")}, published, START)
    assert (label.annotator, label.withdrawn, label.label) == ("a", True, None)
    assert digest(label) == TAKEN_BACK
    assert news("e1", {"b": answer("ham")}, {**published, "a": TAKEN_BACK}, START) == []


def test_an_answer_after_a_withdrawal_is_news() -> None:
    (label,) = news("e1", {"a": answer("ham")}, {"a": TAKEN_BACK}, START)
    assert label.label == "ham"


def test_news_come_in_the_order_they_were_said() -> None:
    given = {"late": answer("ham", later=9), "early": answer("spam", later=1)}
    labels = news("e1", given, {"gone": "x"}, START)
    assert [label.annotator for label in labels] == ["early", "late", "gone"]


def test_a_digest_survives_the_wire() -> None:
    (label,) = news("e1", {"a": answer("ham")}, {}, START)
    assert digest(LabelEvent.from_bytes(label.to_bytes())) == answer("ham").digest()
