"""The guard's test: it finds collapses soon, and its false alarms are as rare as it says."""

from __future__ import annotations

import random

import pytest

from streamal.core.annotation import CollapseDetector

DETECTOR = CollapseDetector(threshold=0.7, false_alarm=0.01)


def comparisons_until_alarm(
    agreement: float, seed: int, limit: int, history: int = 0, detector: CollapseDetector = DETECTOR
) -> int:
    draws = random.Random(seed)
    wealth = detector.start()
    for _ in range(history):
        wealth = detector.update(wealth, 1.0)
    for number in range(1, limit + 1):
        wealth = detector.update(wealth, float(draws.random() < agreement))
        if detector.alarms(wealth):
            return number
    return limit


def mean_until_alarm(agreement: float, limit: int, runs: int = 200, history: int = 0) -> float:
    lengths = [comparisons_until_alarm(agreement, seed, limit, history) for seed in range(runs)]
    return sum(lengths) / runs


def test_false_alarms_at_the_threshold_are_as_rare_as_promised() -> None:
    # Cut off at ten times the promise, which can only make the mean smaller.
    assert mean_until_alarm(0.7, limit=1000) >= 1 / DETECTOR.false_alarm


def test_who_agrees_more_often_is_hardly_ever_suspected() -> None:
    suspected = sum(comparisons_until_alarm(0.9, seed, 500) < 500 for seed in range(200))
    assert suspected <= 2


@pytest.mark.parametrize(("agreement", "most"), [(0.0, 8), (0.2, 15), (0.5, 70)])
def test_a_collapse_is_found_soon(agreement: float, most: int) -> None:
    assert mean_until_alarm(agreement, limit=2000) <= most


def test_a_long_good_record_does_not_pay_for_a_collapse() -> None:
    assert mean_until_alarm(0.0, limit=2000, history=5000) <= 8


def test_fractions_of_agreement_count_as_such() -> None:
    wealth = DETECTOR.start()
    for _ in range(300):
        wealth = DETECTOR.update(wealth, 0.7)
    assert not DETECTOR.alarms(wealth)
    assert all(each >= 0 for each in wealth)


def test_wealth_never_turns_negative() -> None:
    wealth = DETECTOR.start()
    for agreement in (1.0, 0.0, 1.0, 1.0, 1.0, 0.0):
        wealth = DETECTOR.update(wealth, agreement)
        assert all(each > 0 for each in wealth)
