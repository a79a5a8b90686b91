"""A window of keys and numbers: the same answers as a plain list."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamal.core.strategies.keyed_window import NO_KEY, KeyedWindow, key_of

#: As a state holds them.
NUMBERS = st.floats(0, 2.0**99, width=32)
ITEMS = st.lists(st.tuples(st.sampled_from([NO_KEY, 1, 2, 2**32 - 1]), NUMBERS), max_size=30)


@given(ITEMS, st.integers(1, 12), NUMBERS)
def test_it_counts_as_a_list_does(items: list[tuple[int, float]], size: int, value: float) -> None:
    window = KeyedWindow(size)
    for item in items:
        window.add(*item)
    restored = KeyedWindow(size)
    restored.restore(json.loads(json.dumps(window.state())))
    kept = items[-size:]
    for each in (window, restored):
        assert len(each) == len(kept)
        assert each.below(value) == sum(number < value for _, number in kept)
        for key in (1, 2, 2**32 - 1):
            own = [number for its, number in kept if its == key]
            assert each.at_most(key, value) == (sum(number <= value for number in own), len(own))
    window.add(1, value)
    restored.add(1, value)
    assert restored.state() == window.state()


def test_numbers_are_compared_as_they_are_held() -> None:
    window = KeyedWindow(10)
    for value in (0.1, 1e300):
        window.add(7, value)
    assert float(np.float32(0.1)) > 0.1
    assert window.at_most(7, 0.1) == (1, 2)
    assert window.below(0.1) == 0
    assert window.at_most(7, 1e308) == (2, 2)


def test_a_key_is_one_of_the_four_billion_that_are_not_none() -> None:
    keys = {key_of(str(number)) for number in range(1000)}
    assert len(keys) == 1000
    assert NO_KEY not in keys
    assert max(keys) < 2**32
