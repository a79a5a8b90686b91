"""Least confidence, margin, ratio and entropy: values worked out by hand."""

from __future__ import annotations

from math import log2

import numpy as np
import pytest

from streamal.core.strategies import Entropy, LeastConfidence, Margin, ProbabilityStrategy, Ratio
from streamal.core.strategies.base import within_unit
from streamal.core.types import Context, Probabilities, Production, Source
from tests.support.scoring import score_one

MEASURES = (LeastConfidence, Margin, Ratio, Entropy)


def score(measure: type[ProbabilityStrategy], probabilities: Probabilities) -> float:
    return score_one(measure(), Context("e1", {}, Production(), probabilities))


@pytest.mark.parametrize(
    ("measure", "probabilities", "expected"),
    [
        (LeastConfidence, {"a": 0.8, "b": 0.2}, 0.4),
        (LeastConfidence, {"a": 0.5, "b": 0.25, "c": 0.25}, 0.75),
        (Margin, {"a": 0.8, "b": 0.2}, 0.4),
        (Margin, {"a": 0.45, "b": 0.15, "c": 0.4}, 0.95),
        (Ratio, {"a": 0.8, "b": 0.2}, 0.25),
        (Ratio, {"a": 0.1, "b": 0.6, "c": 0.3}, 0.5),
        (Entropy, {"a": 0.75, "b": 0.25}, 2 - 0.75 * log2(3)),
        (Entropy, {"a": 0.5, "b": 0.25, "c": 0.25, "d": 0.0}, 0.75),
    ],
)
def test_values(
    measure: type[ProbabilityStrategy], probabilities: Probabilities, expected: float
) -> None:
    assert score(measure, probabilities) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("classes", [2, 3, 7, 1000])
def test_even_is_one_and_certain_is_zero(measure: type[ProbabilityStrategy], classes: int) -> None:
    even = {str(i): 1 / classes for i in range(classes)}
    certain = {str(i): float(i == 1) for i in range(classes)}
    assert score(measure, even) == pytest.approx(1.0, abs=1e-9)
    assert score(measure, certain) == 0.0


def test_margin_looks_at_two_classes_only() -> None:
    assert score(Margin, {"a": 0.5, "b": 0.5, "c": 0.0}) == 1.0
    assert score(LeastConfidence, {"a": 0.5, "b": 0.5, "c": 0.0}) == pytest.approx(0.75)


def test_a_class_that_is_ruled_out_counts_like_one_that_is_nearly_so() -> None:
    for measure in MEASURES:
        none = score(measure, {"a": 0.6, "b": 0.4, "c": 0.0})
        hardly = score(measure, {"a": 0.6, "b": 0.4 - 1e-12, "c": 1e-12})
        assert none == pytest.approx(hardly, abs=1e-9)


def test_ratio_does_not_look_at_what_the_others_take() -> None:
    crowded = {"a": 0.10, "b": 0.05, **{str(i): 0.01 for i in range(85)}}
    assert score(Ratio, crowded) == pytest.approx(score(Ratio, {"a": 0.6, "b": 0.3, "c": 0.1}))
    assert score(Margin, crowded) > score(Margin, {"a": 0.6, "b": 0.3, "c": 0.1})


def test_classes_of_no_probability_at_all_are_unknown() -> None:
    assert score(Ratio, {"a": 0.0, "b": 0.0}) == 1.0


@pytest.mark.parametrize("measure", MEASURES)
def test_the_source_decides_whose_probabilities_count(measure: type[ProbabilityStrategy]) -> None:
    context = Context(
        "e1",
        {},
        Production("a", {"a": 1.0, "b": 0.0}),
        model={"a": 0.5, "b": 0.5},
        committee=({"a": 0.9, "b": 0.1}, {"a": 0.7, "b": 0.3}),
    )
    assert score_one(measure(Source.PRODUCTION), context) == 0.0
    assert score_one(measure(), context) == 1.0
    expected = score(measure, {"a": 0.8, "b": 0.2})
    assert score_one(measure(Source.COMMITTEE), context) == pytest.approx(expected)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -0.5, 1.0 + 1e-9])
def test_what_should_not_occur_stays_within_the_unit(
    measure: type[ProbabilityStrategy], odd: float
) -> None:
    assert 0.0 <= score(measure, {"a": odd, "b": 0.5}) <= 1.0
    assert 0.0 <= score(measure, {"b": 0.5, "a": odd}) <= 1.0


def test_an_unknown_score_is_the_maximum() -> None:
    odd = np.array([np.nan, 2.0, -2.0, np.inf, -np.inf, -0.0])
    assert within_unit(odd).tolist() == [1.0, 1.0, 0.0, 1.0, 0.0, 0.0]
    assert not np.signbit(within_unit(odd)).any()
