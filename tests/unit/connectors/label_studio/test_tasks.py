"""What annotators get to see of a review."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streamal.connectors.label_studio.labelling import Interface, Shown
from streamal.connectors.label_studio.tasks import Preannotation, task_document
from streamal.events import Output
from tests.unit.connectors.label_studio.conftest import review


def interface(*shown: Shown, kind: Any = "choices") -> Interface:  # noqa: ANN401  a literal
    return Interface("label", "features", kind, frozenset({"ham", "spam"}), shown)


def data(features: dict[str, Any], *shown: Shown, **options: Any) -> dict[str, Any]:  # noqa: ANN401  any option
    found: dict[str, Any] = task_document(review(features=features), interface(*shown), **options)[
        "data"
    ]
    return found


def test_the_event_is_named_and_its_features_are_shown() -> None:
    found = data({"amount": 3.5, "list": (1, 2), "none": None, "yes": True})
    assert found["event_id"] == "e1"
    assert found["features"] == {"amount": 3.5, "list": "1.0, 2.0", "none": None, "yes": "true"}
    assert found["expires_at"] == "2026-01-01T01:00:00+00:00"


def test_nothing_says_how_the_item_was_chosen() -> None:
    text = orjson.dumps(task_document(review(), interface())).decode()
    for word in ("exploration", "propensity", "priority", "margin", "threshold", "0.25"):
        assert word not in text


def test_a_made_up_item_says_so_and_production_s_answer_is_not_filled_in() -> None:
    changes: dict[str, Any] = {
        "features": {"amount": 3.5},
        "prediction": Output(label="spam"),
    }
    real = task_document(review(**changes), interface())
    made_up = task_document(review(**changes, synthetic=True), interface())
    assert real["data"]["features"] == {"amount": 3.5}
    assert made_up["data"]["features"].keys() == {"amount", "made-up item"}
    assert "no event was ever like it" in made_up["data"]["features"]["made-up item"]
    assert real["predictions"]
    assert made_up["predictions"] == []


@pytest.mark.parametrize(
    ("tag", "value", "shown"),
    [
        ("Image", "https://example.com/a.png", "https://example.com/a.png"),
        ("Image", "http://example.com/a.png?x=1", "http://example.com/a.png?x=1"),
        ("Image", "javascript:alert(1)", ""),
        ("Image", "data:image/png;base64,AAAA", ""),
        ("Image", "file:///etc/passwd", ""),
        ("Audio", "https://", ""),
        ("Video", "http://[", ""),
        ("Image", 7, ""),
        ("Image", None, ""),
        ("Text", "<b>hi</b>", "<b>hi</b>"),
        ("Text", None, ""),
        ("HyperText", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("HyperText", "javascript:alert(1)", "javascript:alert(1)"),
    ],
)
def test_values_are_safe_where_they_are_shown(tag: str, value: object, shown: str) -> None:
    assert data({"x": value}, Shown("x", tag))["x"] == shown


def test_a_link_is_a_link_and_nothing_else() -> None:
    address = 'https://example.com/"><script>alert(1)</script>'
    html = data({"x": address}, Shown("x", "HyperText"))["x"]
    assert html.startswith('<a href="https://example.com/&quot;&gt;&lt;script&gt;')
    assert 'rel="noopener noreferrer"' in html
    assert "<script" not in html


def test_every_place_is_filled_even_without_the_feature() -> None:
    assert data({}, Shown("gone", "Text"), Shown("features", "Table"))["gone"] == ""


def test_hidden_features_stay_hidden() -> None:
    found = data({"ssn": "1", "amount": 2}, Shown("ssn", "Text"), hidden=frozenset({"ssn"}))
    assert found["features"] == {"amount": 2}
    assert found["ssn"] == ""


def prediction(preannotation: Preannotation, **changes: Any) -> dict[str, Any] | None:  # noqa: ANN401  any field
    document = task_document(review(**changes), interface(), preannotation=preannotation)
    assert len(document["predictions"]) <= 1
    return next(iter(document["predictions"]), None)


def test_production_answers_beforehand() -> None:
    found = prediction("production")
    assert found is not None
    assert found["model_version"] == "filter 7"
    assert found["score"] == 0.8
    assert found["result"] == [
        {
            "from_name": "label",
            "to_name": "features",
            "type": "choices",
            "value": {"choices": ["ham"]},
        }
    ]


def test_the_model_answers_beforehand() -> None:
    found = prediction("model")
    assert found is not None
    assert found["model_version"] == "streamal 3"
    assert found["result"][0]["value"] == {"choices": ["spam"]}


def test_nobody_answers_beforehand() -> None:
    assert prediction("none") is None
    assert (
        "ham"
        not in orjson.dumps(task_document(review(), interface(), preannotation="none")).decode()
    )


def test_a_class_that_is_no_choice_is_not_answered_beforehand() -> None:
    assert prediction("production", prediction={"label": "eggs"}) is None


def test_a_number_is_answered_beforehand() -> None:
    asked = review(prediction={"value": 2.5}, task="regression", model={"version": 0})
    found = task_document(asked, interface(kind="number"))["predictions"]
    assert found[0]["result"][0]["type"] == "number"
    assert found[0]["result"][0]["value"] == {"number": 2.5}
