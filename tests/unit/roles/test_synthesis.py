"""Questions about made-up items: charged, marked, learned once, and seen by no estimate."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from streamal.core.types import MadeUpItem
from streamal.events import ReviewRequest, WindowStats
from streamal.operations.inspect import inspect
from streamal.operations.replay import replayed_view
from streamal.operations.weighting import Weighting, weighted_reviews
from streamal.roles.gate import GateRole
from streamal.roles.synthesis import SyntheticAccount
from streamal.roles.trainer import TrainerRole
from streamal.telemetry import Metrics
from tests.support.town import Town


def town_with(share: float, **gate: Any) -> Town:  # noqa: ANN401 - any setting
    return Town(
        {
            "pipeline": {"classes": ["no", "yes"]},
            "gate": {
                "strategy": "query_synthesis",
                "strategy_parameters": {"pairs": 20},
                "synthetic_share": share,
                "budget": 0.3,
                **gate,
            },
            "estimation": {"window_seconds": 100, "label_horizon_seconds": 50},
            "trainer": {"heartbeat_seconds": 10},
            "drift": {"detectors": []},
        }
    )


@dataclass
class Run:
    """What happened, and who is still there."""

    town: Town
    gate: GateRole
    trainer: TrainerRole
    metrics: Metrics
    gate_metrics: Metrics

    @property
    def made_up(self) -> list[ReviewRequest]:
        return [review for review in self.town.reviews() if review.synthetic]

    @property
    def real(self) -> list[ReviewRequest]:
        return [review for review in self.town.reviews() if not review.synthetic]


def run(town: Town, events: int = 600, extra: Mapping[str, Any] | None = None) -> Run:
    """Events on a plane, of which x > 0 is "yes".

    Production is always right about them, and what stands for it about made-up items never is.
    """
    metrics, gate_metrics = Metrics("town"), Metrics("town")
    gate = town.pipeline(gate_metrics).gate(instance="one")
    trainer = town.pipeline(metrics).trainer(":memory:")
    gate.start()
    trainer.start()
    answered: set[str] = set()
    for number in range(events):
        town.clock.advance(1)
        x, y = (number * 7 % 31 - 15) / 5.0, (number * 11 % 23 - 11) / 5.0
        said = "yes" if x > 0 else "no"
        town.publish(
            f"e{number}",
            features={"x": x, "y": y, "n": number % 6, "new": number % 3 == 0, **(extra or {})},
            prediction={"label": said},
        )
        gate.step()
        if number % 5 == 4:
            for review in town.reviews():
                if review.event_id not in answered:
                    answered.add(review.event_id)
                    wrong = {"yes": "no", "no": "yes"}[str(review.prediction.label)]
                    town.label(
                        review.event_id, wrong if review.synthetic else review.prediction.label
                    )
            trainer.step()
    town.clock.advance(200)
    for _ in range(6):
        gate.step()
        trainer.step()
    return Run(town, gate, trainer, metrics, gate_metrics)


@pytest.fixture(scope="module")
def half() -> Run:
    return run(town_with(0.5))


def test_off_unless_it_is_switched_on() -> None:
    off = run(town_with(0.0), 200)
    assert off.made_up == []
    assert len(off.real) > 40
    assert {lane.synthetic for lane in inspect(off.town.pipeline()).gates} == {0}


def test_their_share_is_kept_and_they_are_paid_for_by_the_same_budget(half: Run) -> None:
    steered = [review for review in half.real if review.reason != "exploration"]
    assert 20 < len(half.made_up) <= len(steered)
    assert len(half.made_up) + len(half.real) <= 0.3 * 600 + 15
    lanes = inspect(half.town.pipeline()).gates
    assert sum(lane.synthetic for lane in lanes) == len(half.made_up)
    assert sum(lane.routed for lane in lanes) == len(half.real)
    spent = half.gate_metrics.value("streamal_budget_spent_ratio")
    assert spent == pytest.approx((len(half.made_up) + len(half.real)) / 600)
    asked = half.gate_metrics.value("streamal_synthetic_reviews_total", {"outcome": "asked"})
    assert asked == len(half.made_up)


def test_they_are_marked_and_say_nothing_that_nobody_said(half: Run) -> None:
    ids = Counter(review.event_id for review in half.town.reviews())
    assert set(ids.values()) == {1}
    for review in half.made_up:
        assert review.event_id.startswith("synthetic:")
        assert review.propensity == 1.0
        assert review.reason in ("above_threshold", "at_threshold")
        assert review.produced_by.name == "streamal"
        assert review.prediction.label == review.model.label
        assert review.prediction.probabilities is None
        assert (review.metadata, review.segments, review.advice) == ({}, {}, None)
        assert review.required_labels == 1


def test_they_look_like_events_and_are_none(half: Run) -> None:
    seen = [review.features for review in half.real]
    for review in half.made_up:
        features = review.features
        assert list(features) == ["x", "y", "n", "new"]
        assert isinstance(features["new"], bool)
        assert isinstance(features["n"], int)
        assert not isinstance(features["n"], bool)
        assert 0 <= features["n"] <= 5
        x, y = features["x"], features["y"]
        assert isinstance(x, float)
        assert isinstance(y, float)
        assert -3 <= x <= 3
        assert -2.2 <= y <= 2.2
        assert features not in seen
    points = [str(review.features) for review in half.made_up]
    assert len(set(points)) > 0.8 * len(points)


def test_their_labels_are_learned_once(half: Run) -> None:
    learned = half.metrics.value("streamal_labels_total", {"outcome": "learned"})
    assert learned == len(half.town.reviews())
    assert half.town.reasons() == []


def test_no_estimate_sees_them(half: Run) -> None:
    """Production was right about every event; of the made-up items it would have been wrong."""
    value = half.metrics.value("streamal_production_accuracy_ratio", {"kind": "estimate"})
    naive = half.metrics.value("streamal_production_accuracy_ratio", {"kind": "naive"})
    assert value == naive == 1.0
    windows = [
        WindowStats.from_bytes(record.value) for record in half.town.read(half.town.topics.windows)
    ]
    assert sum(window.events for window in windows) == 600
    assert sum(window.routed for window in windows) == len(half.real)
    with replayed_view(half.town.pipeline()) as view:
        real = {review.event_id for review in half.real}
        assert {each.event_id for each in view.measures.outcomes(0, math.inf)} == real
        assert {each.review.event_id for each in view.measures.labelled(0, math.inf)} == real
        weighting = Weighting(100, 50, half.town.clock.now())
        of_events = list(weighted_reviews(view.measures, 0, 1e12, weighting))
        assert {each.labelled.review.event_id for each in of_events} == real
        everything = list(weighted_reviews(view.measures, 0, 1e12, weighting, synthetic=True))
        assert len(everything) == len(half.town.reviews())
        total = sum(each.weight for each in everything)
        assert total == pytest.approx(sum(each.weight for each in of_events))


@pytest.mark.parametrize(
    "extra", [{"colour": "red"}, {"gap": None}, {"place": [0.5, 1.0]}], ids=["text", "null", "list"]
)
def test_of_an_event_with_more_than_numbers_nothing_is_made_up(extra: dict[str, object]) -> None:
    found = run(town_with(0.5), 200, extra)
    assert found.made_up == []
    counted = {
        outcome: found.gate_metrics.value("streamal_synthetic_reviews_total", {"outcome": outcome})
        for outcome in ("asked", "not_numeric", "none")
    }
    assert counted["asked"] == counted["none"] == 0
    assert counted["not_numeric"]


def test_where_an_hour_s_limit_bites_they_give_way() -> None:
    free, limited = (
        run(town_with(0.5, max_per_hour=limit, budget=0.2), 400) for limit in (None, 80)
    )
    assert len(free.made_up) > 10
    assert len(limited.made_up) == 0
    assert len(limited.real) > 10


def test_a_new_gate_goes_on_with_the_account_and_does_not_ask_again() -> None:
    town = town_with(0.5)
    first = run(town, 300)
    asked = sum(lane.synthetic for lane in inspect(town.pipeline()).gates)
    first.gate.close()
    gate = town.pipeline().gate(instance="one")
    gate.start()
    for number in range(300, 330):
        town.publish(f"e{number}", features={"x": 0.1, "y": 0.0, "n": 1, "new": False})
    for _ in range(6):
        gate.step()
    after = sum(lane.synthetic for lane in inspect(town.pipeline()).gates)
    made_up = [review for review in town.reviews() if review.synthetic]
    assert after == len(made_up) >= asked
    assert len({str(review.features) for review in made_up[asked:]}) == after - asked


def test_the_account_grants_its_share_without_saving_up() -> None:
    account = SyntheticAccount(0.25, 0, 1)
    turns = []
    for number in range(9):
        granted = account.grant()
        turns.append(granted)
        if granted:
            account.charge(MadeUpItem(number, {}))
    assert turns == [False, False, True] * 3
    for _ in range(100):
        account.grant()
    account.charge(MadeUpItem(99, {}))
    assert not account.grant()


def test_an_item_is_one_partition_s_and_its_turn_comes_once() -> None:
    accounts = [SyntheticAccount(0.5, number, 3) for number in range(3)]
    items = [MadeUpItem(key, {}) for key in range(40)]
    assert all(sum(account.admits(item) for account in accounts) == 1 for item in items)
    account, again = accounts[0], SyntheticAccount(0.5, 0, 3)
    account.charge(items[3])
    assert not account.admits(items[3])
    again.restore(account.state())
    assert again.state() == account.state()
    assert not again.admits(items[3])
    again.restore({})
    assert again.state() == SyntheticAccount(0.5, 0, 3).state()
