"""The latest labelled items of each class: which are kept, for how long, and in what room."""

from __future__ import annotations

import pickle

import pytest

from streamal.core.learners import Target, build_model
from streamal.core.learners.labelled_memory import MOST_BYTES, PER_CLASS, LabelledMemory
from streamal.core.types import NONE_LABELLED, Features, Labelled, Production
from tests.support.single import outlook_of

UNSURE = Production("a", {"a": 0.6, "b": 0.4})


def ids(memory: LabelledMemory) -> list[str]:
    return [kept.event_id for kept in memory.items()]


def test_the_latest_of_each_class_are_kept_however_rare_the_class_is() -> None:
    memory = LabelledMemory()
    for number in range(1000):
        memory.add(f"e{number}", {"x": number}, "rare" if number in (3, 7) else "usual")
    assert ids(memory) == ["e3", "e7", *(f"e{n}" for n in range(1000 - PER_CLASS, 1000))]


def test_what_is_learned_again_counts_as_new() -> None:
    memory = LabelledMemory()
    for event_id, label in (("one", "a"), ("two", "a"), ("one", "b")):
        memory.add(event_id, {}, label)
    assert ids(memory) == ["two", "one"]
    assert [kept.label for kept in memory.items()] == ["a", "b"]


@pytest.mark.parametrize("value", ["t" * 900, (0.5,) * 113])
def test_where_bytes_run_out_the_largest_class_gives(value: str | tuple[float, ...]) -> None:
    memory, kept = LabelledMemory(), MOST_BYTES // 1000
    for number in range(400):
        label = "first" if number < 10 else f"class {number % 10}"
        memory.add(f"event {number:03}", {"feature".ljust(80): value}, label)
    sizes = [item.size for item in memory.items()]
    assert kept < len(sizes)
    assert MOST_BYTES - max(sizes) <= sum(sizes) <= MOST_BYTES
    assert [name for name in ids(memory) if name < "event 010"] == [
        f"event 00{n}" for n in range(10)
    ]


def test_an_endless_number_of_classes_is_bounded_and_loses_its_oldest() -> None:
    memory = LabelledMemory()
    for number in range(5000):
        memory.add(f"e{number:04}", {"x": 1.0, "text": "t" * 90}, f"class {number:04}")
    known = ids(memory)
    assert known == [f"e{number:04}" for number in range(5000 - len(known), 5000)]
    assert len(pickle.dumps(memory)) < 2 * MOST_BYTES


def test_an_item_as_large_as_many_is_not_remembered() -> None:
    memory = LabelledMemory()
    memory.add("small", {"x": 1.0}, "a")
    memory.add("large", {"text": "t" * MOST_BYTES}, "a")
    assert ids(memory) == ["small"]


def taught(
    *, on: bool = True, learner: str = "logistic_regression", target: Target = Target.LABEL
) -> Labelled:
    model = build_model(learner, parameters={}, keep_labelled=on, target=target)
    for number in range(40):
        x = number % 8 - 3.5
        features: Features = {"x": x, "production::label": "of the event's own"}
        model.learn(features, UNSURE, "a" if x < 0 else "b", event_id=f"e{number}")
    model.learn({"x": 3.0}, UNSURE, "a", event_id="wrong side")
    return model.labelled(margins=True)


def test_margins_are_distances_to_the_boundary_and_negative_on_its_wrong_side() -> None:
    margins = {item.event_id: item.margin for item in taught().items}
    assert margins["wrong side"] is not None
    assert margins["wrong side"] < 0.0
    assert margins["e39"] is not None  # x = 3.5
    assert margins["e36"] is not None  # x = 0.5
    assert margins["e39"] > margins["e36"] > 0.0


def test_without_a_hyperplane_there_are_items_without_margins() -> None:
    assert [item.margin for item in taught(learner="gaussian_nb").items] == [None] * 41


def test_what_production_got_right_is_remembered_as_such_without_what_was_added() -> None:
    items = taught(target=Target.ERROR).items
    assert {item.event_id: item.label for item in items}["e39"] == "wrong"
    assert {item.event_id: item.label for item in items}["wrong side"] == "right"
    assert all(item.features.keys() == {"x"} for item in items)
    assert all(item.margin is not None for item in items)


def test_a_model_remembers_only_when_it_is_told_to() -> None:
    assert taught(on=False) is NONE_LABELLED


def test_each_label_and_each_snapshot_bring_another_object_and_nothing_else_does() -> None:
    model = build_model("logistic_regression", parameters={}, keep_labelled=True)
    model.learn({"x": 1.0}, UNSURE, "a", event_id="one")
    before, size = model.labelled(margins=False), len(pickle.dumps(model))
    outlook_of(model, {"x": 2.0}, UNSURE)
    model.keep_labelled(on=True)
    assert model.labelled(margins=False) is before
    assert model.labelled(margins=True) is not before
    assert len(pickle.dumps(model)) == size  # who asked is not a part of the model
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own
    assert again.labelled(margins=False).items == before.items
    model.learn({"x": 2.0}, UNSURE, "a", event_id="two")
    assert model.labelled(margins=False) is not before
    assert len(before.items) == 1
    model.keep_labelled(on=False)
    assert model.labelled(margins=False) is NONE_LABELLED


def test_memory_does_not_change_what_is_learned() -> None:
    models = [build_model("default", parameters={}, keep_labelled=on) for on in (False, True)]
    for number in range(60):
        for model in models:
            model.learn({"x": number % 9}, UNSURE, "ab"[number % 2], event_id=f"e{number}")
    one, other = (outlook_of(model, {"x": 4.0}, UNSURE).probabilities for model in models)
    assert one == other
