from __future__ import annotations

import json

import numpy as np
import pytest

from streamal.core.estimation import BaselineFit, LabelledItems


def window(rng: np.random.Generator, size: int, slope: float, mean: float = 0.8) -> LabelledItems:
    """Outcomes whose chance depends on g with the given slope."""
    g = rng.uniform(0.6, 1.0, size)
    chance = mean + slope * (g - 0.8)
    return LabelledItems.of((rng.random(size) < chance).astype(float), g, np.full(size, 0.05))


def learned(fit: BaselineFit, items: LabelledItems) -> None:
    fit.learn(items, items.propensity)


def test_without_a_past_there_is_no_baseline() -> None:
    assert BaselineFit().fit() is None


def test_a_thin_past_moves_the_baseline_little() -> None:
    levels = []
    for labels in (1, 4, 400):
        fit = BaselineFit()
        learned(fit, LabelledItems.of([0.0] * labels, [0.9] * labels, [0.05] * labels))
        baseline = fit.fit()
        assert baseline is not None
        levels.append(baseline.of(np.array([0.9]))[0])
    assert levels == pytest.approx([0.6, 0.3, 0.0], abs=0.01)


def test_without_predictions_a_thin_past_begins_at_even_odds() -> None:
    fit = BaselineFit()
    learned(fit, LabelledItems.of([1.0, 1.0], [0.0, 0.0], [0.05, 0.05]))
    baseline = fit.fit()
    assert baseline is not None
    assert baseline.of(np.array([0.0]))[0] == pytest.approx(0.75)


@pytest.mark.parametrize("truth", [0.0, 0.5, 1.0])
def test_the_slope_is_what_g_has_been_worth(truth: float) -> None:
    fit = BaselineFit(half_life=1e6)
    learned(fit, window(np.random.default_rng(2), 20_000, truth))
    baseline = fit.fit()
    assert baseline is not None
    assert baseline.slope == pytest.approx(truth, abs=0.06)
    assert baseline.of(np.array([0.8]))[0] == pytest.approx(0.8, abs=0.01)


def test_a_misleading_g_is_not_used() -> None:
    fit = BaselineFit()
    learned(fit, window(np.random.default_rng(3), 5_000, -0.8))
    baseline = fit.fit()
    assert baseline is not None
    assert baseline.slope == 0.0
    assert baseline.intercept == pytest.approx(0.8, abs=0.02)


def test_few_labels_leave_g_trusted() -> None:
    fit = BaselineFit()
    learned(fit, LabelledItems.of([1, 0] * 6, [0.81, 0.8] * 6, [0.05] * 12))
    baseline = fit.fit()
    assert baseline is not None
    assert baseline.slope == pytest.approx(1.0, abs=0.2)


def test_the_fit_follows_a_change() -> None:
    rng = np.random.default_rng(4)
    fit = BaselineFit(half_life=200)
    for mean in (0.8, 0.3):
        for _ in range(20):
            learned(fit, window(rng, 100, 0.0, mean))
    baseline = fit.fit()
    assert baseline is not None
    assert baseline.of(np.array([0.8]))[0] == pytest.approx(0.3, abs=0.06)


def test_sure_selections_teach_nothing() -> None:
    fit = BaselineFit()
    items = LabelledItems.of([0.0] * 50, [0.9] * 50, [1.0] * 50)
    learned(fit, items)
    assert fit.fit() is None


def test_state_survives_json() -> None:
    fit, other = BaselineFit(), BaselineFit()
    learned(fit, window(np.random.default_rng(5), 300, 0.7))
    other.restore(json.loads(json.dumps(fit.state())))
    assert other.fit() == fit.fit()


def test_a_half_life_must_be_positive() -> None:
    with pytest.raises(ValueError, match="half_life"):
        BaselineFit(0)
