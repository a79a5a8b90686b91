"""Which labelled items pin the boundary down, and which of them is closest."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamal.core.strategies.keyed_window import key_of
from streamal.core.strategies.running_scale import RunningScale
from streamal.core.strategies.support_vectors import SupportVectors
from streamal.core.types import Features, Labelled, LabelledItem

NUMBERS = st.one_of(
    st.floats(-100, 100), st.floats(allow_nan=False), st.booleans(), st.integers(-9, 9)
)
VALUES = st.one_of(NUMBERS, st.just("text"), st.none(), st.just(10**400))
EVENTS = st.dictionaries(st.sampled_from("abcd"), VALUES)


def closest_of(items: list[Features], event: Features) -> list[int]:
    """The items at the least distance, a value after another; text and gaps lie at the mean."""
    scale = RunningScale()
    for features in items:
        scale.update(features)

    def placed(features: Features) -> list[int]:
        return [
            0 if math.isinf(inverse) else round(31 * deviation)
            for deviation, (_, inverse) in zip(
                scale.standardised(features), scale.columns.values(), strict=True
            )
        ]

    point = placed(event)
    gaps = [math.dist(point, placed(features)) for features in items]
    # A value in the middle between two steps may be rounded either way.
    return [number for number, gap in enumerate(gaps) if gap <= min(gaps) + 2.0]


@given(st.lists(EVENTS, min_size=2, max_size=8), EVENTS)
def test_the_closest_is_that_of_the_definition(items: list[Features], event: Features) -> None:
    made = [
        LabelledItem(str(number), features, "ab"[number % 2], 1.0)
        for number, features in enumerate(items)
    ]
    found = SupportVectors.of(Labelled(tuple(made)), most=10)
    if found is None:
        scale = RunningScale()
        for features in items:
            scale.update(features)
        assert all(math.isinf(inverse) for _, inverse in scale.columns.values())
        return
    # The classes take turns in `made`, and come one after the other in what was chosen.
    assert found.closest([event])[0] in {key_of(str(each)) for each in closest_of(items, event)}


def test_of_equals_the_first_is_closest_whatever_was_asked_before() -> None:
    items = [LabelledItem(name, {"x": x, "y": 1.0}, name[0], 0.5) for name, x in
             (("a1", 0.0), ("b1", 4.0), ("a2", 2.0))]  # fmt: skip
    found = SupportVectors.of(Labelled(tuple(items)), most=1)
    assert found is not None
    assert len(found) == 2
    assert found.closest([{"x": x} for x in (2.0, 3.9, 2.0)]) == [
        key_of("a1"),
        key_of("b1"),
        key_of("a1"),
    ]


@pytest.mark.parametrize("features", [[{"x": 1.0}, {"x": 1.0}], [{"t": "u"}, {"t": "v"}], [{}, {}]])
def test_without_numbers_that_differ_there_are_none(features: list[Features]) -> None:
    items = [LabelledItem(str(n), each, "ab"[n], 0.1) for n, each in enumerate(features)]
    assert SupportVectors.of(Labelled(tuple(items)), most=10) is None
