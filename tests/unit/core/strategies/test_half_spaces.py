"""Half-spaces against trees that are walked node by node, and what counts as being somewhere."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from streamal.core.strategies.half_spaces import HalfSpaces, dealt, work_range
from streamal.core.strategies.running_scale import RunningScale
from streamal.core.types import Features, FeatureValue

Points = list[dict[str, float]]


def rows(count: int, width: int = 3, seed: int = 1, mean: float = 0.0) -> Points:
    values = np.random.default_rng(seed).normal(mean, 1, size=(count, width)).tolist()
    return [{f"f{i}": value for i, value in enumerate(row)} for row in values]


def scale_of(past: Points) -> RunningScale:
    scale = RunningScale()
    for features in past:
        scale.update(features)
    return scale


def filled(spaces: HalfSpaces, past: Points) -> HalfSpaces:
    for features in past:
        spaces.add(features)
    return spaces


def walked(point: dict[str, float], past: Points, depths: list[str], tree: int) -> float:
    """The paper's walk from the root, each node halving its own space."""
    inside, total = past, float(len(past))
    spaces = {name: work_range(name, tree) for name in point}
    for depth, name in enumerate(depths, start=1):
        if len(inside) < HalfSpaces.FEWEST * len(past):
            break
        low, high = spaces[name]
        middle = (low + high) / 2
        above = point[name] >= middle
        spaces[name] = (middle, high) if above else (low, middle)
        inside = [other for other in inside if (other[name] >= middle) == above]
        total += 2**depth * len(inside)
    return total / len(past)


@pytest.mark.parametrize(("width", "n_trees", "height"), [(3, 5, 5), (1, 2, 7), (10, 20, 6)])
def test_the_mass_is_that_of_trees_that_are_walked(width: int, n_trees: int, height: int) -> None:
    past = rows(200, width)
    scale = scale_of(past)
    spaces = filled(HalfSpaces(scale, n_trees, height, 200), past)
    frames = {name: scale.frame(name) for name in scale.names}

    def standardised(point: dict[str, float]) -> dict[str, float]:
        return {name: (x - frames[name][0]) / frames[name][1] for name, x in point.items()}

    stood = [standardised(point) for point in past]
    trees = dealt(scale.names, n_trees, height)
    for point in [*rows(30, width, seed=2), *rows(30, width, seed=3, mean=3.0)]:
        walks = [
            walked(standardised(point), stood, depths, tree) for tree, depths in enumerate(trees)
        ]
        assert spaces.mass(point) == pytest.approx(np.mean(walks))


def test_features_are_dealt_evenly_and_whatever_their_order() -> None:
    names = [f"f{i}" for i in range(7)]
    trees = dealt(names, 10, 6)
    assert [len(tree) for tree in trees] == [6] * 10
    shares = Counter(name for tree in trees for name in tree)
    assert set(shares.values()) == {8, 9}
    assert dealt(names[::-1], 10, 6) == trees
    assert dealt([], 10, 6) == []


def test_work_ranges_differ_and_hold_the_data() -> None:
    ranges = [work_range("x", tree) for tree in range(50)]
    assert len(set(ranges)) == 50
    nearly = HalfSpaces.REACH - 1e-9
    assert all(low < -nearly < nearly < high for low, high in ranges)
    assert np.mean([low + high for low, high in ranges]) == pytest.approx(0.0, abs=1.5)


@pytest.mark.parametrize("odd", [None, "red", (1.0, 2.0), float("nan")])
def test_what_is_no_number_is_where_the_mean_is(odd: FeatureValue) -> None:
    past = rows(100)
    scale = scale_of(past)
    spaces = filled(HalfSpaces(scale, 10, 6, 100), past)
    point: Features = {"f0": 0.3, "f1": scale.frame("f1")[0], "f2": -2.0}
    assert spaces.mass({**point, "f1": odd}) == spaces.mass(point)
    assert spaces.mass({"f0": 0.3, "f2": -2.0}) == spaces.mass(point)
    assert spaces.mass({"other": 1.0}) is None


def test_beyond_every_cut_is_the_same_place() -> None:
    past = rows(100)
    spaces = filled(HalfSpaces(scale_of(past), 10, 6, 100), past)
    far = {"f0": 50.0, "f1": -50.0, "f2": 50.0}
    mass, usual = spaces.mass(far), spaces.mass({"f0": 0.0, "f1": 0.0, "f2": 0.0})
    assert mass is not None
    assert usual is not None
    assert 1.0 <= mass < usual / 3
    assert spaces.mass({"f0": float("inf"), "f1": -1e300, "f2": 10**400}) == mass


def test_an_item_without_any_known_feature_is_not_counted() -> None:
    past = rows(100)
    spaces = filled(HalfSpaces(scale_of(past), 10, 6, 100), past[:99])
    spaces.add({"other": 1.0})
    assert spaces.mass(past[0]) is None
    spaces.add(past[99])
    assert spaces.mass(past[0]) is not None


def test_an_item_is_looked_for_anew_when_the_cuts_have_moved() -> None:
    past = rows(300)
    scale = scale_of(past[:20])
    spaces, point = filled(HalfSpaces(scale, 10, 6, 100), past[:100]), past[0]
    before = spaces.mass(point)
    for features in rows(3000, seed=4, mean=2.0):
        scale.update(features)
    assert spaces.mass(point) == before
    filled(spaces, past[100:200])
    assert spaces.mass(point) == spaces.mass(dict(point)) != before


@pytest.mark.parametrize("count", [0, 1, 99, 100, 130])
def test_a_state_is_small_json_and_brings_everything_back(count: int) -> None:
    past = rows(200)
    scale = scale_of(past[:20])
    spaces = filled(HalfSpaces(scale, 10, 6, 100), past[:count])
    state = json.dumps(spaces.state(), allow_nan=False)
    assert len(state) < 4_000
    scale.update({"f0": 100.0})  # the cuts are where they were, not where they would be now
    again = HalfSpaces(scale, 10, 6, 100)
    again.restore(json.loads(state))
    for features in past:
        assert again.mass(features) == spaces.mass(features)
        again.add(features)
        spaces.add(features)
    assert again.state() == spaces.state()
