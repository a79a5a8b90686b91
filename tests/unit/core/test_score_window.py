"""The window of scores against a plain list."""

from __future__ import annotations

import pytest
from numpy.random import default_rng

from streamal.core.score_window import ScoreWindow


def filled(scores: list[float], size: int = 1000) -> ScoreWindow:
    window = ScoreWindow(size)
    for score in scores:
        window.add(score)
    return window


def test_an_empty_window_ranks_the_item_against_itself() -> None:
    assert ScoreWindow(10).rank(0.5) == (0.0, 1.0)
    assert ScoreWindow(10).quantile(0.5) is None


def test_ranks_count_the_item_itself_and_its_equals() -> None:
    window = filled([0.25, 0.5, 0.5, 0.75])
    assert window.rank(0.5) == (0.2, 0.8)
    assert window.rank(0.0) == (0.0, 0.2)
    assert window.rank(1.0) == (0.8, 1.0)


def test_noting_is_ranking_and_then_adding() -> None:
    noting, adding = ScoreWindow(60), ScoreWindow(60)
    for score in default_rng(2).integers(0, 20, 300).tolist():
        expected = (*adding.rank(score / 20), adding.quantile(0.9))
        adding.add(score / 20)
        assert noting.note(score / 20, 0.9) == expected
        assert noting.state() == adding.state()


def test_quantiles_are_scores_of_the_window() -> None:
    window = filled([0.0, 0.25, 0.5, 0.75])
    assert [window.quantile(share) for share in (0.0, 0.5, 0.74, 0.75, 1.0)] == [
        0.0,
        0.5,
        0.5,
        0.75,
        0.75,
    ]


@pytest.mark.parametrize("decimals", [1, 9])
def test_only_the_latest_scores_count(decimals: int) -> None:
    scores = default_rng(3).random(500).round(decimals).tolist()
    window = filled(scores, size=50)
    assert len(window) == 50
    latest = scores[-50:]
    for probe in (*latest, 0.05, 0.5, 0.95):
        lo, hi = window.rank(probe)
        assert lo == sum(score < probe for score in latest) / 51
        assert hi == (sum(score <= probe for score in latest) + 1) / 51


def test_equal_scores_leave_in_their_order_of_arrival() -> None:
    scores = [0.5] * 60 + [0.25, 0.5, 0.5] * 20
    for count in range(60, len(scores)):
        window, latest = filled(scores[:count], size=7), scores[count - 7 : count]
        assert window.rank(0.3)[0] == latest.count(0.25) / 8
        assert window.encode() == filled(latest).encode()


def test_what_was_encoded_is_held_again() -> None:
    scores = default_rng(4).random(70).tolist()
    window = filled(scores[:30], size=20)
    again = ScoreWindow(20)
    again.decode(window.encode(), window.added)
    for score in scores[30:]:
        assert again.rank(score) == window.rank(score)
        window.add(score)
        again.add(score)
    assert again.encode() == window.encode()


def test_a_smaller_window_keeps_the_newest() -> None:
    smaller = ScoreWindow(2)
    smaller.decode(filled([0.125, 0.25, 0.5]).encode(), 3)
    assert smaller.encode() == filled([0.25, 0.5]).encode()


def test_the_encoding_is_the_same_on_every_machine() -> None:
    assert filled([0.5, 0.0, 1.0]).encode() == "AAAAPwAAAAAAAIA/"
    window = filled([0.5])
    window.decode("", 0)
    assert len(window) == 0


def test_the_spread_is_that_of_the_window() -> None:
    assert ScoreWindow(10).spread == 0.0
    assert filled([0.5, 0.5]).spread == 0.0
    assert filled([0.0, 1.0] + [0.25, 0.5] * 50, size=50).spread == 0.25
