"""Object uncertainty: the doubts about each object, and what they make together."""

from __future__ import annotations

from math import log

import pytest

from streamal.core.strategies.structured_outputs import Aggregation, Measure, ObjectUncertainty
from streamal.core.types import Context, Probabilities, Production
from tests.support.scoring import score_one

CLEAR: Probabilities = {"car": 0.9, "": 0.1}
EVEN: Probabilities = {"car": 0.5, "van": 0.5}
THREE: Probabilities = {"car": 0.6, "van": 0.3, "bus": 0.1}


def score(
    objects: tuple[Probabilities, ...] | None,
    measure: Measure = Measure.MARGIN,
    aggregation: Aggregation = Aggregation.MAX,
) -> float:
    context = Context("e1", {}, Production("ok", objects=objects))
    return score_one(ObjectUncertainty(measure, aggregation), context)


@pytest.mark.parametrize(
    ("measure", "doubt"),
    [
        (Measure.MARGIN, 0.7),
        (Measure.LEAST_CONFIDENCE, 0.6),
        (Measure.ENTROPY, -(0.6 * log(0.6) + 0.3 * log(0.3) + 0.1 * log(0.1)) / log(3)),
    ],
)
@pytest.mark.parametrize("aggregation", [Aggregation.MAX, Aggregation.MEAN])
def test_one_object_is_measured_like_an_event(
    measure: Measure, doubt: float, aggregation: Aggregation
) -> None:
    assert score((THREE,), measure, aggregation) == pytest.approx(doubt)


def test_aggregations_by_hand() -> None:
    objects = (CLEAR, EVEN, CLEAR)
    assert score(objects) == 1.0
    assert score(objects, aggregation=Aggregation.MEAN) == pytest.approx(1.4 / 3)
    assert score(objects, aggregation=Aggregation.SUM) == pytest.approx(1.4 / 2.4)


def test_only_the_sum_prefers_many_doubtful_objects() -> None:
    few, many = (THREE,), (THREE,) * 5
    for aggregation in (Aggregation.MAX, Aggregation.MEAN):
        assert score(many, aggregation=aggregation) == pytest.approx(
            score(few, aggregation=aggregation)
        )
    assert score(many, aggregation=Aggregation.SUM) > score(few, aggregation=Aggregation.SUM)


@pytest.mark.parametrize("aggregation", Aggregation)
def test_nothing_found_and_nothing_published_differ(aggregation: Aggregation) -> None:
    assert score((), aggregation=aggregation) == 0.0
    assert score(None, aggregation=aggregation) == 1.0


@pytest.mark.parametrize("measure", Measure)
def test_certain_objects_leave_no_doubt(measure: Measure) -> None:
    assert score(({"car": 1.0, "": 0.0},) * 3, measure) == 0.0
    assert score((EVEN,), measure) == 1.0
