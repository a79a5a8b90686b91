"""The gate on the memory broker: what it decides, commits, forgets and takes back."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from streamal.errors import BreakerOpen, Rebalanced, Retriable
from streamal.ports import TopicPartition
from streamal.roles.gate import GateRole
from streamal.roles.gate_batch import Decided
from streamal.telemetry import Metrics
from tests.support.town import SESSION_SECONDS, Town


def started(town: Town, instance: str = "one", **options: Any) -> GateRole:  # noqa: ANN401 - passed on
    gate = town.pipeline(options.pop("metrics", None)).gate(instance=instance, **options)
    gate.start()
    return gate


def settle(*gates: GateRole, steps: int = 6) -> None:
    for _ in range(steps):
        for gate in gates:
            try:
                gate.step()
            except Retriable as error:
                gate.recover(error)


def test_an_event_is_decided_once_even_if_it_is_published_again() -> None:
    town = Town({"gate": {"budget": 1.0}})
    gate = started(town)
    for _ in range(2):
        town.publish("a", partition=0)
        town.publish("b", partition=0)
        settle(gate)
    assert [review.event_id for review in town.reviews()] == ["a", "b"]
    assert town.reasons() == ["duplicate_event", "duplicate_event"]


def test_a_restarted_gate_still_knows_what_it_has_seen() -> None:
    town = Town({"gate": {"budget": 1.0}})
    first = started(town)
    town.publish("a", partition=0)
    settle(first)
    first.close()
    second = started(town, "two")
    town.publish("a", partition=0)
    settle(second)
    assert len(town.reviews()) == 1
    assert town.reasons() == ["duplicate_event"]


def test_partitions_that_come_while_it_leaves_are_not_taken_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    town = Town({"gate": {"budget": 1.0}})
    gate = started(town)
    settle(gate)
    consumer, late = gate.consumer, TopicPartition(town.settings.topics.predictions, 0)
    leave = consumer.close

    def close() -> None:
        gate._on_assigned([late])
        leave()

    monkeypatch.setattr(consumer, "close", close)
    gate.close()
    town.publish("a", partition=0)
    successor = started(town, "two")
    settle(successor)
    assert [review.event_id for review in town.reviews()] == ["a"]


def test_the_memory_of_ids_is_bounded() -> None:
    town = Town({"gate": {"budget": 1.0, "duplicate_memory_events": 2}})
    gate = started(town)
    for event_id in ("a", "b", "c", "a"):
        town.publish(event_id, partition=0)
        settle(gate, steps=1)
    assert [review.event_id for review in town.reviews()] == ["a", "b", "c", "a"]


def test_the_budget_goes_on_where_another_gate_left_it() -> None:
    town = Town({"gate": {"budget": 0.1}})
    first = started(town)
    for number in range(500):
        town.publish(f"first-{number}")
    settle(first, steps=4)
    first.close()
    second = started(town, "two")
    for number in range(500):
        town.publish(f"second-{number}")
    settle(second, steps=4)
    assert len(town.reviews()) == pytest.approx(100, abs=10)


def test_partitions_move_to_a_gate_that_joins_and_back_when_it_leaves() -> None:
    town = Town({"gate": {"budget": 1.0}})
    first, second = started(town), started(town, "two")
    settle(first, second)
    town.publish("a", partition=0)
    town.publish("b", partition=1)
    settle(first, second)
    assert {len(gate.consumer.assignment()) for gate in (first, second)} == {1}
    second.close()
    town.publish("c", partition=0)
    town.publish("d", partition=1)
    settle(first)
    assert sorted(review.event_id for review in town.reviews()) == ["a", "b", "c", "d"]


def test_an_expelled_gate_takes_its_batch_back() -> None:
    town = Town({"gate": {"budget": 1.0}})
    expelled = started(town)
    town.publish("a", partition=0)
    settle(expelled)
    town.publish("b", partition=0)

    real_poll = expelled.consumer.poll

    def poll_and_fall_asleep(timeout_seconds: float, max_records: int) -> Any:  # noqa: ANN401 - records
        records = real_poll(timeout_seconds, max_records)
        if records:
            town.clock.advance(SESSION_SECONDS + 1)
            heir = started(town, "heir")
            settle(heir)
        return records

    expelled.consumer.poll = poll_and_fall_asleep  # type: ignore[method-assign] # places the fault
    with pytest.raises(Rebalanced) as caught:
        expelled.step()
    expelled.recover(caught.value)
    assert sorted(review.event_id for review in town.reviews()) == ["a", "b"]


def test_too_many_rejects_stop_the_gate_before_it_commits_them() -> None:
    town = Town({"gate": {"breaker": {"max_reject_share": 0.5, "min_events": 4}}})
    gate = started(town)
    for number in range(6):
        town.publish(f"e{number}", partition=0, features="none")
    with pytest.raises(BreakerOpen, match=r"4 of the last 4 events"):
        settle(gate)
    gate.close()
    assert town.reasons() == []


def test_a_dead_letter_keeps_the_original_and_says_where_it_lies() -> None:
    town = Town()
    gate = started(town)
    town.writer.send(town.topics.predictions, b"nonsense", key=b"k", partition=1)
    settle(gate)
    (letter,) = town.read(town.topics.dead_letters)
    assert (letter.key, letter.value) == (b"k", b"nonsense")
    headers = dict(letter.headers)
    assert headers["streamal.reason"] == b"malformed_json"
    assert headers["streamal.source-partition"] == b"1"
    assert headers["streamal.source-offset"] == b"0"


def test_at_least_once_commits_offsets_after_the_results() -> None:
    town = Town({"gate": {"budget": 1.0, "delivery": "at_least_once"}})
    gate = started(town)
    town.publish("a", partition=0)
    settle(gate)
    gate.close()
    again = started(town, "two")
    settle(again)
    assert [review.event_id for review in town.reviews()] == ["a"]


def test_the_observer_sees_what_was_committed() -> None:
    town = Town({"gate": {"budget": 1.0}})
    seen: list[tuple[str, bool]] = []

    def observe(decided: Decided) -> None:
        ids = [prediction.event_id for prediction in decided.predictions]
        seen.extend(zip(ids, decided.decisions.queries, strict=True))

    gate = started(town, observer=observe)
    town.publish("a", partition=0)
    with town.broker.outage(), pytest.raises(Retriable):
        gate.step()
    assert seen == []
    settle(gate)
    assert seen == [("a", True)]


def test_metrics_tell_what_was_committed() -> None:
    town, metrics = Town({"gate": {"budget": 1.0}}), Metrics("town")
    gate = started(town, metrics=metrics)
    town.publish("a", partition=0)
    town.publish("b", partition=0, prediction={})
    settle(gate)
    assert metrics.value("streamal_events_total") == 2
    assert metrics.value("streamal_events_accepted_total") == 1
    assert metrics.value("streamal_budget_spent_ratio") == 1
    rejected = {"role": "gate", "reason": "missing_prediction"}
    assert metrics.value("streamal_events_rejected_total", rejected) == 1
    assert (
        metrics.value("streamal_transactions_total", {"role": "gate", "outcome": "committed"}) == 1
    )


def test_pending_reviews_beyond_the_limit_slow_the_gate_to_exploration() -> None:
    town = Town({"gate": {"budget": 0.5, "max_pending": 5}, "trainer": {"heartbeat_seconds": 1}})
    gate, trainer = started(town), town.pipeline().trainer(":memory:")
    trainer.start()
    for number in range(400):
        town.publish(f"e{number}")
        if number % 20 == 19:
            settle(gate, steps=1)
            for _ in range(3):
                trainer.step()
            town.clock.advance(2)
    reviews = town.reviews()
    slowed = [review for review in reviews if review.reason == "max_pending"]
    assert slowed
    assert {review.propensity for review in slowed} == {0.1}
    assert len(reviews) < 0.2 * 400
    trainer.close()


def test_what_an_hourly_limit_cuts_down_may_still_be_drawn() -> None:
    """Between a full bucket and an empty one propensities shrink, and some of those are routed."""
    town = Town({"gate": {"budget": 0.9, "max_per_hour": 120}})
    gate = started(town)
    for number in range(400):
        town.publish(f"e{number}")
        town.clock.advance(20)
        settle(gate, steps=1)
    settle(gate)
    cut = [review for review in town.reviews() if review.reason == "rate_limited"]
    assert cut
    assert all(0.0 < review.propensity < 1.0 for review in cut)
    assert town.reasons() == []


def windowed(window: int = 4, seconds: float = 30.0, **gate: object) -> Town:
    parameters = {"window": window, "seconds": seconds, "diversity": 0.0}
    settings = {"policy": "windowed_top_k", "policy_parameters": parameters, "exploration": 0}
    settings["advance_labels"] = 0
    production = {"strategy_parameters": {"source": "production"}}
    return Town({"gate": {"budget": 0.25, **production, **settings, **gate}})


def publish_doubt(town: Town, event_id: str, p: float) -> None:
    town.publish(event_id, partition=0, prediction={"probabilities": {"no": p, "yes": 1 - p}})


def committed(gate: GateRole, town: Town) -> int | None:
    source = TopicPartition(town.topics.predictions, 0)
    return gate.consumer.committed([source])[source]


def test_a_window_is_decided_as_a_whole_and_its_offsets_wait_for_it() -> None:
    town = windowed()
    gate = started(town)
    for event_id, p in (("a", 0.9), ("b", 0.6), ("c", 0.8)):
        publish_doubt(town, event_id, p)
    settle(gate)
    assert town.reviews() == []
    assert committed(gate, town) is None
    publish_doubt(town, "d", 0.7)
    settle(gate)
    (review,) = town.reviews()
    assert (review.event_id, review.propensity, review.reason) == ("b", 1.0, "above_threshold")
    assert committed(gate, town) == 4


def test_a_window_is_decided_when_its_time_is_up() -> None:
    town = windowed(seconds=8.0)
    gate = started(town)
    publish_doubt(town, "a", 0.9)
    settle(gate)
    town.clock.advance(7)
    publish_doubt(town, "b", 0.6)
    settle(gate)
    assert committed(gate, town) is None
    town.clock.advance(1)
    settle(gate)
    assert committed(gate, town) == 2


def test_an_undecided_window_is_read_again_by_whoever_comes_next() -> None:
    town = windowed()
    first = started(town)
    for event_id, p in (("a", 0.9), ("b", 0.6), ("c", 0.8)):
        publish_doubt(town, event_id, p)
    settle(first)
    first.close()
    second = started(town, "two")
    settle(second)
    publish_doubt(town, "d", 0.7)
    settle(second)
    assert [review.event_id for review in town.reviews()] == ["b"]
    assert town.reasons() == []


def test_a_partition_that_moves_takes_its_undecided_window_along() -> None:
    town = windowed()
    first = started(town)
    settle(first)
    for event_id, p in (("a", 0.9), ("b", 0.6)):
        publish_doubt(town, event_id, p)
        town.publish(f"{event_id}-elsewhere", partition=1)
    settle(first)
    second = started(town, "two")
    settle(first, second)
    for event_id, p in (("c", 0.8), ("d", 0.7)):
        publish_doubt(town, event_id, p)
        town.publish(f"{event_id}-elsewhere", partition=1)
    settle(first, second)
    routed = [review.event_id for review in town.reviews()]
    assert len(routed) == 2
    assert "b" in routed
    assert town.reasons() == []


def test_a_reject_inside_a_window_is_one_dead_letter_with_the_window() -> None:
    town = windowed(breaker={"max_reject_share": 1})
    gate = started(town)
    publish_doubt(town, "a", 0.9)
    town.publish("broken", partition=0, prediction={})
    publish_doubt(town, "a", 0.5)
    settle(gate)
    assert town.reasons() == []
    gate.close()
    again = started(town, "two")
    publish_doubt(town, "d", 0.7)
    settle(again)
    assert town.reasons() == ["missing_prediction", "duplicate_event"]
    assert committed(again, town) == 4


def test_a_lost_commit_leaves_the_window_to_be_decided_again_with_the_same_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def outcome(losses: int) -> list[tuple[str, float]]:
        town = windowed(budget=0.5, exploration=0.4)
        gate = started(town)
        for number in range(40):
            publish_doubt(town, f"e{number}", 0.5 + number / 100)
        commit, lost = gate.delivery.commit, Counter[str]()

        def fail_first(*arguments: Any) -> None:  # noqa: ANN401 - passed on
            lost["commit"] += 1
            if lost["commit"] <= losses:
                raise Rebalanced("the group has moved on")
            commit(*arguments)

        monkeypatch.setattr(gate.delivery, "commit", fail_first)
        settle(gate)
        return [(review.event_id, review.propensity) for review in town.reviews()]

    assert outcome(losses=2) == outcome(losses=0) != []
