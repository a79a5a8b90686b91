"""Drift of a regression on the memory broker: its errors grow, and it is told and answered."""

from __future__ import annotations

import pytest

from streamal.core.learners import Model
from streamal.state.snapshots import load
from tests.support.drift_site import NumberSite

#: Events that are as many windows as a reference, and some more, take.
REFERENCE = 900


def told_by(site: NumberSite, detector: str, until: int, wrong: float) -> bool:
    """Let the world go on until a detector has told a drift."""
    while site.number < until:
        site.run(20, wrong=wrong)
        if (detector, "drift") in site.told():
            return True
    return False


def test_errors_that_stay_as_large_are_nothing_to_tell() -> None:
    everybody = ["harmful_error", "harmful_risk", "page_hinkley", "adwin", "kswin", "hddm_a"]
    site = NumberSite({"detectors": everybody, "on_harmful": {"budget_factor": 2.0}})
    site.run(2 * REFERENCE, wrong=5.0)
    assert site.told() == []
    assert [site.shown(each) for each in ("budget", "exploration", "trust")] == [1.0, 0.5, 1.0]


def test_growing_errors_are_told_once_and_answered_through_a_change_of_leaders() -> None:
    site = NumberSite(
        {
            "on_harmful": {
                "budget_factor": 1.5,
                "exploration": 0.9,
                "trust": 0.0,
                "duration_seconds": 5000,
            }
        }
    )
    site.run(REFERENCE, wrong=5.0)
    site.replace_trainer()
    assert told_by(site, "harmful_error", until=REFERENCE + 900, wrong=20.0)
    assert site.told() == [("harmful_error", "drift"), ("harmful_error", "response")]
    drift, response = site.events()
    assert drift.harmful
    assert drift.subject == "absolute_error"
    assert drift.cause.startswith("production's mean absolute error went from ")
    before, after = (float(part) for part in drift.cause.split(" from ")[1].split(" to "))
    assert before == pytest.approx(5.0, rel=0.3)
    assert after > 10.0
    assert drift.threshold is not None
    assert drift.statistic > drift.threshold > before
    assert drift.window_seconds == 100
    assert drift.window_start.timestamp() + 120 >= REFERENCE
    assert response.response is not None
    assert response.response.cause == "harmful"
    assert response.cause == f"budget times 1.5, exploration 0.9, trust 0: {drift.cause}"

    site.replace_trainer()
    site.run(20, wrong=20.0)
    assert len(site.told()) == 2
    assert [site.shown(each) for each in ("budget", "exploration", "trust")] == [1.5, 0.9, 0.0]


def test_what_passes_the_tolerance_more_often_is_told_as_a_risk() -> None:
    site = NumberSite(
        {
            "detectors": ["harmful_risk"],
            "detector_parameters": {"harmful_risk": {"reference_margin": 0.15}},
            "data": {"enabled": False},
        },
        tolerance=10.0,
    )
    site.run(REFERENCE, wrong=5.0)
    assert site.told() == []
    assert told_by(site, "harmful_risk", until=REFERENCE + 900, wrong=20.0)
    (found,) = [event for event in site.events() if event.detector == "harmful_risk"]
    assert found.subject == "risk"
    assert found.cause.startswith("production's risk went from ")
    before, after = (float(part.rstrip("%")) for part in found.cause[28:].split(" to "))
    assert before == pytest.approx(13.5, abs=7), "exp(-2), from some fifty labels"
    assert after > 40, "exp(-1/2) is 60.7 %"


def test_a_detector_that_can_follows_both_and_each_by_itself() -> None:
    site = NumberSite({"detectors": ["page_hinkley"]}, tolerance=10.0)
    site.run(REFERENCE, wrong=5.0)
    while site.number < REFERENCE + 1500:
        site.run(50, wrong=20.0)
    found = [event for event in site.events() if event.detector == "page_hinkley"]
    assert sorted(str(event.subject) for event in found) == ["absolute_error", "risk"]
    assert all(event.harmful for event in found)


def test_a_reset_learns_the_labels_since_the_change_again() -> None:
    site = NumberSite({"on_harmful": {"learner": "reset"}})
    site.run(REFERENCE, wrong=5.0)
    learned = published(site).labels_learned
    assert told_by(site, "harmful_error", until=REFERENCE + 900, wrong=20.0)
    site.run(5, wrong=20.0)
    assert 0 < published(site).labels_learned < learned / 2


def published(site: NumberSite) -> Model:
    reader = site.town.pipeline().snapshot_reader()
    reader.catch_up()
    assert reader.snapshot is not None
    return load(reader.snapshot, Model)  # type: ignore[type-abstract]  # for isinstance
