"""Drift on the memory broker: told once, answered at the gates, whoever leads."""

from __future__ import annotations

from typing import Any

import pytest

from streamal.core.learners import Model
from streamal.core.types import Production
from streamal.errors import BrokerUnavailable
from streamal.state.snapshots import load
from tests.support.drift_site import DriftSite
from tests.support.single import outlook_of

_NOBODY = Production()


def test_a_calm_stream_raises_nothing_and_gates_do_as_set() -> None:
    site = DriftSite({"on_harmful": {"budget_factor": 2.0}, "on_data": {"trust": 0.1}})
    site.run(900, wrong=0.1)
    assert site.told() == []
    assert [site.shown(each) for each in ("budget", "exploration", "trust")] == [1.0, 0.5, 1.0]


def test_harm_is_told_and_answered_once_through_a_change_of_leaders() -> None:
    site = DriftSite(
        {"on_harmful": {"budget_factor": 1.5, "exploration": 0.9, "duration_seconds": 500}}
    )
    site.run(800, wrong=0.1)
    site.replace_trainer()
    while ("harmful_risk", "drift") not in site.told() and site.number < 2_000:
        site.run(10, wrong=0.9)
    # Two detectors see the same; what is done about it is done once.
    assert sorted(site.told()) == [
        ("accuracy_shift", "drift"),
        ("accuracy_shift", "response"),
        ("harmful_risk", "drift"),
    ]
    events = {(event.detector, event.kind): event for event in site.events()}
    drift, response = events["accuracy_shift", "drift"], events["accuracy_shift", "response"]
    assert response.response is not None
    assert response.response.cause == "harmful"
    assert response.cause.startswith("budget times 1.5, exploration 0.9: production's accuracy ")
    assert (response.statistic, response.window_start) == (drift.statistic, drift.window_start)
    harm = events["harmful_risk", "drift"]
    assert harm.harmful
    assert harm.threshold is not None
    assert harm.statistic > harm.threshold

    site.replace_trainer()
    site.run(20, wrong=0.9)
    assert len(site.told()) == 3
    assert [site.shown(each) for each in ("budget", "exploration")] == [1.5, 0.9]
    assert min(review.propensity for review in site.town.reviews()[-5:]) >= 0.45

    site.run(480, wrong=0.9)
    assert [site.shown(each) for each in ("budget", "exploration")] == [1.0, 0.5]


def test_data_drift_names_the_feature_before_any_label_matures() -> None:
    site = DriftSite({"detectors": [], "on_data": {"trust": 0.25}})
    site.run(550, wrong=0.1)
    before = site.number
    site.run(160, wrong=0.1, shift=2.0)
    assert site.told() == [("data_drift", "drift"), ("data_drift", "response")]
    drift = site.events()[0]
    assert list(drift.variables) == ["feature.x"]
    assert drift.variables["feature.x"] == drift.statistic > 0.1
    assert "feature.x (median" in drift.cause
    assert not drift.harmful
    assert drift.window_start.timestamp() + drift.window_seconds >= before
    assert site.shown("trust") == 0.25

    site.replace_trainer()
    site.run(250, wrong=0.1, shift=2.0)
    assert len(site.told()) == 2


def test_a_commit_that_fails_tells_nothing_and_the_next_leader_tells_it() -> None:
    site = DriftSite({"detectors": [], "on_data": {"trust": 0.25}})
    site.run(550, wrong=0.1)
    broken = site.trainer._lead
    assert broken is not None

    def fail(*_: object) -> None:
        raise BrokerUnavailable("the broker went away")

    commit = broken._producer.commit

    def commit_until_drift(*arguments: Any) -> None:  # noqa: ANN401 - handed on
        if broken._watch.responses(site.town.clock.now()):
            fail()
        commit(*arguments)

    broken._producer.commit = commit_until_drift  # type: ignore[method-assign, assignment]  # the fault
    with pytest.raises(BrokerUnavailable) as failed:
        site.run(160, wrong=0.1, shift=2.0)
    assert site.told() == []
    site.trainer.recover(failed.value)
    site.run(20, wrong=0.1, shift=2.0)
    assert site.told() == [("data_drift", "drift"), ("data_drift", "response")]


@pytest.mark.parametrize("learner", ["reset", "reweight"])
def test_what_a_drift_does_to_the_model_is_in_the_snapshot(learner: str) -> None:
    site = DriftSite({"detectors": [], "on_data": {"learner": learner}})
    site.run(550, wrong=0.1)
    learned = _published(site).labels_learned
    site.run(160, wrong=0.1, shift=2.0)
    assert site.told() == [("data_drift", "drift"), ("data_drift", "response")]
    after = _published(site)
    if learner == "reset":
        assert after.labels_learned < learned / 2
    else:
        assert after.labels_learned > learned + 60
    leader = site.trainer._lead
    assert leader is not None
    running = leader.lineage

    # Whoever takes over learns the rest of the log into the snapshot, and arrives at the same.
    site.replace_trainer()
    leader = site.trainer._lead
    assert leader is not None
    assert leader.lineage.name == running.name
    assert leader.lineage.offsets == running.offsets
    for x in (-2.0, 0.0, 2.0):
        features = {"x": x, "y": 0.5}
        assert outlook_of(leader.lineage.model, features, _NOBODY) == outlook_of(
            running.model, features, _NOBODY
        )


def _published(site: DriftSite) -> Model:
    reader = site.town.pipeline().snapshot_reader()
    reader.catch_up()
    assert reader.snapshot is not None
    return load(reader.snapshot, Model)  # type: ignore[type-abstract]  # for isinstance


def test_a_gate_without_data_drift_counts_nothing() -> None:
    site = DriftSite({"data": {"enabled": False}})
    site.run(300, wrong=0.1)
    windows = list(site.town.read(site.town.topics.windows))
    assert windows
    assert not [each for each in windows if b"summary" in (each.value or b"")]
