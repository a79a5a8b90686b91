"""A histogram that counts a batch at once: `observe` for each of its events would cost more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

import numpy as np
from numpy.typing import ArrayLike
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.samples import Exemplar


class Histogram(Collector):
    """Counts values in buckets, without labels; may be used by several threads.

    Args:
        name: of the metric.
        documentation: text of the HELP line.
        buckets: upper bounds, ascending and finite; each bound belongs to its bucket.
        registry: where it is exported; None for nowhere.
    """

    def __init__(
        self,
        name: str,
        documentation: str,
        buckets: Sequence[float],
        registry: CollectorRegistry | None,
    ) -> None:
        self._name = name
        self._documentation = documentation
        self._bounds = np.asarray(buckets, dtype=np.float64)
        self._counts = np.zeros(len(buckets) + 1, dtype=np.int64)
        self._sum = 0.0
        self._exemplars: list[Exemplar | None] = [None] * (len(buckets) + 1)
        self._lock = Lock()
        if registry is not None:
            registry.register(self)

    def observe(self, value: float, exemplar: dict[str, str] | None = None) -> None:
        """Count one value.

        Args:
            value: to count.
            exemplar: labels that lead to where it came from.
        """
        self.observe_all([value], lambda _: exemplar)

    def observe_equal(self, value: float, count: int) -> None:
        """Count one value several times."""
        with self._lock:
            self._counts[np.searchsorted(self._bounds, value)] += count
            self._sum += value * count

    def observe_all(
        self, values: ArrayLike, exemplar: Callable[[int], dict[str, str] | None] | None = None
    ) -> None:
        """Count the values of a batch.

        Args:
            values: shape (n,).
            exemplar: labels that lead to the value at a position; asked once for each bucket that
                the batch reaches.
        """
        array = np.asarray(values, dtype=np.float64)
        places = np.searchsorted(self._bounds, array)
        counts = np.bincount(places, minlength=len(self._counts))
        latest = {place: number for number, place in enumerate(places.tolist())}
        with self._lock:
            self._counts += counts
            self._sum += float(array.sum())
            if exemplar is not None:
                for place, number in latest.items():
                    labels = exemplar(number)
                    if labels is not None:
                        value = float(array[number])
                        self._exemplars[place] = Exemplar(labels, value, time.time())

    @contextmanager
    def time(self) -> Iterator[None]:
        """Count the seconds that the body takes."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.observe(time.perf_counter() - started)

    def collect(self) -> Iterable[Metric]:
        """The buckets, cumulated, with their exemplars."""
        with self._lock:
            cumulated, total = self._counts.cumsum().tolist(), self._sum
            exemplars = list(self._exemplars)
        family = HistogramMetricFamily(self._name, self._documentation)
        bounds = [*map(str, self._bounds.tolist()), "+Inf"]
        family.add_metric(
            [],
            [
                (bound, count) if exemplar is None else (bound, count, exemplar)
                for bound, count, exemplar in zip(bounds, cumulated, exemplars, strict=True)
            ],
            total,
        )
        return [family]
