"""Harm is found, and nothing else is."""

from __future__ import annotations

import pytest

from streamal.core.drift import Evidence, HarmfulRisk
from streamal.core.drift.harmful_risk import _boundary
from tests.support.evidence import uniform, windows


def known(risk: float, events: float = 1000.0) -> Evidence:
    """A window in which every event is labelled."""
    return Evidence(events, events * risk, events * risk * (1 - risk), events)


def watching(tolerance: float = 0.02) -> HarmfulRisk:
    detector = HarmfulRisk(tolerance=tolerance, reference_margin=0.03)
    while not detector.is_watching:
        assert detector.close(known(0.1)) is None
    return detector


def test_harm_is_found_within_a_few_windows_and_quoted() -> None:
    detector = watching()
    for _ in range(50):
        assert detector.close(known(0.1)) is None
    found = next(change for _ in range(10) if (change := detector.close(known(0.3))))
    assert found.is_harmful
    assert found.before == pytest.approx(0.1)
    assert found.after == pytest.approx(0.3, abs=0.1)
    assert found.threshold is not None
    assert found.statistic > found.threshold > 0.12


def test_what_is_tolerated_is_no_alarm_however_long_it_lasts() -> None:
    detector = watching(tolerance=0.1)
    assert not [c for _ in range(500) if (c := detector.close(known(0.18)))]


def test_improvement_is_no_alarm() -> None:
    detector = watching()
    assert not [c for _ in range(100) if (c := detector.close(known(0.01)))]


def test_a_late_change_is_found_as_fast_as_an_early_one() -> None:
    def delay(calm: int) -> int:
        detector = watching()
        for _ in range(calm):
            detector.close(known(0.1, events=200))
        return next(n for n in range(100) if detector.close(known(0.25, events=200)))

    assert delay(2000) <= delay(20) + 4


def test_after_an_alarm_what_comes_is_the_new_reference() -> None:
    detector = watching()
    while detector.close(known(0.3)) is None:
        pass
    assert not detector.is_watching
    assert not [c for _ in range(100) if (c := detector.close(known(0.3)))]


def test_few_runs_are_followed_at_any_time() -> None:
    detector = watching()
    for _ in range(5_000):
        detector.close(known(0.1, events=100))
    runs = detector.state()["runs"]
    assert isinstance(runs, list)
    assert 16 < len(runs) < 150


@pytest.mark.parametrize("seed", range(8))
def test_chance_is_no_alarm(seed: int) -> None:
    detector = HarmfulRisk(tolerance=0.0)
    evidence = windows(300, lambda _: 0.1, lambda _: uniform(0.1), events=500, seed=seed)
    assert not [change for window in evidence if (change := detector.close(window))]


def test_the_boundary_rises_slower_than_the_sum_it_bounds() -> None:
    bounds = [_boundary(10.0**k, 100.0, 0.01) for k in range(2, 8)]
    assert bounds == sorted(bounds)
    assert bounds[-1] / 10**7 < bounds[0] / 10**2
    assert _boundary(100.0, 100.0, 0.001) > _boundary(100.0, 100.0, 0.01)
