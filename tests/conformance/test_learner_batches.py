"""Rule 13 for learners: what is predicted for an item never depends on the items beside it."""

from __future__ import annotations

import math
import pickle
import random
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from streamal.core.batch import Outlooks, Outputs
from streamal.core.features import FeatureColumns
from streamal.core.learners import LEARNERS, CommitteeKind, Model, Target, build_model
from streamal.core.learners.regression import REGRESSORS, build_regression_model
from streamal.core.types import Features, FeatureValue, Production

ODD: list[Features] = [
    {},
    {"size": math.nan, "colour": None, "place": ()},
    {"size": 1e308, "weight": -(10**400)},
    {"size": "large", "colour": 3.5, "flag": (1.0, 2.0), "place": "here"},
    {"colour": "never seen", "brand new": 1.0, "also new": "text"},
    {"colour": "", "": 1.0, "colour=red": 2.0, "size?": "yes", "place.0": 3.0},
]


class Case(NamedTuple):
    """A model to build."""

    name: str
    regression: bool
    target: Target
    kind: CommitteeKind | None

    def build(self) -> Model:
        if self.regression:
            return build_regression_model(
                self.name,
                parameters={},
                tolerance=1.0,
                committee_size=2 if self.kind else 0,
                target=self.target,
            )
        return build_model(
            self.name,
            parameters={},
            committee_size=2 if self.kind else 0,
            committee_kind=self.kind or CommitteeKind.BAGGING,
            target=self.target,
        )


BAGGING = CommitteeKind.BAGGING
CASES = [
    *(Case(name, False, target, BAGGING) for name in LEARNERS for target in Target),
    *(
        Case("logistic_regression", False, Target.LABEL, kind)
        for kind in (None, CommitteeKind.SUBSPACES, CommitteeKind.HETEROGENEOUS)
    ),
    *(Case(name, True, target, BAGGING) for name in REGRESSORS for target in Target),
]


def stream(count: int, seed: int) -> Iterator[Features]:
    """Numbers, texts, lists and gaps."""
    rng = random.Random(seed)
    for _ in range(count):
        features: dict[str, FeatureValue] = {
            "size": rng.gauss(10, 3),
            "count": rng.randrange(3),
            "weight": rng.expovariate(0.01) if rng.random() < 0.8 else None,
            "colour": rng.choice(["red", "green", "blue"]),
            "flag": rng.random() < 0.5,
            "place": (rng.random(), rng.random()),
        }
        if rng.random() < 0.2:
            del features[rng.choice(list(features))]
        yield features


def said(number: int, *, regression: bool) -> Production:
    rng = random.Random(number)
    if regression:
        return Production(value=rng.gauss(20, 5) if number % 7 else None)
    p = rng.random()
    probabilities = {"a": p, "b": 1 - p} if number % 3 else {}
    return Production(label="ab"[p < 0.5], probabilities=probabilities)


def taught(case: Case) -> Model:
    model = case.build()
    for number, features in enumerate(stream(120, 1)):
        size = features.get("size", 0.0)
        assert isinstance(size, float)
        model.learn(
            features,
            Production(label="a", value=20.0, probabilities={"a": 0.7, "b": 0.3}),
            2.0 * size if case.regression else "abc"[(size > 8) + (size > 12)],
            event_id=str(number),
        )
    return model


ITEMS = [*stream(20, 2), *ODD, *stream(3, 3)]


def answers(model: Model, case: Case, start: int, stop: int) -> list[object]:
    """All that is predicted of some items, as plain values per item."""
    features = FeatureColumns(ITEMS[start:stop])
    production = Outputs.of(
        [said(number, regression=case.regression) for number in range(start, stop)]
    )
    outlooks = model.outlook(features, production)
    distances = model.boundary_distance(features, production)
    return [
        (_plain(outlooks, number), None if distances is None else repr(distances[number]))
        for number in range(stop - start)
    ]


def _plain(outlooks: Outlooks, number: int) -> tuple[Any, ...]:
    numbers = (outlooks.expected_correct, outlooks.values, outlooks.expected_loss)
    return (
        outlooks.probabilities.item(number),
        [member.item(number) for member in outlooks.committee],
        [repr(each[number]) for each in numbers],
        outlooks.committee_values[number],
    )


def split(model: Model, case: Case, cuts: Sequence[int]) -> list[object]:
    ends = [0, *cuts, len(ITEMS)]
    return [
        answer
        for start, stop in pairwise(ends)
        if start < stop
        for answer in answers(model, case, start, stop)
    ]


@lru_cache(maxsize=1)
def asked(case: Case) -> tuple[Model, Model, list[object]]:
    """A model, its copy from a snapshot, and its answers item by item."""
    model = taught(case)
    copy: Model = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    return model, copy, split(model, case, range(1, len(ITEMS)))


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
@hypothesis_settings(max_examples=6, deadline=None)
@given(cuts=st.lists(st.integers(0, len(ITEMS)), max_size=12).map(sorted))
def test_any_batch_is_answered_as_its_items_one_by_one(case: Case, cuts: list[int]) -> None:
    model, copy, one_by_one = asked(case)
    assert answers(model, case, 3, 3) == []
    assert split(model, case, cuts) == one_by_one
    assert split(copy, case, cuts) == one_by_one


def test_hundreds_of_items_are_answered_as_one_by_one() -> None:
    """Large enough that numpy works in blocks, and that candidates are searched in several."""
    for name in ("default", "knn_classifier", "gaussian_nb", "logistic_regression"):
        model = build_model(name, parameters={}, committee_size=2)
        items = [
            {f"x{column}": float(x) for column, x in enumerate(row)}
            for row in np.random.default_rng(4).normal(size=(700, 9)).round(1)
        ]
        for number, item in enumerate(items[:300]):
            label = "ab"[item["x0"] + item["x1"] > 0]
            model.learn(item, Production(), label, event_id=str(number))
        nothing = Outputs.of([Production()] * len(items))
        whole = model.outlook(FeatureColumns(items), nothing)
        for number in (0, 1, 255, 256, 257, 511, 698, 699):
            one = model.outlook(FeatureColumns(items[number : number + 1]), nothing.take(0, 1))
            assert _plain(whole, number) == _plain(one, 0)
