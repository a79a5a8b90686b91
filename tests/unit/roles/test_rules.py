"""What each task allows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streamal.errors import Reject
from streamal.events import LabelEvent, Output
from streamal.roles.rules import ClassRules, TaskRules, ValueRules, listed

PETS = ClassRules(frozenset({"cat", "dog"}))


def label(**parts: object) -> LabelEvent:
    answer = {"event_id": "e", "annotator": "x", "labelled_at": datetime(2026, 1, 1, tzinfo=UTC)}
    return LabelEvent.model_validate(answer | parts)


def reason(rules: TaskRules, given: LabelEvent | Output) -> str:
    check = rules.check_prediction if isinstance(given, Output) else rules.check_label
    with pytest.raises(Reject) as caught:
        check(given)  # type: ignore[arg-type]  # chosen by its kind
    return caught.value.reason


@pytest.mark.parametrize("rules", [PETS, ClassRules()])
def test_known_classes_pass(rules: ClassRules) -> None:
    rules.check_prediction(Output(label="cat", probabilities={"cat": 0.5, "dog": 0.5}))
    rules.check_label(label(label="dog"))
    rules.check_label(label(unsure=True))


def test_unknown_classes_do_not() -> None:
    assert reason(PETS, Output(label="cow")) == "unknown_class"
    assert (
        reason(PETS, Output(label="cat", probabilities={"cat": 0.5, "x": 0.5})) == "unknown_class"
    )
    assert reason(PETS, label(label="cow")) == "unknown_class"


def test_numbers_are_no_classes() -> None:
    assert reason(PETS, Output(value=3.5)) == "unsupported_task"
    assert reason(PETS, label(value=3.5)) == "unsupported_task"


def test_feedback_needs_productions_prediction_where_errors_are_learned() -> None:
    strict = ClassRules(needs_prediction=True)
    assert reason(strict, label(label="cat", features={})) == "missing_prediction"
    strict.check_label(label(label="cat", features={}, prediction=Output(label="dog")))
    strict.check_label(label(label="cat"))


def test_few_of_many_classes_are_listed() -> None:
    assert listed("ba") == "a, b"
    assert listed(map(str, range(10, 25))).endswith("19 and 5 more")


PERCENT = ValueRules(0.0, 100.0)


@pytest.mark.parametrize("value", [0.0, 100.0, 55.5])
def test_numbers_in_range_pass(value: float) -> None:
    PERCENT.check_prediction(Output(value=value))
    PERCENT.check_label(label(value=value))
    PERCENT.check_label(label(skip=True))


@pytest.mark.parametrize("value", [-0.1, 100.1, 1e300])
def test_numbers_out_of_range_do_not(value: float) -> None:
    assert reason(PERCENT, Output(value=value)) == "value_out_of_range"
    assert reason(PERCENT, label(value=value)) == "value_out_of_range"
    feedback = label(value=5.0, features={}, prediction=Output(value=value))
    assert reason(PERCENT, feedback) == "value_out_of_range"


def test_without_a_range_only_the_absurd_is_refused() -> None:
    ValueRules().check_prediction(Output(value=-1e99))
    assert reason(ValueRules(), Output(value=1e101)) == "value_out_of_range"


def test_classes_are_no_numbers() -> None:
    assert reason(PERCENT, Output(label="cat")) == "unsupported_task"
    assert reason(PERCENT, label(label="cat")) == "unsupported_task"


def test_numeric_feedback_needs_productions_number_where_errors_are_learned() -> None:
    strict = ValueRules(needs_prediction=True)
    assert reason(strict, label(value=1.0, features={})) == "missing_prediction"
    strict.check_label(label(value=1.0, features={}, prediction=Output(value=2.0)))
