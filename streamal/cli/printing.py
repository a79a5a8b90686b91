"""Documents as people read them on a terminal."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from streamal.core.types import Task
from streamal.events import ComparedLoss, LossQuality, QualityReport, Reported, ReportedLoss
from streamal.operations.catalogue import Catalogue, Entry
from streamal.operations.inspect import Inspection

__all__ = ["print_catalogue", "print_inspection", "print_table"]


def print_table(rows: list[dict[str, Any]], title: str | None = None) -> None:
    """Print rows that have the same keys."""
    table = Table(title=title, title_justify="left")
    for column in rows[0] if rows else ("nothing",):
        table.add_column(column)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row.values()))
    Console().print(table)


def print_catalogue(found: Catalogue) -> None:
    """Print every registered part with its parameters."""
    _entries("Query strategies (gate.strategy)", found.strategies)
    _entries("Budget policies (gate.policy)", found.policies)
    _entries("Learners (learner.name)", found.learners)
    _entries("Learners for regression (learner.name)", found.regressors)
    _entries("Drift detectors (drift.detectors)", found.detectors)
    _metrics(found)


def _metrics(found: Catalogue) -> None:
    console = Console()
    console.print("\nMetrics (on /metrics of telemetry.port)", style="bold", markup=False)
    for metric in found.metrics:
        labels = f" by {', '.join(metric.labels)}" if metric.labels else ""
        console.print(f"  {metric.name}", style="cyan", markup=False)
        console.print(f"    {metric.type}{labels}: {metric.help}", markup=False)


def _entries(title: str, entries: list[Entry]) -> None:
    console = Console()
    console.print(f"\n{title}", style="bold", markup=False)
    for entry in entries:
        console.print(f"  {entry.name}", style="cyan", markup=False)
        console.print(f"    {entry.summary}", markup=False)
        if len(entry.tasks) < len(Task):
            console.print(f"    For {', '.join(entry.tasks)}.", markup=False)
        for told in _told_of(entry):
            console.print(f"    {told}", markup=False)
        for parameter in entry.parameters:
            allowed = f" ({parameter.allowed})" if parameter.allowed else ""
            console.print(
                f"      {parameter.name} = {parameter.default}: {parameter.description}{allowed}",
                markup=False,
            )


def _told_of(entry: Entry) -> list[str]:
    """What else is known of it, a line each."""
    lines = {
        "Formula": entry.formula,
        "Range": entry.range,
        "With gate.exploration = 0, propensity 0 for": entry.zero_propensity,
        "Source": entry.source,
    }
    return [f"{title}: {text}" for title, text in lines.items() if text]


def print_inspection(found: Inspection) -> None:
    """Print the state of a pipeline."""
    if found.model is None:
        typer.echo(f"{found.pipeline}: no model was published yet")
    else:
        typer.echo(
            f"{found.pipeline}: model version {found.model.version} ({found.model.learner}), "
            f"{found.model.labels_learned} labels, {found.model.created_at}"
        )
    if found.refused:
        typer.echo(f"newest snapshot refused: {found.refused}")
    typer.echo(f"pending reviews: {found.pending}, labels not read yet: {found.labels_lag}")
    if found.quarantined or found.disputes:
        typer.echo(
            f"waiting for a lead: {found.disputes} disputes, {found.quarantined} annotators in "
            "quarantine"
        )
    if found.noise_dominates:
        typer.echo(_noise(found))
    if found.quality is not None:
        _print_quality(found.quality)
    print_table([lane.model_dump() for lane in found.gates], "gates")


def _noise(found: Inspection) -> str:
    if found.answer_error is None:
        noise, what = f"{found.answer_noise:.1%} wrong", "accuracy"
    else:
        noise, what = f"off by {found.answer_error:.3g}", "error"
    return (
        f"noise in the answers ({noise}) may move the {what} estimate by more than its interval "
        "says"
    )


def _print_quality(found: QualityReport) -> None:
    """The estimates, in percent; the intervals of segments and differences hold at all times."""
    overall = {"production": found.production, "last window": found.window, "model": found.model}
    print_table([{"": name, **_told(part)} for name, part in overall.items()], "accuracy, %")
    segments = [
        {"segment": each.segment, "value": each.value, **_told(each.accuracy)}
        for each in found.segments
    ]
    differences = [
        {
            "segment": each.segment,
            "value": each.value,
            "against": each.reference,
            **_told(each.difference),
            "worse": "yes" if each.worse else "no",
        }
        for each in found.differences
    ]
    classes = [
        {"class": each.name, "": name, **_told(part)}
        for each in found.classes
        for name, part in (("precision", each.precision), ("recall", each.recall))
    ]
    for rows, title in (
        (segments, "production's accuracy by segment, %"),
        (differences, "segments compared, accuracy minus the reference's, points"),
        (classes, "production by class, %"),
    ):
        if rows:
            print_table(rows, title)
    if found.loss is not None:
        _print_losses(found, found.loss)


def _print_losses(found: QualityReport, loss: LossQuality) -> None:
    overall = {"production": loss.production, "last window": loss.window, "model": loss.model}
    print_table(
        [{"": name, **_told_loss(part)} for name, part in overall.items()], "mean absolute error"
    )
    segment_losses = [
        {"segment": each.segment, "value": each.value, **_told_loss(each.loss)}
        for each in found.segments
        if each.loss is not None
    ]
    compared_losses = [
        {
            "segment": each.segment,
            "value": each.value,
            "against": each.reference,
            **_told_loss(each.loss),
            "worse": "yes" if each.loss.worse else "no",
        }
        for each in found.differences
        if each.loss is not None
    ]
    for rows, title in (
        (segment_losses, "mean absolute error by segment"),
        (compared_losses, "segments compared, mean absolute error minus the reference's"),
    ):
        if rows:
            print_table(rows, title)


def _told_loss(part: ReportedLoss | ComparedLoss) -> dict[str, object]:
    return {
        "estimate": "" if part.value is None else f"{part.value:.4g}",
        "low": "" if part.low is None else f"{part.low:.4g}",
        "high": "" if part.high is None else f"{part.high:.4g}",
        "labels": part.labelled,
        "events": part.events,
        "reliable": "yes" if part.reliable else "no",
    }


def _told(part: Reported) -> dict[str, object]:
    return {
        "estimate": "" if part.value is None else f"{100 * part.value:.1f}",
        "low": f"{100 * part.low:.1f}",
        "high": f"{100 * part.high:.1f}",
        "labels": part.labelled,
        "events": part.events,
        "reliable": "yes" if part.reliable else "no",
    }
