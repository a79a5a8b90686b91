"""What becomes of each kind of feature value."""

from __future__ import annotations

import math
import pickle

import pytest

from streamal.core.features import FeatureColumns
from streamal.core.learners.encoded import Columns
from streamal.core.learners.preprocess import CLIP, AsIs, Encoding, Preprocessor
from streamal.core.types import Features


def learn(preprocessor: Preprocessor, features: Features) -> None:
    preprocessor.learn(FeatureColumns([features]))


def encoded(preprocessor: Preprocessor, features: Features) -> Columns:
    return preprocessor.encode(FeatureColumns([features])).rows[0]


def front(
    encoding: Encoding = Encoding.SPARSE,
    *items: Features,
    scale: bool = False,
    max_categories: int = 50,
    max_columns: int = 1000,
) -> Preprocessor:
    preprocessor = Preprocessor(
        encoding, scale=scale, max_categories=max_categories, max_columns=max_columns
    )
    for item in items:
        learn(preprocessor, item)
    return preprocessor


def test_numbers_booleans_and_lists_pass_as_numbers() -> None:
    item: Features = {"n": 3, "x": 0.5, "yes": True, "place": (1.0, 2)}
    assert encoded(front(Encoding.SPARSE, item), item) == {
        "n": 3.0,
        "x": 0.5,
        "yes": 1.0,
        "place.0": 1.0,
        "place.1": 2.0,
    }


def test_numbers_are_scaled_by_what_was_learned_and_clipped() -> None:
    learned = front(Encoding.SPARSE, {"x": 1.0}, {"x": 3.0}, scale=True)
    assert encoded(learned, {"x": 3.0}) == {"x": pytest.approx(1.0)}
    assert encoded(learned, {"x": 1e99}) == {"x": CLIP}
    assert encoded(learned, {"x": -1e99}) == {"x": -CLIP}


def test_a_category_has_a_column_once_learned_and_is_other_before() -> None:
    learned = front(Encoding.SPARSE, {"c": "red"})
    assert encoded(learned, {"c": "red"}) == {"c=red": 1.0}
    assert encoded(learned, {"c": "blue"}) == {"c=": 1.0}
    assert encoded(learned, {"unknown": "blue"}) == {}


def test_dense_has_the_same_columns_for_every_item() -> None:
    learned = front(Encoding.DENSE, {"c": "red", "x": 2.0}, {"c": "blue", "x": 4.0}, {"c": "red"})
    assert encoded(learned, {"c": "blue", "x": 7.0}) == {
        "x": 7.0,
        "x?": 0.0,
        "c=": 0.0,
        "c=red": 0.0,
        "c=blue": 1.0,
    }
    assert encoded(learned, {}) == {
        "x": 3.0,
        "x?": 1.0,
        "c=": 0.0,
        "c=red": 0.0,
        "c=blue": 0.0,
    }, "a missing number is the running mean"


def test_dense_and_scaled_fills_with_zero_which_is_the_mean() -> None:
    learned = front(Encoding.DENSE, {"x": 2.0}, {"x": 4.0}, scale=True)
    assert encoded(learned, {}) == {"x": 0.0}


def test_nominal_gives_codes_that_are_no_numbers() -> None:
    learned = front(Encoding.NOMINAL, {"c": "red"}, {"c": "blue"})
    assert encoded(learned, {"c": "blue"}) == {"c=": (1,)}
    assert encoded(learned, {"c": "green"}) == {"c=": (-1,)}


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf, 1e308, 10**400, ()])
def test_what_cannot_be_used_is_missing_like_what_is_absent(value: float | None) -> None:
    learned = front(Encoding.SPARSE, {"x": 1.0, "y": 1.0})
    assert encoded(learned, {"x": value, "y": 1.0}) == {"y": 1.0}
    learn(learned, {"x": value, "y": 1.0})
    assert encoded(learned, {"x": value, "y": 1.0}) == {"y": 1.0, "x?": 1.0}
    assert encoded(learned, {"y": 1.0}) == {"y": 1.0, "x?": 1.0}
    assert encoded(learned, {"x": 2.0, "y": 1.0}) == {"x": 2.0, "y": 1.0}


def test_a_feature_that_comes_later_was_not_missing_before() -> None:
    learned = front(Encoding.SPARSE, {"x": 1.0}, {"x": 1.0, "new": 1.0})
    assert encoded(learned, {"x": 1.0}) == {"x": 1.0}


def test_a_missing_list_takes_one_flag_not_one_per_entry() -> None:
    learned = front(Encoding.SPARSE, {"v": (1.0, 2.0, 3.0)}, {})
    assert encoded(learned, {}) == {"v?": 1.0}


def test_a_feature_may_be_a_number_and_a_text_and_then_is_not_missing() -> None:
    learned = front(Encoding.SPARSE, {"x": 1.0}, {"x": "many"})
    assert encoded(learned, {"x": 2.0}) == {"x": 2.0}
    assert encoded(learned, {"x": "many"}) == {"x=many": 1.0}


def test_categories_beyond_the_limit_share_the_column_other() -> None:
    items: list[Features] = [{"c": f"v{index}"} for index in range(5)]
    learned = front(Encoding.SPARSE, *items, max_categories=2)
    assert [encoded(learned, item) for item in items] == [
        {"c=v0": 1.0},
        {"c=v1": 1.0},
        {"c=": 1.0},
        {"c=": 1.0},
        {"c=": 1.0},
    ]


def test_prose_is_no_category() -> None:
    prose = "word " * 1000
    assert encoded(front(Encoding.SPARSE, {"c": prose}), {"c": prose}) == {"c=": 1.0}


@pytest.mark.parametrize("encoding", list(Encoding))
def test_columns_stay_within_the_limit(encoding: Encoding) -> None:
    items: list[Features] = [{f"n{i}": 1.0, f"t{i}": f"v{i}", "c": f"v{i}"} for i in range(60)]
    learned = front(encoding, *items, max_columns=20)
    union = {name for item in items for name in encoded(learned, item)}
    assert 0 < len(union) <= 20


def test_encoding_changes_nothing() -> None:
    learned = front(Encoding.DENSE, {"x": 1.0, "c": "red"}, {"c": "red"}, scale=True)
    before = pickle.dumps(learned)
    items: list[Features] = [{}, {"new": 1.0, "c": "blue"}, {"x": "text"}, {"x": math.nan}]
    for item in items:
        encoded(learned, item)
    assert pickle.dumps(learned) == before


def test_one_wild_value_does_not_poison_the_scale() -> None:
    learned = front(
        Encoding.SPARSE, {"x": 1.0}, {"x": -1e100}, {"x": 1e100}, {"x": 2.0}, scale=True
    )
    x = encoded(learned, {"x": 5.0})["x"]
    assert isinstance(x, float)
    assert math.isfinite(x)


def test_as_is_keeps_text_flattens_lists_and_drops_what_is_missing() -> None:
    item = FeatureColumns([{"a": None, "b": math.nan, "c": "text", "d": (1.0,), "e": True}])
    assert AsIs().encode(item).rows == [{"c": "text", "d.0": 1.0, "e": 1.0}]
