"""What every registered drift detector owes, whatever it looks for."""

from __future__ import annotations

import doctest
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import pytest

from streamal.core.drift import DETECTORS, Change, Detector, Evidence, Subject, build_detector
from streamal.core.estimation import FloatArray
from streamal.core.parameters import describe, parameters_of
from streamal.core.types import JsonValue
from streamal.errors import SettingsInvalid
from tests.support.evidence import FLOOR, loss_windows, top_share, uniform, windows

_LABELS: tuple[list[JsonValue], list[JsonValue]] = ([10, 200], [9, 10_001, 30.0, "30", None])
_CONFIDENCE: tuple[list[JsonValue], list[JsonValue]] = (
    [0.0001, 0.01, 0.5],
    [0, -0.1, 0.51, float("nan"), "0.1", None],
)
_RATE: tuple[list[JsonValue], list[JsonValue]] = (
    [0.001, 0.2],
    [0, 0.21, float("nan"), "0.1", None, True],
)
_SWITCH: tuple[list[JsonValue], list[JsonValue]] = ([True, False], [1, "true", None])
_TOLERANCE: tuple[list[JsonValue], list[JsonValue]] = (
    [0, 0.05, 0.5],
    [-0.01, 0.51, float("inf"), "0", None],
)

_PAGE_HINKLEY: dict[str, tuple[list[JsonValue], list[JsonValue]]] = {
    "delta": ([0, 0.1, 5], [-0.1, 5.1, "0", None]),
    "threshold": ([1, 1000], [0, 1001, "8", None]),
    "mode": (["up", "down", "both"], ["UP", "", 1, None]),
}

#: (detector, parameter) to values that work and values that must be refused. A parameter without an
#: entry fails `test_every_parameter_has_an_entry`.
VALUES: dict[tuple[str, str], tuple[list[JsonValue], list[JsonValue]]] = {
    ("adwin", "delta"): _CONFIDENCE,
    ("ddm", "threshold"): ([1, 2.5, 10], [0.9, 11, "3", None]),
    ("ddm", "warm_start"): ([10, 500], [9, 501, 30.0, None]),
    ("harmful_error", "tolerance"): ([0, 0.05, 10], [-0.01, 10.1, float("inf"), "0", None]),
    ("harmful_error", "false_alarm_rate"): _RATE,
    ("harmful_error", "reference_margin"): ([0.005, 2], [0.004, 2.1, "0.1", None]),
    ("harmful_risk", "tolerance"): _TOLERANCE,
    ("harmful_risk", "false_alarm_rate"): _RATE,
    ("harmful_risk", "reference_margin"): ([0.002, 0.5], [0.001, 0.6, "0.1", None]),
    ("hddm_a", "confidence"): _CONFIDENCE,
    ("hddm_a", "two_sided"): _SWITCH,
    ("hddm_w", "confidence"): _CONFIDENCE,
    ("hddm_w", "two_sided"): _SWITCH,
    ("hddm_w", "decay"): ([0.01, 1], [0, 1.1, "0.1", None]),
    ("kswin", "alpha"): _CONFIDENCE,
    ("kswin", "window_size"): ([40, 500], [19, 501, 60.0, None]),
    ("kswin", "stat_size"): ([5, 30], [4, 201, 20.0, None]),
    **{
        (name, parameter): values
        for name in ("page_hinkley", "calibration")
        for parameter, values in _PAGE_HINKLEY.items()
    },
    **{
        (name, "labels_per_value"): _LABELS
        for name in ("adwin", "calibration", "kswin", "page_hinkley")
    },
}
PARAMETERS = [(name, p.name) for name, cls in DETECTORS.items() for p in describe(cls).parameters]
KEY = "drift.detector_parameters"
MEASURED = Subject.ABSOLUTE_ERROR
EACH = pytest.mark.parametrize("name", DETECTORS)
#: Each detector with each subject that it can follow.
EACH_SUBJECT = pytest.mark.parametrize(
    ("name", "subject"),
    [(name, subject) for name, cls in DETECTORS.items() for subject in sorted(cls.subjects)],
)


def evidence_of(
    subject: Subject,
    count: int,
    risk: Callable[[int], float],
    gate: Callable[[int], Callable[[FloatArray], FloatArray]],
    seed: int,
) -> tuple[Evidence, ...]:
    """Windows of a production at that risk; in a regression its errors grow in proportion."""
    if subject is Subject.ABSOLUTE_ERROR:
        return tuple(loss_windows(count, lambda n: 200 * risk(n), gate, tail=0.5, seed=seed))
    return tuple(windows(count, risk, gate, seed=seed))


@cache
def stream(subject: Subject, seed: int = 0) -> tuple[Evidence, ...]:
    """Drift, and a gate that keeps changing its mind."""
    return evidence_of(
        subject,
        160,
        lambda window: 0.1 if window < 80 else 0.35,
        lambda window: top_share(0.05) if window % 40 < 20 else uniform(0.05),
        seed,
    )


def play(detector: Detector, evidence: Sequence[Evidence]) -> list[Change | None]:
    return [detector.close(window) for window in evidence]


def test_every_parameter_has_an_entry() -> None:
    assert set(PARAMETERS) == set(VALUES)


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_every_parameter_is_kept_or_refused(name: str, parameter: str) -> None:
    valid, invalid = VALUES[name, parameter]
    for value in valid:
        assert parameters_of(build_detector(name, {parameter: value}))[parameter] == value
    for value in invalid:
        with pytest.raises(SettingsInvalid) as caught:
            build_detector(name, {parameter: value})
        (problem,) = caught.value.problems
        assert problem.startswith(f"{KEY}.{name}.{parameter}: {value!r} is not allowed; ")


def test_an_unknown_detector_is_named_with_those_that_exist() -> None:
    with pytest.raises(
        SettingsInvalid, match=r"drift\.detectors: 'adwim' is not a detector; one of adwin"
    ):
        build_detector("adwim", {})


@EACH
def test_every_class_is_documented(name: str) -> None:
    cls = DETECTORS[name]
    description = describe(cls)
    assert description.source
    assert description.parameters
    assert all(parameter.description for parameter in description.parameters)
    finder = doctest.DocTestFinder(recurse=False)
    for test in finder.find(cls, name, globs=vars(sys.modules[cls.__module__]).copy()):
        assert doctest.DocTestRunner().run(test).failed == 0


@EACH_SUBJECT
def test_the_same_windows_give_the_same_changes(name: str, subject: Subject) -> None:
    first, second = build_detector(name, {}), build_detector(name, {})
    assert play(first, stream(subject)) == play(second, stream(subject))


@EACH_SUBJECT
def test_a_state_travels_as_json_and_goes_on_as_if_nothing_had_happened(
    name: str, subject: Subject
) -> None:
    whole = play(build_detector(name, {}), stream(subject))
    course: list[Change | None] = []
    state = json.dumps(build_detector(name, {}).state())
    for window in stream(subject):  # a new leader after every window
        detector = build_detector(name, {})
        detector.restore(json.loads(state))
        course.append(detector.close(window))
        state = json.dumps(detector.state())
    assert course == whole


@EACH_SUBJECT
def test_an_empty_state_is_a_fresh_start(name: str, subject: Subject) -> None:
    used = build_detector(name, {})
    play(used, stream(subject))
    used.restore({})
    assert used.state() == build_detector(name, {}).state()


@EACH_SUBJECT
def test_memory_is_bounded(name: str, subject: Subject) -> None:
    detector, sizes = build_detector(name, {}), []
    for number in range(4_000):
        window = stream(subject)[number % 80]
        many = (number % 10 == 0,) * 25
        detector.close(replace(window, effective_labels=40.0, uniform_errors=many))
        if number % 500 == 499:
            sizes.append(len(json.dumps(detector.state())))
    assert max(sizes) < 40_000


@EACH_SUBJECT
def test_windows_without_labels_change_nothing(name: str, subject: Subject) -> None:
    detector = build_detector(name, {})
    play(detector, stream(subject)[:50])
    before = detector.state()
    assert detector.close(Evidence(1000.0, 0.0, 0.0, 0.0)) is None
    assert detector.state() == before


@EACH_SUBJECT
def test_a_change_says_what_it_rests_on(name: str, subject: Subject) -> None:
    detector = build_detector(name, {})
    changes = [change for change in play(detector, stream(subject)) if change is not None]
    assert changes, "what grows to three and a half times its size shows"
    worse = changes[-1]
    assert worse.is_harmful
    assert worse.before < worse.after
    assert abs(worse.statistic) < float("inf")


@EACH_SUBJECT
def test_a_gate_that_changes_its_mind_is_no_drift(name: str, subject: Subject) -> None:
    """The gate changes what and how much it routes; production does not change."""
    gates = [top_share(0.05), uniform(0.05), top_share(0.02), uniform(0.3), top_share(0.2)]
    evidence = evidence_of(subject, 250, lambda _: 0.1, lambda window: gates[window // 50], seed=3)
    parameters: dict[str, JsonValue] = {"threshold": 6.0} if name == "ddm" else {}
    assert not [c for c in play(build_detector(name, parameters), evidence) if c]


@pytest.mark.parametrize("name", sorted(n for n, d in DETECTORS.items() if MEASURED in d.subjects))
def test_nothing_depends_on_the_unit_of_a_regression(name: str) -> None:
    def course(unit: float) -> list[bool]:
        detector = build_detector(name, {})
        scaled = [
            replace(
                window,
                errors=window.errors * unit,
                variance=window.variance * unit**2,
                error_size=window.error_size * unit,
            )
            for window in stream(MEASURED)
        ]
        return [change is not None for change in play(detector, scaled)]

    assert True in course(1.0)
    assert course(1.0) == course(2.0**-40) == course(2.0**60)


def test_the_uniform_arm_exists_in_the_simulated_stream() -> None:
    items = sum(len(window.uniform_errors) for window in stream(Subject.RISK))
    assert items == pytest.approx(160 * 1000 * FLOOR, rel=0.1)
