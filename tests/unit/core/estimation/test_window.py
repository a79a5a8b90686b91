from __future__ import annotations

import math

import numpy as np
import pytest

from streamal.core.estimation import (
    Baseline,
    LabelledItems,
    Method,
    Response,
    Target,
    WindowTotals,
    estimate_window,
)

NOBODY = LabelledItems.of([], [], [])
TRUSTING = Baseline(intercept=0.0, slope=1.0)


def test_aipw_by_hand() -> None:
    items = LabelledItems.of([1, 0, 1], [0.9, 0.5, 0.8], [0.5, 1.0, 0.25])
    estimate = estimate_window(WindowTotals(10, 7.0), items, {}, TRUSTING)
    # The mean of g, corrected by the weighted residuals.
    assert estimate.raw == pytest.approx((7.0 + 0.1 / 0.5 - 0.5 + 0.2 / 0.25) / 10)
    # Poisson sampling: each residual squared times one minus the propensity over its square.
    assert estimate.standard_error**2 == pytest.approx((2 * 0.01 + 0.0 + 12 * 0.04) / 100)
    assert estimate.method is Method.AIPW
    assert estimate.naive == pytest.approx(2 / 3)
    assert estimate.lambda_ == 1.0
    assert estimate.effective_labels == pytest.approx(7**2 / 21)


def test_hajek_by_hand_when_totals_are_missing() -> None:
    items = LabelledItems.of([1, 0, 1], [0.9, 0.5, 0.8], [0.5, 1.0, 0.25])
    estimate = estimate_window(None, items, {}, TRUSTING)
    mean = 6 / 7
    assert estimate.raw == pytest.approx(mean)
    assert estimate.method is Method.HAJEK
    assert estimate.events == 7
    assert estimate.lambda_ == 0.0
    variance = (2 * (1 - mean) ** 2 + 12 * (1 - mean) ** 2) / 7**2
    assert estimate.standard_error**2 == pytest.approx(variance)


def test_a_window_without_a_past_by_hand() -> None:
    # Both have the same weight, g says 0.9, and it counts as two labels. Without oneself: one
    # label and those two. For the other 98 events: both labels and those two.
    items = LabelledItems.of([1, 0], [0.9, 0.9], [0.02, 0.02])
    estimate = estimate_window(WindowTotals(100, 90.0), items, {})
    by_the_other = ((0.0 + 1.8) / 3, (1.0 + 1.8) / 3)
    unlabelled = (1.0 + 1.8) / 4
    total = 98 * unlabelled + sum(by_the_other)
    total += 50 * (1.0 - by_the_other[0]) + 50 * (0.0 - by_the_other[1])
    assert estimate.raw == pytest.approx(total / 100)
    assert estimate.method is Method.AIPW


def test_a_window_without_a_past_and_without_a_prediction_goes_by_the_others() -> None:
    # A lone label has no others, and is compared with one half.
    alone = estimate_window(WindowTotals(10), LabelledItems.of([1.0], [0.0], [0.5]), {})
    assert alone.raw == pytest.approx((9 * 1.0 + 0.5 + 2 * (1.0 - 0.5)) / 10)
    # A sure one has no part in the fit, which is of one label at most, but in what is assumed.
    items = LabelledItems.of([0.2, 0.1], [0.0, 0.0], [0.5, 1.0])
    estimate = estimate_window(WindowTotals(10), items, {})
    assumed = (2 * 0.2 + 1 * 0.1) / 3
    unlabelled = (1 * 0.2 + 2 * assumed) / 3
    drawn, sure = 0.1, (1 * 0.2 + 2 * 0.2) / 3
    total = 8 * unlabelled + drawn + 2 * (0.2 - drawn) + sure + (0.1 - sure)
    assert estimate.raw == pytest.approx(total / 10)


def test_every_event_labelled_leaves_no_doubt() -> None:
    items = LabelledItems.of([1, 1, 0, 1] * 25, [0.5] * 100, [1.0] * 100)
    estimate = estimate_window(WindowTotals(100, 50.0), items, {}, least_propensity=0.01)
    assert (estimate.interval.low, estimate.value, estimate.interval.high) == (0.75, 0.75, 0.75)
    assert estimate.reliable


def test_the_expected_accuracy_keeps_the_luck_of_the_events() -> None:
    items = LabelledItems.of([1, 1, 0, 1] * 25, [0.5] * 100, [1.0] * 100)
    totals = WindowTotals(100, 50.0)
    estimate = estimate_window(totals, items, {}, target=Target.EXPECTED)
    assert estimate.standard_error == pytest.approx(math.sqrt(0.75 * 0.25 / 100))


def test_nothing_labelled_says_so() -> None:
    for totals in (WindowTotals(500, 450.0), WindowTotals(0), None):
        estimate = estimate_window(totals, NOBODY, {"all": Response(20, 0)})
        assert math.isnan(estimate.value)
        assert (estimate.interval.low, estimate.interval.high) == (0.0, 1.0)
        assert estimate.method is Method.NONE
        assert not estimate.reliable
        assert estimate.response_rate == 0.0


@pytest.mark.parametrize("outcome", [0.0, 1.0])
@pytest.mark.parametrize("labels", [1, 5, 40])
def test_equal_outcomes_never_collapse_the_interval(outcome: float, labels: int) -> None:
    items = LabelledItems.of([outcome] * labels, [0.9] * labels, [0.01] * labels)
    totals = WindowTotals(100 * labels, 90.0 * labels)
    for baseline in (None, TRUSTING, Baseline(outcome, 0.0)):
        estimate = estimate_window(totals, items, {}, baseline, least_propensity=0.01)
        # Three in n would be the rule for events that were not seen.
        reach = abs(outcome - (estimate.interval.high if outcome < 1 else estimate.interval.low))
        assert reach > min(0.9, 1.9 / labels)
        assert not estimate.reliable
        assert 0.0 <= estimate.interval.low <= estimate.value <= estimate.interval.high <= 1.0


def test_a_window_where_the_floor_drew_nobody_is_not_trusted() -> None:
    # 50 sure items show 40 % accuracy; the other 4,950 events were simply not drawn.
    items = LabelledItems.of([1, 1, 0, 0, 0] * 10, [0.4] * 50, [1.0] * 50)
    estimate = estimate_window(
        WindowTotals(5_000, 4_500.0), items, {}, TRUSTING, least_propensity=0.002
    )
    assert estimate.value == pytest.approx(0.9, abs=0.01)
    assert estimate.naive == 0.4
    assert estimate.interval.low < 0.8
    assert not estimate.reliable


def test_raw_is_kept_where_the_value_is_clipped() -> None:
    items = LabelledItems.of([1, 1], [0.5, 0.5], [0.01, 0.01])
    estimate = estimate_window(WindowTotals(100, 95.0), items, {}, TRUSTING)
    assert estimate.raw == pytest.approx((95 + 2 * 50) / 100)
    assert estimate.value == 1.0


def test_missing_answers_weigh_like_rarer_draws() -> None:
    rng = np.random.default_rng(5)
    correct = (rng.random(200) < 0.8).astype(float)
    totals = WindowTotals(4_000, 3_200.0)
    half = estimate_window(
        totals,
        LabelledItems.of(correct, [0.8] * 200, [0.1] * 200),
        {"": Response(400, 200)},
        TRUSTING,
    )
    full = estimate_window(
        totals, LabelledItems.of(correct, [0.8] * 200, [0.05] * 200), {}, TRUSTING
    )
    assert (half.raw, half.standard_error) == pytest.approx((full.raw, full.standard_error))
    assert half.response_rate == 0.5
    assert full.response_rate == 1.0


def test_more_labels_than_events_are_a_contradiction() -> None:
    with pytest.raises(ValueError, match="2 labelled items among 1 events"):
        estimate_window(WindowTotals(1), LabelledItems.of([1, 0], [0, 0], [1, 1]), {})


@pytest.mark.parametrize(("labels", "trusted"), [(20, False), (45, False), (60, True)])
def test_trust_needs_labels_and_enough_expected_errors(labels: int, *, trusted: bool) -> None:
    # A tenth of the labels are errors: five of them are expected from fifty labels on.
    correct = np.arange(labels) % 10 > 0
    items = LabelledItems.of(correct, [0.9] * labels, [0.01] * labels)
    totals = WindowTotals(100 * labels, 90.0 * labels)
    assert estimate_window(totals, items, {}, TRUSTING).reliable is trusted
