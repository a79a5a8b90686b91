"""What a usable prediction becomes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamal.errors import Reject
from streamal.events import Output, Prediction, ProbabilityRules
from streamal.events.base import load_json, rejecting

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
VALID: dict[str, Any] = {
    "event_id": "e",
    "timestamp": "2026-01-01T12:00:00Z",
    "features": {},
    "prediction": {"label": "a"},
}


def prediction(**changes: object) -> Prediction:
    return rejecting(Prediction, {**VALID, **changes})


def output(rules: ProbabilityRules | None = None, **parts: object) -> Output:
    return rejecting(Prediction, {**VALID, "prediction": parts}, rules).prediction


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-01-01T12:00:00Z",
        "2026-01-01T12:00:00",
        "2026-01-01T14:00:00+02:00",
        "2026-01-01 12:00:00.000Z",
        1_767_268_800,
        1_767_268_800.0,
        1_767_268_800_000,
        "1767268800",
    ],
)
def test_times_are_utc(timestamp: object) -> None:
    moment = prediction(timestamp=timestamp).timestamp
    assert moment == NOON
    assert moment.tzinfo is UTC


def test_milliseconds_are_kept() -> None:
    assert prediction(timestamp=1_767_268_800_123).timestamp.microsecond == 123_000


@pytest.mark.parametrize(
    ("label", "name"),
    [
        (1, "1"),
        (0, "0"),
        (1.0, "1"),
        (-2.0, "-2"),
        (True, "true"),
        (False, "false"),
        ("1.0", "1.0"),
    ],
)
def test_classes_are_text(label: object, name: str) -> None:
    assert output(label=label).label == name


@pytest.mark.parametrize(("event_id", "text"), [(17, "17"), (2**64 - 1, "18446744073709551615")])
def test_ids_and_versions_may_be_integers(event_id: int, text: str) -> None:
    event = prediction(event_id=event_id, model={"name": 1, "version": 14})
    assert event.event_id == text
    assert (event.model.name, event.model.version) == ("1", "14")


@pytest.mark.parametrize("event_id", [" ", "ü" * 256, "a/b#c", "\N{GRINNING FACE}"])
def test_any_printable_text_is_an_id(event_id: str) -> None:
    assert prediction(event_id=event_id).event_id == event_id


@pytest.mark.parametrize(
    "value", [True, False, 0, 1, -0.0, 1.0, 1e300, "1", "", "true", None, 2**64 - 1]
)
def test_features_keep_value_and_type(value: object) -> None:
    kept = prediction(features={"f": value}).features["f"]
    assert kept == value
    assert type(kept) is type(value)


def test_feature_lists_are_numbers() -> None:
    assert prediction(features={"f": [1, 2.5], "g": []}).features == {"f": (1.0, 2.5), "g": ()}


def test_an_integer_beyond_64_bits_is_read_as_a_float() -> None:
    assert load_json(b'{"x": 18446744073709551616}') == {"x": float(2**64)}


def test_the_label_is_the_most_probable_class_and_the_first_among_equals() -> None:
    assert output(probabilities={"a": 0.2, "b": 0.8}).label == "b"
    assert output(probabilities={"b": 0.5, "a": 0.5}).label == "a"


def test_a_label_of_production_s_own_choice_stays() -> None:
    assert output(label="a", probabilities={"a": 0.2, "b": 0.8}).label == "a"


def test_one_class_is_certain() -> None:
    assert output(probabilities={"a": 1}).probabilities == {"a": 1.0}


def test_no_probabilities_beside_a_label_are_none() -> None:
    assert output(label="a", probabilities={}).probabilities is None


def test_within_tolerance_probabilities_are_made_exact() -> None:
    found = output(probabilities={"a": 0.3, "b": 0.7005}).probabilities
    assert found == pytest.approx({"a": 0.3 / 1.0005, "b": 0.7005 / 1.0005})


def test_tolerance_can_be_chosen() -> None:
    rules = ProbabilityRules(tolerance=0.2)
    assert output(rules, probabilities={"a": 0.9}).probabilities == {"a": 1.0}


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.floats(1e-9, 1e9), min_size=1))
def test_normalised_probabilities_sum_to_one(weights: dict[str, float]) -> None:
    found = output(ProbabilityRules(normalise=True), probabilities=weights)
    assert found.probabilities is not None
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert found.label is not None
    assert weights[found.label] == max(weights.values())


def test_a_regression_has_a_value_and_no_label() -> None:
    found = output(value=3)
    assert (found.label, found.probabilities, found.value) == (None, None, 3.0)


def test_a_committee_of_maps_and_values() -> None:
    event = prediction(committee=[{"a": 0.25, "b": 0.75}, {"a": 1}, 2])
    assert event.committee == ({"a": 0.25, "b": 0.75}, {"a": 1.0}, 2.0)
    assert prediction(committee=[]).committee == ()
    assert prediction().committee is None


def test_committee_members_follow_the_rules_too() -> None:
    rules = ProbabilityRules(normalise=True)
    event = rejecting(Prediction, {**VALID, "committee": [{"a": 2, "b": 6}]}, rules)
    assert event.committee == ({"a": 0.25, "b": 0.75},)


def test_unknown_fields_are_ignored() -> None:
    assert prediction(trace={"span": [1]}) == prediction()


def test_a_sequence_or_objects_alone_claim_to_stand() -> None:
    assert output(token_probabilities=[0.5, 1]).label == "ok"
    assert output(objects=[]).label == "ok"
    assert output(label="cat", objects=[{"score": 0.5}]).label == "cat"
    assert output(probabilities={"a": 0.25, "b": 0.75}, token_probabilities=[1]).label == "b"
    assert output(value=3.5, token_probabilities=[1]).label is None


@pytest.mark.parametrize(
    "tokens", [[1.01], [-0.01], [float("nan")], ["0.5"], [None], 0.5, [0.5] * 8193]
)
def test_token_probabilities_are_probabilities(tokens: object) -> None:
    with pytest.raises(Reject, match=r"prediction\.token_probabilities"):
        output(token_probabilities=tokens)


def test_objects_have_classes_scores_and_places() -> None:
    found = output(
        objects=[
            {"label": "car", "score": 0.75, "box": [1, 2, 30.5, 40]},
            {"probabilities": {"van": 0.75, "car": 0.25}},
            {"score": 1},
        ]
    ).objects
    assert found is not None
    assert [each.label for each in found] == ["car", "van", None]
    assert found[0].box == (1.0, 2.0, 30.5, 40.0)


@pytest.mark.parametrize(
    ("thing", "reason"),
    [
        ({}, "missing_prediction"),
        ({"label": "car"}, "missing_prediction"),
        ({"score": 1.5}, "invalid_field"),
        ({"probabilities": {"a": 0.5, "b": 0.6}}, "bad_probabilities"),
        ({"score": 0.5, "box": [1]}, "invalid_field"),
        ({"score": 0.5, "box": [1, float("inf")]}, "invalid_field"),
        (0.5, "invalid_field"),
    ],
)
def test_objects_without_a_usable_measure_are_rejected(thing: object, reason: str) -> None:
    with pytest.raises(Reject, match=f"{reason}: prediction.objects.0"):
        output(objects=[thing])


def test_there_is_a_limit_to_objects() -> None:
    with pytest.raises(Reject, match=r"prediction\.objects"):
        output(objects=[{"score": 0.5}] * 1025)


def test_objects_are_normalised_by_the_rules() -> None:
    rules = ProbabilityRules(normalise=True)
    found = output(rules, objects=[{"probabilities": {"a": 1, "b": 3}}]).objects
    assert found is not None
    assert found[0].probabilities == {"a": 0.25, "b": 0.75}
