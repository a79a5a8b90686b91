"""Queries that several dashboards ask."""

from __future__ import annotations

from typing import Final

from deploy.grafana.panels import Panel, Query, Unit, View

__all__ = ["CHOSEN", "mean", "number", "quantile", "rate"]

#: Matcher of the pipelines that are chosen on the dashboard.
CHOSEN: Final = 'pipeline=~"$pipeline"'
_NUMBER_WIDTH: Final = 4


def rate(metric: str, by: str) -> str:
    """Increase of a counter in a second, summed to the labels `by` (separated by commas)."""
    return f"sum by ({by}) (rate({metric}{{{CHOSEN}}}[$__rate_interval]))"


def quantile(share: float, metric: str) -> Query:
    """A quantile of a histogram, for `share` in (0, 1)."""
    buckets = rate(f"{metric}_bucket", "pipeline, le")
    return Query(f"histogram_quantile({share:g}, {buckets})", f"{{{{pipeline}}}} p{share * 100:g}")


def mean(metric: str, legend: str) -> Query:
    """The mean of what a histogram observed."""
    return Query(
        f"{rate(f'{metric}_sum', 'pipeline')} / {rate(f'{metric}_count', 'pipeline')}", legend
    )


def number(title: str, meaning: str, query: str, unit: Unit = Unit.COUNT) -> Panel:
    """A panel that shows the latest value as a number."""
    return Panel(title, meaning, [Query(query)], unit, View.NUMBER, _NUMBER_WIDTH)
