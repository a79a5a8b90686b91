"""Hyperplane distance: near the boundary first."""

from __future__ import annotations

import pytest

from streamal.core.batch import Batch, Outputs
from streamal.core.features import FeatureColumns
from streamal.core.learners import build_model
from streamal.core.strategies import HyperplaneDistance
from streamal.core.types import Context, Production
from tests.support.scoring import score_one


@pytest.mark.parametrize(
    ("distance", "score"), [(0.0, 1.0), (1.0, 0.5), (9.0, 0.1), (1e300, 1e-300), (None, 1.0)]
)
def test_by_hand(distance: float | None, score: float) -> None:
    context = Context("e1", {}, Production(), boundary_distance=distance)
    assert score_one(HyperplaneDistance(), context) == pytest.approx(score)


def test_growing_confidence_alone_does_not_change_the_order_of_what_is_asked() -> None:
    """On separable data weights grow for ever, and margins close to 0 with them."""
    production, strategy = Production(), HyperplaneDistance()

    def taught(labels: int) -> list[float]:
        model = build_model("logistic_regression", parameters={})
        for number in range(labels):
            x = (number % 40 - 19.5) / 10.0
            model.learn({"x": x}, production, "up" if x > 0 else "down", event_id=str(number))
        columns = FeatureColumns([{"x": x} for x in (0.1, 0.6, 1.8)])
        distances = model.boundary_distance(columns, Outputs.of([production] * 3))
        assert distances is not None
        items = [Context("e", {}, production, boundary_distance=d) for d in distances.tolist()]
        scores: list[float] = strategy.score(Batch.of(items)).tolist()
        return scores

    early, late = taught(200), taught(4000)
    assert early == sorted(early, reverse=True)
    assert late == pytest.approx(early, abs=0.15)
