"""What is done about drift: as configured, not twice at once, within the budget."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from streamal.core.assess import less_trusted, trusted
from streamal.core.batch import Distributions, Outlook, Outlooks
from streamal.events.drift import DriftCause
from streamal.roles.countermeasures import Countermeasures, Plan, described
from streamal.roles.responses import Standing, in_force


def test_a_cause_is_answered_once_until_its_response_has_ended() -> None:
    measures = Countermeasures({"data": Plan(trust=0.5, duration_seconds=100)})
    first = measures.answer("data", 0.0)
    assert first is not None
    assert (first.trust, first.until.timestamp()) == (0.5, 100.0)
    assert measures.answer("data", 99.0) is None
    assert measures.in_force(99.0) == (first,)
    assert measures.in_force(100.0) == ()
    assert measures.answer("data", 100.0) is not None


def test_what_is_not_configured_is_not_answered() -> None:
    measures = Countermeasures({"data": Plan(duration_seconds=5.0)})
    assert measures.answer("data", 0.0) is None
    assert measures.answer("harmful", 0.0) is None


def test_the_budget_is_not_raised_before_the_last_raise_can_have_been_saved() -> None:
    plan = Plan(budget_factor=3.0, exploration=0.5, duration_seconds=10)
    measures = Countermeasures({"harmful": plan, "change": plan})
    assert [each.budget_factor for each in (measures.answer("harmful", 0.0),) if each] == [3.0]
    # Twice the budget more for 10 seconds takes 80 seconds of a quarter less.
    for now, factor in ((50.0, 1.0), (79.9, 1.0), (90.0, 3.0)):
        response = measures.answer("change", now)
        assert response is not None
        assert (response.budget_factor, response.exploration) == (factor, 0.5)


def test_a_new_leader_knows_what_is_being_done() -> None:
    plans: dict[DriftCause, Plan] = {"harmful": Plan(budget_factor=2.0, duration_seconds=50)}
    first, second = Countermeasures(plans), Countermeasures(plans)
    first.answer("harmful", 1_000.0)
    second.restore(json.loads(json.dumps(first.state())))
    assert second.in_force(1_010.0) == first.in_force(1_010.0)
    again = second.answer("harmful", 1_100.0)
    assert again is not None
    assert again.budget_factor == 1.0
    second.restore({})
    assert second.in_force(1_010.0) == ()


def test_gates_do_the_strongest_of_what_has_not_ended() -> None:
    measures = Countermeasures(
        {
            "harmful": Plan(budget_factor=2.0, trust=0.8, duration_seconds=10),
            "data": Plan(exploration=0.4, trust=0.3, duration_seconds=20),
        }
    )
    responses = [each for cause in ("harmful", "data") if (each := measures.answer(cause, 0.0))]
    assert in_force(responses, 5.0) == Standing(2.0, 0.4, 0.3)
    assert in_force(responses, 15.0) == Standing(1.0, 0.4, 0.3)
    assert in_force(responses, 25.0) == Standing()
    assert [described(each) for each in responses] == [
        "budget times 2, trust 0.8",
        "exploration 0.4, trust 0.3",
    ]


@pytest.mark.parametrize(
    ("trust", "expected"),
    [(1.0, {"a": 0.9, "b": 0.1}), (0.5, {"a": 0.7, "b": 0.3}), (0.0, {})],
)
def test_less_trust_is_closer_to_knowing_nothing(trust: float, expected: object) -> None:
    said = Distributions.of([{"a": 0.9, "b": 0.1}, {}])
    assert less_trusted(said, trust).item(0) == pytest.approx(expected)
    assert less_trusted(said, trust).item(1) == {}


def outlooks(said: Mapping[str, float], members: Sequence[Mapping[str, float]]) -> Outlooks:
    """Of one item of a classification."""
    return Outlooks(
        probabilities=Distributions.of([said]),
        committee=tuple(Distributions.of([member]) for member in members),
        expected_correct=np.array([0.9]),
        values=np.array([np.nan]),
        committee_values=[()],
        expected_loss=np.array([np.nan]),
    )


def test_a_model_that_is_not_trusted_at_all_says_nothing_of_classes() -> None:
    classes = outlooks({"a": 0.9, "b": 0.1}, [{"a": 1.0, "b": 0.0}, {"a": 0.6, "b": 0.4}])
    assert trusted(classes, 1.0) is classes
    half = trusted(classes, 0.5)
    assert half.probabilities.item(0) == pytest.approx({"a": 0.7, "b": 0.3})
    assert half.committee[0].item(0) == {"a": 0.75, "b": 0.25}
    assert half.expected_correct == pytest.approx(0.7)
    nothing = trusted(classes, 0.0)
    assert nothing.item(0) == Outlook({}, 0.5, None, None)
    assert nothing.committee == ()


def test_a_model_that_is_not_trusted_at_all_says_nothing_of_numbers() -> None:
    numbers = replace(
        outlooks({}, []),
        values=np.array([7.0]),
        committee_values=[(6.0, 8.0)],
        expected_loss=np.array([0.5]),
    )
    half = trusted(numbers, 0.5)
    assert half.item(0)[2:] == (7.0, 0.5)
    assert half.expected_correct == pytest.approx(0.7)
    assert half.committee_values == [(6.0, 8.0)]
    nothing = trusted(numbers, 0.0)
    assert nothing.item(0) == Outlook({}, 0.5, None, None)
    assert nothing.committee_values == [()]
