"""Half-space trees: what is novel, how well it is found, and what survives a restart."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest
from river.anomaly import HalfSpaceTrees as RiverTrees
from scipy.stats import rankdata

from streamal.core.strategies import HalfSpaceTrees
from streamal.core.strategies.running_scale import RunningScale
from streamal.core.types import Context, Features, Production
from tests.support.scoring import note, score_one

Row = npt.NDArray[np.float64]


def item(features: Features) -> Context:
    return Context("e", features, Production())


def rows(count: int, width: int = 3, seed: int = 1, mean: float = 0.0) -> list[dict[str, float]]:
    values = np.random.default_rng(seed).normal(mean, 1, size=(count, width)).tolist()
    return [{f"f{i}": value for i, value in enumerate(row)} for row in values]


def filled(strategy: HalfSpaceTrees, past: list[dict[str, float]]) -> HalfSpaceTrees:
    for features in past:
        note(strategy, item(features))
    return strategy


def oddity(kind: str, usual: Row, rng: np.random.Generator) -> Row:
    """An item that does not belong to the usual ones."""
    width = usual.shape[1]
    odd: Row = usual[rng.integers(len(usual))].copy()
    if kind == "one wild feature":
        odd[rng.integers(width)] += rng.choice([-8.0, 8.0])
    elif kind == "moved":
        odd += 2.5 * np.resize([1.0, -1.0], width)
    else:  # values that are possible and do not go together
        odd = rng.uniform(-3.0, 3.0, size=(width,))
    return odd


@pytest.mark.parametrize("kind", ["one wild feature", "moved", "scattered"])
def test_novelties_are_told_from_the_usual_as_well_as_by_rivers_trees(kind: str) -> None:
    rng = np.random.default_rng(8)
    mixing = rng.normal(size=(6, 6))
    usual = rng.normal(size=(2_000, 6)) @ (mixing / np.linalg.norm(mixing, axis=0))
    strategy, river, scale = HalfSpaceTrees(), RiverTrees(10, 6, 250, seed=1), RunningScale()
    ours: list[float] = []
    theirs: list[float] = []
    novel: list[bool] = []
    for number, row in enumerate(usual):
        odd = number > 500 and rng.random() < 0.05
        values = oddity(kind, usual, rng) if odd else row
        features = {f"f{i}": value for i, value in enumerate(values.tolist())}
        scaled = zip(features, scale.standardised(features), strict=False)
        point = {name: 0.5 + z / 8 for name, z in scaled}
        if number > 500:
            novel.append(odd)
            ours.append(score_one(strategy, item(features)))
            theirs.append(river.score_one(point))
        note(strategy, item(features))
        if not scale.update(features):
            river.learn_one(point)
    assert auc(ours, novel) > max(0.7, auc(theirs, novel) - 0.03)


def auc(scores: list[float], positive: list[bool]) -> float:
    """Probability that a positive one scores higher than another, equal scores counting half."""
    ranks, is_positive = rankdata(scores), np.array(positive)
    count = is_positive.sum()
    above = ranks[is_positive].sum() - count * (count + 1) / 2
    return float(above / (count * (len(ranks) - count)))


def test_what_was_never_seen_is_novel() -> None:
    strategy = filled(HalfSpaceTrees(), rows(600))
    usual = np.mean([score_one(strategy, item(features)) for features in rows(100, seed=2)])
    odd = [score_one(strategy, item(features)) for features in rows(100, seed=3, mean=5.0)]
    assert min(odd) > usual + 0.1


def test_what_was_novel_becomes_usual() -> None:
    strategy = filled(HalfSpaceTrees(), rows(600))
    moved = rows(300, seed=3, mean=3.0)
    before = np.mean([score_one(strategy, item(features)) for features in moved])
    filled(strategy, rows(600, seed=4, mean=3.0))
    assert np.mean([score_one(strategy, item(features)) for features in moved]) < before - 0.1


def test_a_constant_stream_scores_zero_and_the_first_stranger_one() -> None:
    strategy = filled(HalfSpaceTrees(window=50), [{"x": 2.0}] * 100)
    assert score_one(strategy, item({"x": 2.0})) == 0.0
    assert score_one(strategy, item({"x": 3.0})) > 0.8


def test_during_the_first_window_everything_is_novel() -> None:
    strategy = HalfSpaceTrees(window=100)
    past = rows(100)
    assert score_one(filled(strategy, past[:99]), item(past[0])) == 1.0
    assert score_one(filled(strategy, past[99:]), item(past[0])) < 1.0


def test_a_new_feature_grows_the_trees_anew() -> None:
    strategy = filled(HalfSpaceTrees(window=50), rows(100))
    wider = rows(60, width=4, seed=2)
    assert score_one(strategy, item(wider[0])) < 1.0
    note(strategy, item(wider[0]))
    assert score_one(strategy, item(wider[1])) == 1.0
    assert score_one(filled(strategy, wider), item(wider[1])) < 1.0


def test_an_item_without_any_known_feature_is_novel() -> None:
    strategy = filled(HalfSpaceTrees(window=50), rows(100))
    assert score_one(strategy, item({"other": 1.0})) == 1.0
    assert score_one(strategy, item({"f0": 0.0})) < 1.0


def test_text_alone_is_never_learned() -> None:
    strategy = HalfSpaceTrees(window=10)
    for _ in range(50):
        note(strategy, item({"colour": "red"}))
    assert score_one(strategy, item({"colour": "red"})) == 1.0
    assert strategy.state()["spaces"] == {}


@pytest.mark.parametrize("count", [1, 99, 100, 101, 250, 777])
def test_restored_trees_go_on_as_if_nothing_had_happened(count: int) -> None:
    strategy = filled(HalfSpaceTrees(window=100), rows(count))
    again = filled(HalfSpaceTrees(window=100), rows(30, width=2, seed=9))
    again.restore(json.loads(json.dumps(strategy.state())))
    for features in [*rows(150, seed=2), *rows(150, width=4, seed=3)]:
        assert score_one(again, item(features)) == score_one(strategy, item(features))
        for one in (strategy, again):
            note(one, item(features))
    assert again.state() == strategy.state()


def test_the_state_stays_small() -> None:
    default, largest = HalfSpaceTrees(), HalfSpaceTrees(20, 7, 1000)
    assert len(json.dumps(filled(default, rows(600, width=10)).state())) < 7_000
    assert len(json.dumps(filled(largest, rows(2_000, width=10)).state())) < 20_000
