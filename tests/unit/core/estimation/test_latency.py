from __future__ import annotations

import numpy as np
import pytest

from streamal.core.estimation import kaplan_meier


def test_without_waiting_reviews_it_is_the_plain_distribution() -> None:
    found = kaplan_meier([4.0, 1.0, 3.0, 2.0], [True] * 4)
    assert found.seconds.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert found.answered == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert [found.quantile(share) for share in (0.25, 0.5, 0.9, 1.0)] == [1.0, 2.0, 4.0, 4.0]


def test_the_textbook_by_hand() -> None:
    # At 2 one of four answers, at 3 one of two (another left at 2.5), at 5 nobody is left.
    found = kaplan_meier([2.0, 2.5, 3.0, 5.0], [True, False, True, False])
    assert found.answered == pytest.approx([0.25, 0.25 + 0.75 / 2])
    assert found.quantile(0.6) == 3.0
    assert found.quantile(0.7) is None


def test_slow_answers_that_have_not_come_yet_are_not_forgotten() -> None:
    rng = np.random.default_rng(1)
    latency = rng.exponential(3_600, 4_000)
    age = rng.uniform(0, 7_200, 4_000)
    seen = np.minimum(latency, age)
    found = kaplan_meier(seen, latency <= age)
    truth = 3_600 * np.log(2)
    assert found.quantile(0.5) == pytest.approx(truth, rel=0.06)
    assert np.median(latency[latency <= age]) < 0.6 * truth


def test_nobody_asked_and_nobody_answered() -> None:
    assert kaplan_meier([], []).quantile(0.5) is None
    assert kaplan_meier([5.0, 6.0], [False, False]).quantile(0.1) is None


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="times"):
        kaplan_meier([1.0, 2.0], [True])
