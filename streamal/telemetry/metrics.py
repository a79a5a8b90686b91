"""The metrics of one process, built from the catalogue over a registry of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import product
from typing import TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Info, ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from streamal.telemetry.catalogue import (
    CATALOGUE,
    CONSOLE,
    GATE,
    LABEL_STUDIO,
    TRAINER,
    Kind,
    MetricSpec,
)
from streamal.telemetry.histogram import Histogram

__all__ = ["Metrics", "exemplar"]

#: OpenMetrics allows 128 characters for an exemplar's names and values together.
_LONGEST_ID = 128 - len("event_id")

_Instrument: TypeAlias = Counter | Gauge | Histogram | Info


class Metrics:
    """Every metric of the catalogue as an attribute; may be used by several threads.

    Args:
        pipeline: value of the label `pipeline` on every series.
        roles: roles that run in this process; what only others export is not shown, so that a gate
            does not claim that nothing is pending.
        process: also export the standard `process_*` metrics (CPU, memory, open files).

    >>> metrics = Metrics("orders")
    >>> metrics.routed.labels(reason="exploration").inc()
    >>> metrics.value("streamal_events_routed_total", {"reason": "exploration"})
    1.0
    """

    events: Counter
    accepted: Counter
    routed: Counter
    synthetic_reviews: Counter
    unreachable: Counter
    decision_seconds: Histogram
    decision_latency_seconds: Histogram
    batch_seconds: Histogram
    score: Histogram
    propensity: Histogram
    budget_target: Gauge
    budget_spent: Gauge
    threshold: Gauge
    drift_response: Gauge
    breaker_open: Gauge
    labels: Counter
    label_latency_seconds: Histogram
    reviews: Counter
    pending: Gauge
    response_rate: Gauge
    snapshots_published: Counter
    snapshot_bytes: Gauge
    leader: Gauge
    production_accuracy: Gauge
    drift_alarms: Counter
    drift_responses: Counter
    stability_index: Gauge
    model_accuracy: Gauge
    annotators_quarantined: Gauge
    labels_held: Gauge
    disputes_open: Gauge
    annotator_alpha: Gauge
    annotator_noise: Gauge
    answer_noise: Gauge
    answer_error: Gauge
    noise_dominates: Gauge
    annotator_agreement: Gauge
    annotator_kappa: Gauge
    annotator_answers: Gauge
    production_error: Gauge
    error_objective: Gauge
    window_error: Gauge
    segment_error: Gauge
    segment_error_difference: Gauge
    model_error: Gauge
    window_accuracy: Gauge
    window_labels: Gauge
    segment_accuracy: Gauge
    segment_difference: Gauge
    class_precision: Gauge
    class_recall: Gauge
    class_predicted: Gauge
    response_by_reason: Gauge
    label_latency_reached: Gauge
    console_open_items: Gauge
    console_answers: Counter
    outbox_waiting: Gauge
    outbox_age: Gauge
    label_studio_tasks: Counter
    label_studio_answers: Counter
    label_studio_open: Gauge
    label_studio_waiting: Gauge
    label_studio_webhooks: Counter
    label_studio_polled: Gauge
    rejected: Counter
    model_version: Gauge
    model_created: Gauge
    model_labels: Gauge
    snapshots_refused: Counter
    lag: Gauge
    transactions: Counter
    ready: Gauge
    retries: Counter
    build: Info

    def __init__(
        self,
        pipeline: str,
        *,
        roles: Iterable[str] = (GATE, TRAINER, CONSOLE, LABEL_STUDIO),
        process: bool = False,
    ) -> None:
        here = set(roles)
        self._own = CollectorRegistry()
        self._of_partitions: list[Counter | Gauge] = []
        for spec in CATALOGUE:
            instrument = _instrument(spec, self._own if here & set(spec.roles) else None, here)
            setattr(self, spec.attribute, instrument)
            if "partition" in spec.labels and isinstance(instrument, Counter | Gauge):
                self._of_partitions.append(instrument)
        #: What /metrics serves.
        self.registry = CollectorRegistry()
        self.registry.register(_WithPipeline(self._own, pipeline))
        if process:
            ProcessCollector(registry=self.registry)

    def forget_partition(self, topic: str, partition: int) -> None:
        """End the series of a partition that was revoked; another process shows them now."""
        for instrument in self._of_partitions:
            instrument.remove_by_labels({"topic": topic, "partition": str(partition)})

    def forget_leadership(self) -> None:
        """What only the leader knows is not known here any more."""
        for gauge in (
            self.pending,
            self.response_rate,
            self.annotators_quarantined,
            self.labels_held,
            self.disputes_open,
            self.annotator_alpha,
            self.annotator_noise,
            self.answer_noise,
            self.answer_error,
            self.noise_dominates,
            self.window_labels,
            self.error_objective,
        ):
            gauge.set(math.nan)
        for series in (
            self.stability_index,
            self.production_accuracy,
            self.model_accuracy,
            self.annotator_agreement,
            self.annotator_kappa,
            self.annotator_answers,
            self.production_error,
            self.window_error,
            self.segment_error,
            self.segment_error_difference,
            self.model_error,
            self.window_accuracy,
            self.segment_accuracy,
            self.segment_difference,
            self.class_precision,
            self.class_recall,
            self.class_predicted,
            self.response_by_reason,
            self.label_latency_reached,
        ):
            series.clear()

    @staticmethod
    def show(gauge: Gauge, series: Mapping[tuple[str, ...], float]) -> None:
        """Let a gauge have these series and no others: what has gone is not shown on.

        Args:
            gauge: of this object.
            series: values of its labels to value.
        """
        for labels, value in series.items():
            gauge.labels(*labels).set(value)
        (metric,) = gauge.collect()
        wanted = {frozenset(zip(gauge._labelnames, labels, strict=True)) for labels in series}  # noqa: SLF001  the client offers no list of its series
        for sample in metric.samples:
            if frozenset(sample.labels.items()) not in wanted:
                gauge.remove_by_labels(sample.labels)

    def value(self, name: str, labels: Mapping[str, str] | None = None) -> float | None:
        """The present value of one exported sample; None when there is no such series.

        Args:
            name: of the sample, so of a histogram with its suffix, such as `_count`.
            labels: all labels but `pipeline`.
        """
        return self._own.get_sample_value(name, dict(labels or {}))

    def total(self, name: str) -> float:
        """The present value of one exported sample, summed over its series.

        Args:
            name: of the sample, as for `value`.
        """
        return sum(
            sample.value
            for family in self._own.collect()
            for sample in family.samples
            if sample.name == name
        )


def exemplar(event_id: str) -> dict[str, str] | None:
    """What points from a histogram's bucket to an event; None where its id is too long for it.

    >>> exemplar("order-17")
    {'event_id': 'order-17'}
    """
    return {"event_id": event_id} if len(event_id) <= _LONGEST_ID else None


class _WithPipeline(Collector):
    """Adds the constant label when scraped, so that counting pays nothing for it."""

    def __init__(self, registry: CollectorRegistry, pipeline: str) -> None:
        self._registry = registry
        self._pipeline = pipeline

    def describe(self) -> Iterable[Metric]:
        """Lets the outer registry refuse a second collector of the same names."""
        return self.collect()

    def collect(self) -> Iterable[Metric]:
        """The metrics of the inner registry with one label more."""
        for metric in self._registry.collect():
            metric.samples = [
                sample._replace(labels={"pipeline": self._pipeline, **sample.labels})
                for sample in metric.samples
            ]
            yield metric


def _instrument(
    spec: MetricSpec, registry: CollectorRegistry | None, roles: set[str]
) -> _Instrument:
    if spec.kind is Kind.COUNTER:
        counter = Counter(spec.name, spec.help, spec.labels, registry=registry)
        _start_at_zero(counter, spec, roles)
        return counter
    if spec.kind is Kind.HISTOGRAM:
        return Histogram(spec.name, spec.help, spec.buckets, registry)
    if spec.kind is Kind.INFO:
        return Info(spec.name, spec.help, spec.labels, registry=registry)
    gauge = Gauge(spec.name, spec.help, spec.labels, registry=registry)
    if not spec.labels:
        gauge.set(spec.initial)
    return gauge


def _start_at_zero(counter: Counter, spec: MetricSpec, roles: set[str]) -> None:
    """Counts of roles that run elsewhere are theirs to show."""
    if spec.labels and set(spec.labels) == set(spec.known):
        known = {**spec.known}
        if "role" in known:
            known["role"] = tuple(role for role in known["role"] if role in roles)
        for values in product(*(known[label] for label in spec.labels)):
            counter.labels(*values)
