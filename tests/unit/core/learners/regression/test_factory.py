"""Regression learners of the user's own, and the lines that say what is wrong."""

from __future__ import annotations

import sys

import pytest
from river.linear_model import LinearRegression, LogisticRegression
from river.preprocessing import StandardScaler

from streamal.core.learners.regression import build_regressor
from streamal.errors import SettingsInvalid
from tests.support.single import value_of, values_of

HERE = __name__


def pipeline(l2: float = 0.0) -> object:
    return StandardScaler() | LinearRegression(l2=l2)


def classifier() -> object:
    return LogisticRegression()


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "own_regressors", sys.modules[HERE])


@pytest.mark.parametrize("parameters", [{}, {"l2": 0.1}, {"preprocess": True, "max_columns": 9}])
def test_a_factory_of_ones_own(parameters: dict[str, object]) -> None:
    learner = build_regressor(
        "own_regressors:pipeline", parameters=parameters, committee_size=2, seed=1
    )
    for index in range(300):
        learner.learn({"x": float(index % 5)}, float(index % 5), event_id=str(index))
    low, high = (value_of(learner, {"x": x}) for x in (0.0, 4.0))
    assert low is not None
    assert high is not None
    assert low + 2 < high
    assert len(values_of(learner, {"x": 1.0})) == 2


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("own_regressors:classifier", "returned a LogisticRegression; it must return a River regr"),
        ("own_regressors:missing", "cannot import"),
        ("own_regressors:HERE", "must be a callable that returns a River regressor"),
        ("logistic_regression", "is not a learner for regression; one of default, linear_regr"),
    ],
)
def test_what_cannot_be_used(name: str, line: str) -> None:
    with pytest.raises(SettingsInvalid, match=line):
        build_regressor(name, parameters={}, committee_size=0, seed=1)


@pytest.mark.parametrize("size", [-1, 1])
def test_a_committee_of_one_is_none(size: int) -> None:
    with pytest.raises(SettingsInvalid, match="committee_size"):
        build_regressor("default", parameters={}, committee_size=size, seed=1)
