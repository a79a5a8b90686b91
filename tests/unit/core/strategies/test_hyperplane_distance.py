"""Hyperplane distance: near the boundary first."""

from __future__ import annotations

import pytest

from streamal.core.learners import build_model
from streamal.core.strategies import HyperplaneDistance
from streamal.core.types import Context, Production


@pytest.mark.parametrize(
    ("distance", "score"), [(0.0, 1.0), (1.0, 0.5), (9.0, 0.1), (1e300, 1e-300), (None, 1.0)]
)
def test_by_hand(distance: float | None, score: float) -> None:
    context = Context("e1", {}, Production(), boundary_distance=distance)
    assert HyperplaneDistance().score(context) == pytest.approx(score)


def test_growing_confidence_alone_does_not_change_the_order_of_what_is_asked() -> None:
    """On separable data weights grow for ever, and margins close to 0 with them."""
    production, strategy = Production(), HyperplaneDistance()

    def taught(labels: int) -> list[float]:
        model = build_model("logistic_regression", parameters={})
        for number in range(labels):
            x = (number % 40 - 19.5) / 10.0
            model.learn({"x": x}, production, "up" if x > 0 else "down", event_id=str(number))
        distances = [model.boundary_distance({"x": x}, production) for x in (0.1, 0.6, 1.8)]
        return [
            strategy.score(Context("e", {}, production, boundary_distance=d)) for d in distances
        ]

    early, late = taught(200), taught(4000)
    assert early == sorted(early, reverse=True)
    assert late == pytest.approx(early, abs=0.15)
