"""`streamal check` on the broker's side."""

from __future__ import annotations

from typing import Protocol

import pytest

from streamal.broker.memory import MemoryBroker
from streamal.errors import BrokerUnavailable, Unauthorized
from streamal.operations.check import check_broker
from streamal.settings import Settings


class PlantLike(Protocol):
    """What conftest.py makes; test modules cannot import it."""

    settings: Settings
    broker: MemoryBroker

    def create_topics(self) -> None: ...


def refuse(**asked: object) -> object:
    raise Unauthorized(f"group {asked['group']} refused")


def refuse_transactions(transactional_id: str) -> object:
    raise Unauthorized(f"transactional id {transactional_id} refused")


def away() -> object:
    raise BrokerUnavailable("nobody there")


def test_all_is_well(plant: PlantLike) -> None:
    plant.create_topics()
    assert check_broker(plant.settings, plant.broker) == []


def test_missing_topics_are_told_one_a_line(plant: PlantLike) -> None:
    lines = check_broker(plant.settings, plant.broker)
    assert len(lines) == 8
    assert all("does not exist" in line for line in lines)


def test_missing_permissions_are_told_one_a_line(
    plant: PlantLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.create_topics()
    monkeypatch.setattr(plant.broker, "consumer", refuse)
    assert check_broker(plant.settings, plant.broker) == [
        "permissions: consumer group 'orders-gate': group orders-gate refused",
        "permissions: consumer group 'orders-trainer': group orders-trainer refused",
    ]


def test_transactions_are_needed_for_exactly_once_only(
    plant: PlantLike, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant.create_topics()
    monkeypatch.setattr(plant.broker, "transactional_producer", refuse_transactions)
    (line,) = check_broker(plant.settings, plant.broker)
    assert line.startswith("permissions: transactional id 'orders-gate-check-")
    relaxed = plant.settings.model_copy(
        update={"gate": plant.settings.gate.model_copy(update={"delivery": "at_least_once"})}
    )
    assert check_broker(relaxed, plant.broker) == []


def test_no_broker(plant: PlantLike, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plant.broker, "admin", away)
    with pytest.raises(BrokerUnavailable):
        check_broker(plant.settings, plant.broker)
