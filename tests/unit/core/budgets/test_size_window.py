"""Factors of propensities in proportion to a size, against the equation that they solve."""

from __future__ import annotations

import pytest
from numpy.random import default_rng

from streamal.core.budgets.size_window import SizeWindow


def filled(scores: list[float], *, size: int = 1000, power: float = 0.5) -> SizeWindow:
    window = SizeWindow(size, power)
    for score in scores:
        window.add(score)
    return window


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 4.0])
@pytest.mark.parametrize("decimals", [0, 1, 9])
def test_the_mean_of_the_propensities_is_the_share(
    share: float, power: float, decimals: int
) -> None:
    # A window of 20 sums up after every item, so that no score is missing in the sums.
    scores = default_rng(1).beta(1, 3, 400).round(decimals).tolist()
    window = filled(scores, size=20, power=power)
    held = scores[-20:]
    for score in (0.5, held[3], max(held)):
        factor = window.factor(share, score)
        spent = [min(1.0, factor * window.size_of(each)) for each in held]
        if max(spent) < 1.0:
            spent.append(factor * window.size_of(score))
        assert sum(spent) / len(spent) == pytest.approx(share, rel=0.005)


def test_the_largest_are_certain_and_the_rest_shares_what_is_left() -> None:
    window = filled([1.0, 0.0, 0.0, 0.0] * 100, size=400)
    factor = window.factor(0.5, 0.0)
    assert factor * window.size_of(1.0) > 1
    assert factor * window.size_of(0.0) == pytest.approx(1 / 3, rel=0.01)
    factor = window.factor(0.1, 0.0)
    assert factor * window.size_of(1.0) == pytest.approx(0.4, rel=0.01)
    assert factor * window.size_of(0.0) < 0.001


def test_without_a_window_the_item_has_the_share() -> None:
    window = SizeWindow(100, 0.5)
    assert window.factor(0.05, 0.3) * window.size_of(0.3) == pytest.approx(0.05)


def test_nothing_to_share_out_is_a_factor_of_nothing() -> None:
    assert filled([0.2, 0.4, 0.9]).factor(0.0, 0.5) == 0.0


def test_scores_and_sizes_are_the_inverse_of_each_other() -> None:
    window = SizeWindow(100, 0.5)
    assert window.size_of(0.25) == 0.5
    assert window.score_of(0.5) == 0.25
    assert window.score_of(7.0) == 1.0
    assert SizeWindow(100, 0.0).score_of(0.5) == 0.0


def test_sums_lag_by_a_twentieth_of_the_window() -> None:
    window = filled([0.25] * 1000, size=100)
    while window.fresh:
        window.add(0.25)
    before = window.factor(0.1, 0.25)
    for _ in range(4):
        window.add(1.0)
        assert window.factor(0.1, 0.25) == before
    window.add(1.0)
    assert window.factor(0.1, 0.25) < before


def test_a_young_window_is_the_later_half() -> None:
    young = filled([1.0] * 100 + [0.25] * 100)
    assert young.factor(0.1, 0.25) == pytest.approx(0.2, rel=0.02)


@pytest.mark.parametrize("items", [1, 30, 333, 1027])
def test_what_was_encoded_is_held_again(items: int) -> None:
    scores = default_rng(4).random(items + 200).tolist()
    window, again = filled(scores[:items], size=500), SizeWindow(500, 0.5)
    again.decode(window.encode(), window.added, window.fresh)
    for score in scores[items:]:
        assert again.factor(0.3, score) == window.factor(0.3, score)
        window.add(score)
        again.add(score)
    assert again.encode() == window.encode()


def test_a_smaller_window_keeps_the_newest() -> None:
    smaller = SizeWindow(20, 0.5)
    smaller.decode(filled([1.0] * 100 + [0.25] * 30, size=200).encode(), 130, 0)
    assert smaller.factor(0.1, 0.25) == pytest.approx(0.2)


def test_the_encoding_is_the_same_on_every_machine() -> None:
    assert filled([0.5, 0.0, 1.0]).encode() == "AAAAPwAAAAAAAIA/"
