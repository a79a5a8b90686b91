"""The catalogue keeps Prometheus' naming rules, as promtool and the documentation state them."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

import streamal
from streamal.events.base import OWN_REASONS
from streamal.roles.news import USELESS
from streamal.state import Verdict
from streamal.telemetry.catalogue import CATALOGUE, LABELS, Kind, MetricSpec
from streamal.telemetry.catalogue.shared import REASONS

#: https://prometheus.io/docs/practices/naming/#base-units, and what is counted.
BASE_UNITS = {"seconds", "bytes", "ratio", "records", "reviews", "labels", "events", "tasks"}
#: Units that belong in a base unit, words that repeat the type, and endings of samples.
NEVER = re.compile(
    r"_(milliseconds|ms|minutes|hours|days|kilobytes|megabytes|percent|gauge|counter|histogram)"
    r"(_|$)|_(bucket|count|sum|created)$"
)

each_metric = pytest.mark.parametrize("spec", CATALOGUE, ids=lambda spec: spec.attribute)


@each_metric
def test_names_are_ours_and_well_formed(spec: MetricSpec) -> None:
    assert re.fullmatch(r"streamal(_[a-z]+)+", spec.name)
    assert not NEVER.search(spec.name)


@each_metric
def test_only_counters_end_in_total(spec: MetricSpec) -> None:
    assert spec.name.endswith("_total") == (spec.kind is Kind.COUNTER)


@each_metric
def test_units_are_base_units_and_end_the_name(spec: MetricSpec) -> None:
    if spec.unit:
        assert spec.unit in BASE_UNITS
        assert f"_{spec.unit}" in spec.name.removesuffix("_total")
    words = set(spec.name.removesuffix("_total").split("_"))
    if not spec.unit:
        assert not words & {"seconds", "bytes", "ratio"}


@each_metric
def test_the_help_says_what_and_what_to_do(spec: MetricSpec) -> None:
    assert len(spec.meaning) > 20
    assert len(spec.action) > 20
    assert spec.help.endswith(".")
    assert "\n" not in spec.help


@each_metric
def test_labels_are_bounded(spec: MetricSpec) -> None:
    assert set(spec.labels) <= set(LABELS)
    assert set(spec.known) <= set(spec.labels)
    assert "pipeline" not in spec.labels


@each_metric
def test_buckets_belong_to_histograms_and_rise(spec: MetricSpec) -> None:
    assert bool(spec.buckets) == (spec.kind is Kind.HISTOGRAM)
    assert list(spec.buckets) == sorted(set(spec.buckets))
    assert all(math.isfinite(bound) and bound > 0 for bound in spec.buckets)


@each_metric
def test_every_metric_is_some_roles(spec: MetricSpec) -> None:
    assert set(spec.roles) <= {"gate", "trainer", "label-studio", "console"}
    assert spec.roles


def test_names_are_unique() -> None:
    assert len({spec.name for spec in CATALOGUE}) == len(CATALOGUE)
    assert len({spec.attribute for spec in CATALOGUE}) == len(CATALOGUE)


def test_no_label_is_described_in_vain() -> None:
    assert set(LABELS) == {label for spec in CATALOGUE for label in spec.labels}


def test_label_outcomes_are_the_verdicts_of_the_join() -> None:
    (spec,) = (spec for spec in CATALOGUE if spec.attribute == "labels")
    assert set(spec.known["outcome"]) == {verdict.value for verdict in Verdict} | {"rejected"}


def test_every_reason_of_a_dead_letter_is_known_beforehand() -> None:
    written = {
        match
        for path in Path(streamal.__file__).parent.rglob("*.py")
        for match in re.findall(r'\bReject\(\s*"([a-z_]+)"', path.read_text(encoding="utf-8"))
    }
    of_validators = {"missing_field", "unsupported_schema_version", *OWN_REASONS}
    of_verdicts = {f"{verdict.value}_label" for verdict in USELESS}
    assert set(REASONS) == written | of_validators | of_verdicts
    assert list(REASONS) == sorted(REASONS)
