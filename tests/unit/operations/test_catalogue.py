"""What can be chosen is listed whole, with words."""

from __future__ import annotations

import orjson

from streamal.core.budgets import BUDGETS
from streamal.core.drift import DETECTORS
from streamal.core.learners import LEARNERS
from streamal.core.strategies import STRATEGIES
from streamal.operations.catalogue import Entry, catalogue
from streamal.telemetry import CATALOGUE


def names(entries: list[Entry]) -> list[str]:
    return [entry.name for entry in entries]


def test_everything_registered_is_listed_once_and_in_order() -> None:
    found = catalogue()
    assert names(found.strategies) == sorted(STRATEGIES)
    assert names(found.policies) == sorted(BUDGETS)
    assert names(found.learners) == sorted(LEARNERS)
    assert names(found.detectors) == sorted(DETECTORS)
    assert [metric.name for metric in found.metrics] == [spec.name for spec in CATALOGUE]


def test_every_entry_and_parameter_is_explained() -> None:
    found = catalogue()
    for entry in [*found.strategies, *found.policies, *found.learners, *found.detectors]:
        assert entry.summary, entry.name
        for parameter in entry.parameters:
            assert parameter.description, (entry.name, parameter.name)
            assert parameter.type, (entry.name, parameter.name)
    assert all(metric.help and metric.type for metric in found.metrics)


def test_every_strategy_and_policy_says_what_it_computes_and_where_that_lies() -> None:
    found = catalogue()
    for entry in [*found.strategies, *found.policies]:
        assert entry.formula, entry.name
        assert entry.range, entry.name
        assert entry.source, entry.name
    assert all(entry.zero_propensity for entry in found.policies)


def test_what_the_gate_sets_itself_is_not_offered_as_a_parameter() -> None:
    offered = {each.name for entry in catalogue().policies for each in entry.parameters}
    assert not offered & {"budget", "exploration"}


def test_it_is_json() -> None:
    assert orjson.loads(orjson.dumps(catalogue().model_dump()))
