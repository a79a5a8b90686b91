"""Commands that hand out what was learned: labelled data and the report of a period."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from streamal.cli.common import Config, open_pipeline, read_settings
from streamal.errors import SettingsInvalid

__all__ = ["export", "report"]

_MONTH_SECONDS = 30 * 86_400.0

#: ISO 8601 as people write it; without a zone it is UTC.
_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]

From = Annotated[
    datetime | None,
    typer.Option("--from", formats=_FORMATS, help="First instant of event time; UTC if no zone."),
]
Until = Annotated[
    datetime | None,
    typer.Option("--until", formats=_FORMATS, help="First instant after; UTC if no zone."),
]


def export(
    to: Annotated[Path, typer.Option("--to", help="File to write: .parquet, .jsonl or .csv.")],
    config: Config = None,
    since: From = None,
    until: Until = None,
) -> None:
    """Write one row per labelled event: features, prediction, label, weight; to retrain production.

    The weight says how many events a row stands for, so that weighted training and evaluation speak
    for all events and not for those that looked wrong.
    """
    from streamal.operations.export import export as write_export

    with open_pipeline(read_settings(config)) as pipeline:
        rows = write_export(pipeline, to, start=_seconds(since, 0.0), end=_seconds(until, math.inf))
    typer.echo(f"{to}: {rows} rows")


def report(
    to: Annotated[Path, typer.Option("--to", help="HTML file to write.")],
    config: Config = None,
    since: From = None,
    until: Until = None,
    price_per_label: Annotated[
        float | None, typer.Option(min=0, help="What one answer of one annotator costs.")
    ] = None,
    currency: Annotated[str, typer.Option(help="Written behind amounts, such as EUR.")] = "",
) -> None:
    """Write a page about a period: quality, drift, reviewers, cost, and what to retrain on.

    The last 30 days unless told otherwise. The file needs nothing else: no network, no scripts.
    """
    from streamal.operations.period import look_back
    from streamal.operations.period_page import Price, period_page

    with open_pipeline(read_settings(config)) as pipeline:
        end = _seconds(until, pipeline.clock.now())
        start = _seconds(since, end - _MONTH_SECONDS)
        if start >= end:
            raise SettingsInvalid("--from: must lie before --until")
        period = look_back(pipeline, start=start, end=end)
    text = period_page(period, Price(price_per_label, currency))
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsInvalid(f"--to = {to}: can't be written ({error.strerror})") from error
    typer.echo(f"{to}: {period.events:,} events, {period.work.finished:,} labelled")


def _seconds(moment: datetime | None, otherwise: float) -> float:
    if moment is None:
        return otherwise
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return zoned.timestamp()
