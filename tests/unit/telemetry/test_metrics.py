"""Metrics as a scraper sees them."""

from __future__ import annotations

import math
import typing

import pytest
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse

from streamal.telemetry.catalogue import CATALOGUE, Kind
from streamal.telemetry.metrics import Metrics, exemplar


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("orders")


def test_every_catalogued_metric_is_an_attribute_of_its_type(metrics: Metrics) -> None:
    declared = typing.get_type_hints(Metrics)
    assert set(declared) == {spec.attribute for spec in CATALOGUE}
    for spec in CATALOGUE:
        assert isinstance(getattr(metrics, spec.attribute), declared[spec.attribute])
        assert declared[spec.attribute].__name__.lower() == spec.kind.value


def touch_everything(metrics: Metrics) -> None:
    for spec in CATALOGUE:
        instrument = getattr(metrics, spec.attribute)
        if spec.labels:
            instrument = instrument.labels(*("1" for _ in spec.labels))
        if spec.kind is Kind.COUNTER:
            instrument.inc()
        elif spec.kind is Kind.GAUGE:
            instrument.set(0.5)
        elif spec.kind is Kind.HISTOGRAM:
            instrument.observe(0.5)
        else:
            instrument.info({"river": "0.26.1"})


@pytest.mark.parametrize("text", ["prometheus", "openmetrics"])
def test_the_exposition_parses_and_holds_the_whole_catalogue(metrics: Metrics, text: str) -> None:
    touch_everything(metrics)
    if text == "prometheus":
        families = list(parse(generate_latest(metrics.registry).decode()))
    else:
        page = generate_openmetrics(metrics.registry).decode()  # type: ignore[no-untyped-call]  # theirs
        families = list(parse_openmetrics(page))  # type: ignore[no-untyped-call]  # theirs
    samples = [sample for family in families for sample in family.samples]
    assert all(sample.labels["pipeline"] == "orders" for sample in samples)
    names = {sample.name for sample in samples}
    endings = {Kind.HISTOGRAM: "_bucket", Kind.INFO: "_info"}
    for spec in CATALOGUE:
        assert spec.name + endings.get(spec.kind, "") in names
    helps = {family.documentation for family in families}
    assert {spec.help for spec in CATALOGUE} <= helps


def test_values_are_read_without_the_constant_label(metrics: Metrics) -> None:
    metrics.labels.labels(outcome="learned").inc(3)
    assert metrics.value("streamal_labels_total", {"outcome": "learned"}) == 3
    assert metrics.value("streamal_labels_total", {"outcome": "duplicate"}) == 0
    assert metrics.value("streamal_labels_total", {"outcome": "nonsense"}) is None
    assert metrics.value("streamal_nonsense_total") is None


def test_counters_of_known_labels_start_at_zero(metrics: Metrics) -> None:
    assert metrics.value("streamal_events_routed_total", {"reason": "exploration"}) == 0
    labels = {"role": "gate", "error": "Rebalanced"}
    assert metrics.value("streamal_retries_total", labels) == 0


def test_what_is_not_known_yet_is_not_claimed(metrics: Metrics) -> None:
    assert math.isnan(metrics.value("streamal_pending_reviews") or 0)
    assert metrics.value("streamal_trainer_leader") == 0


def test_a_role_does_not_speak_for_another() -> None:
    gate = Metrics("orders", roles=["gate"])
    gate.pending.set(3)
    gate.events.inc()
    assert gate.value("streamal_pending_reviews") is None
    assert gate.value("streamal_events_total") == 1
    assert gate.value("streamal_snapshots_refused_total", {"role": "gate"}) == 0
    assert gate.value("streamal_snapshots_refused_total", {"role": "trainer"}) is None


def test_series_of_a_revoked_partition_end(metrics: Metrics) -> None:
    for partition in (0, 1):
        metrics.threshold.labels(topic="predictions", partition=partition).set(0.5)
        metrics.lag.labels(role="gate", topic="predictions", partition=partition).set(9)
        metrics.lag.labels(role="trainer", topic="labels", partition=partition).set(9)
    metrics.forget_partition("predictions", 1)
    metrics.forget_partition("predictions", 7)
    left = {
        (sample.name, sample.labels["topic"], sample.labels["partition"])
        for family in metrics.registry.collect()
        for sample in family.samples
        if "partition" in sample.labels
    }
    assert left == {
        ("streamal_decision_threshold_ratio", "predictions", "0"),
        ("streamal_consumer_lag_records", "predictions", "0"),
        ("streamal_consumer_lag_records", "labels", "0"),
        ("streamal_consumer_lag_records", "labels", "1"),
    }


def test_a_bucket_points_to_an_event_where_openmetrics_is_asked_for(metrics: Metrics) -> None:
    metrics.decision_latency_seconds.observe(0.2, exemplar("order-17"))
    metrics.decision_latency_seconds.observe(99.0, exemplar("x" * 121))
    page = generate_openmetrics(metrics.registry).decode()  # type: ignore[no-untyped-call]  # theirs
    samples = {
        sample.labels["le"]: sample.exemplar
        for family in parse_openmetrics(page)  # type: ignore[no-untyped-call]  # theirs
        for sample in family.samples
        if sample.name == "streamal_decision_latency_seconds_bucket"
    }
    assert samples["0.25"].labels == {"event_id": "order-17"}
    assert samples["0.25"].value == 0.2
    assert not samples["300.0"]
    assert "order-17" not in generate_latest(metrics.registry).decode()


def test_the_global_registry_stays_clean(metrics: Metrics) -> None:
    metrics.events.inc()
    assert "streamal" not in generate_latest(REGISTRY).decode()


def test_two_pipelines_in_a_process_do_not_meet() -> None:
    one, two = Metrics("one"), Metrics("two")
    one.events.inc()
    assert two.value("streamal_events_total") == 0


def test_one_metric_can_be_asked_for_by_name(metrics: Metrics) -> None:
    restricted = metrics.registry.restricted_registry(["streamal_events_total"])
    (family,) = restricted.collect()
    assert [sample.name for sample in family.samples] == ["streamal_events_total"]


def test_the_process_itself_is_exported_on_demand() -> None:
    text = generate_latest(Metrics("orders", process=True).registry).decode()
    assert "process_resident_memory_bytes" in text
    assert "process_resident_memory_bytes" not in generate_latest(Metrics("o").registry).decode()


def test_a_gauge_shows_what_it_was_given_last_and_nothing_else(metrics: Metrics) -> None:
    gauge = metrics.segment_accuracy
    metrics.show(gauge, {("country", "de", "low"): 0.8, ("country", "fr", "low"): 0.7})
    metrics.show(gauge, {("country", "de", "low"): 0.9})
    (found,) = gauge.collect()
    assert [(sample.labels["value"], sample.value) for sample in found.samples] == [("de", 0.9)]


def test_a_total_is_over_all_series_of_a_metric(metrics: Metrics) -> None:
    metrics.routed.labels(reason="exploration").inc(2)
    metrics.routed.labels(reason="above_threshold").inc(3)
    assert metrics.total("streamal_events_routed_total") == 5
    assert metrics.total("streamal_drift_alarms_total") == 0
