"""Harm to a regression is a rise of its mean absolute error, whatever its unit."""

from __future__ import annotations

import pytest

from streamal.core.drift import Evidence, HarmfulError
from tests.support.evidence import loss_windows, top_share, uniform


def known(mean: float, events: float = 1000.0) -> Evidence:
    """A window in which every event is labelled; its errors are exponentially distributed."""
    return Evidence(events, events * mean, events * mean**2, events, error_size=3 * mean)


def watching(mean: float, **parameters: float) -> HarmfulError:
    detector = HarmfulError(**parameters)
    while not detector.is_watching:
        assert detector.close(known(mean)) is None
    return detector


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e12])
def test_harm_is_found_and_quoted_in_any_unit(unit: float) -> None:
    detector = watching(5 * unit)
    for _ in range(50):
        assert detector.close(known(5 * unit)) is None
    found = next(change for _ in range(10) if (change := detector.close(known(9 * unit))))
    assert found.is_harmful
    assert found.before == pytest.approx(5 * unit)
    assert found.after == pytest.approx(9 * unit, rel=0.3)
    assert found.threshold is not None
    assert found.statistic > found.threshold > 5.5 * unit


def test_what_is_tolerated_is_a_share_of_the_reference() -> None:
    detector = watching(100.0, tolerance=0.5)
    assert not [c for _ in range(500) if (c := detector.close(known(145.0)))]
    assert [c for _ in range(100) if (c := detector.close(known(180.0)))]


def test_improvement_is_no_alarm() -> None:
    detector = watching(5.0)
    assert not [c for _ in range(100) if (c := detector.close(known(0.5)))]


def test_a_production_that_is_never_off_is_watched_from_its_first_error_on() -> None:
    detector = HarmfulError()
    perfect = Evidence(1000.0, 0.0, 0.0, 1000.0, error_size=0.0)
    assert not [c for _ in range(20) if (c := detector.close(perfect))]
    assert not detector.is_watching
    for _ in range(40):
        detector.close(known(5.0))
    assert detector.is_watching


@pytest.mark.parametrize("tail", [0.5, 1.0, 1.5])
def test_chance_is_no_alarm_however_the_gate_changes(tail: float) -> None:
    gates = [top_share(0.05), uniform(0.1), top_share(0.02), uniform(0.3)]
    detector = HarmfulError(tolerance=0.0)
    evidence = loss_windows(
        400, lambda _: 7.0, lambda window: gates[window // 25 % 4], tail=tail, events=500
    )
    assert not [change for window in evidence if (change := detector.close(window))]
