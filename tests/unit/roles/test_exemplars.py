"""Latency histograms point to events, where OpenMetrics is asked for."""

from __future__ import annotations

from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from streamal.telemetry import Metrics
from tests.support.town import Town


def exemplars(metrics: Metrics, name: str) -> set[str]:
    """Event ids that a histogram's buckets name."""
    page = generate_latest(metrics.registry).decode()  # type: ignore[no-untyped-call]  # theirs
    families = text_string_to_metric_families(page)  # type: ignore[no-untyped-call]  # theirs
    return {
        sample.exemplar.labels["event_id"]
        for family in families
        for sample in family.samples
        if sample.name == f"{name}_bucket" and sample.exemplar is not None
    }


def test_a_slow_decision_and_a_late_answer_can_be_looked_up() -> None:
    town, metrics = Town({"gate": {"budget": 1.0}}), Metrics("town")
    gate = town.pipeline(metrics).gate(instance="one")
    trainer = town.pipeline(metrics).trainer(":memory:")
    gate.start()
    trainer.start()
    town.publish("order-17")
    town.clock.advance(2)
    for _ in range(3):
        gate.step()
    assert exemplars(metrics, "streamal_decision_latency_seconds") == {"order-17"}
    assert exemplars(metrics, "streamal_label_latency_seconds") == set()
    town.clock.advance(60)
    town.label("order-17")
    for _ in range(3):
        trainer.step()
    assert exemplars(metrics, "streamal_label_latency_seconds") == {"order-17"}
