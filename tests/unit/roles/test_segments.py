"""Which names a gate counts by."""

from __future__ import annotations

from datetime import UTC, datetime

from streamal.events import DecodedPrediction, ModelRef, Output, Prediction, decoded
from streamal.roles.segments import SegmentNames, segment_limits


def event(country: str | None, version: str = "1", label: str = "yes") -> DecodedPrediction:
    return decoded(
        Prediction(
            event_id="e",
            timestamp=datetime.now(UTC),
            model=ModelRef(version=version),
            features={},
            prediction=Output(label=label),
            metadata={"country": country},
        )
    )


def countries(names: SegmentNames, *values: str) -> list[str]:
    """The names of each value by itself, which are those of all of them together."""
    return [str(names.columns([event(value)])["country"][0]) for value in values]


def test_classes_are_a_key_of_their_own_unless_nobody_asks() -> None:
    assert segment_limits(("country",), 10, 20) == {"country": 10, "prediction": 20}
    assert segment_limits((), 10, 0) == {}


def test_every_key_is_named() -> None:
    names = SegmentNames({"country": 5, "model_version": 5, "prediction": 5})
    assert names.columns([event("de", "7"), event(None)]) == {
        "country": ["de", "missing"],
        "model_version": ["7", "1"],
        "prediction": ["yes", "yes"],
    }


def test_a_batch_is_named_as_its_events_one_by_one() -> None:
    values = ["fr", "de", "it", "es", "fr", "nl", "de"]
    together = SegmentNames({"country": 3}).columns([event(value) for value in values])
    assert together["country"] == countries(SegmentNames({"country": 3}), *values)


def test_new_values_are_named_on_sight_while_there_is_room() -> None:
    names = SegmentNames({"country": 3})
    names.follow({"country": ("de",)})
    assert countries(names, "fr", "de", "it", "es", "fr") == ["fr", "de", "it", "other", "fr"]


def test_the_trainers_list_replaces_names_that_a_gate_gave() -> None:
    names = SegmentNames({"country": 2})
    assert countries(names, "a", "b", "c") == ["a", "b", "other"]
    names.follow({"country": ("c", "b")})
    assert countries(names, "a", "b", "c") == ["other", "b", "c"]


def test_the_same_list_again_changes_nothing() -> None:
    names = SegmentNames({"country": 2})
    for _ in range(2):
        names.follow({"country": ("de",)})
        assert countries(names, "fr", "it") == ["fr", "other"]


def test_a_list_that_is_too_long_is_cut() -> None:
    names = SegmentNames({"country": 1})
    names.follow({"country": ("de", "fr")})
    assert countries(names, "de", "fr") == ["de", "other"]
