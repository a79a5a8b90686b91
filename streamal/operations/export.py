"""Labelled reviews as a table, for retraining production."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from streamal.bootstrap import Pipeline
from streamal.operations.replay import replayed_view
from streamal.operations.table_files import Cell, Columns, Kind, check_table, open_table
from streamal.operations.weighting import Weighted, Weighting, weighted_reviews
from streamal.state.pending import PendingView

__all__ = ["COLUMNS", "export"]

#: What every row has, whatever the events are like.
COLUMNS: Final = {
    "event_id": Kind.TEXT,
    "occurred_at": Kind.TIME,
    "decided_at": Kind.TIME,
    "labelled_at": Kind.TIME,
    "label": Kind.TEXT,
    "value": Kind.NUMBER,
    "annotators": Kind.WORDS,
    "adjudicated_by": Kind.TEXT,
    "weight": Kind.NUMBER,
    "propensity": Kind.NUMBER,
    "response_rate": Kind.NUMBER,
    "matured": Kind.FLAG,
    "reason": Kind.TEXT,
    "strategy": Kind.TEXT,
    "policy": Kind.TEXT,
    "score": Kind.NUMBER,
    "expected_correct": Kind.NUMBER,
    "production_label": Kind.TEXT,
    "production_value": Kind.NUMBER,
    "production_name": Kind.TEXT,
    "production_version": Kind.TEXT,
    "model_label": Kind.TEXT,
    "model_value": Kind.NUMBER,
    "model_version": Kind.NUMBER,
    "synthetic": Kind.FLAG,
}

#: What is not said of a made-up item: production never saw it, and it was not drawn.
_OF_EVENTS: Final = (
    "propensity",
    "response_rate",
    "expected_correct",
    "production_label",
    "production_value",
    "production_name",
    "production_version",
)


def export(pipeline: Pipeline, target: Path, *, start: float, end: float) -> int:
    """Write one row for each review with a final answer; the number of rows.

    Reads the topics into a file in the system's temporary folder first, so memory stays bounded.

    Args:
        pipeline: whose topics are read.
        target: ends in .parquet, .jsonl or .csv; an existing file is replaced.
        start: first instant of event time, seconds since the Unix epoch.
        end: first instant after.

    Raises:
        SettingsInvalid: `target` can't be written.
        TopicsInvalid: topics are missing or of the wrong shape.
        BrokerUnavailable: no broker answers.
    """
    settings = pipeline.settings
    weighting = Weighting(
        window_seconds=settings.estimation.window_seconds,
        label_ttl_seconds=settings.labels.ttl_seconds,
        now=pipeline.clock.now(),
    )
    check_table(target)
    with (
        TemporaryDirectory(prefix="streamal-export-") as folder,
        replayed_view(pipeline, Path(folder) / "view.sqlite3") as view,
    ):
        columns = Columns(COLUMNS)
        for row in _rows(view, start, end, weighting):
            columns.see(row)
        count = 0
        with open_table(target, columns.kinds()) as write:
            for row in _rows(view, start, end, weighting):
                write(row)
                count += 1
        return count


def _rows(
    view: PendingView, start: float, end: float, weighting: Weighting
) -> Iterator[dict[str, Cell]]:
    for weighted in weighted_reviews(view.measures, start, end, weighting, synthetic=True):
        yield _row(weighted)


def _row(weighted: Weighted) -> dict[str, Cell]:
    labelled, review = weighted.labelled, weighted.labelled.review
    row: dict[str, Cell] = {
        "event_id": review.event_id,
        "occurred_at": review.occurred_at,
        "decided_at": review.decided_at,
        "labelled_at": datetime.fromtimestamp(labelled.answered_at, UTC),
        "label": labelled.label,
        "value": labelled.value,
        "annotators": labelled.annotators,
        "adjudicated_by": labelled.adjudicated_by,
        "weight": weighted.weight,
        "propensity": review.propensity,
        "response_rate": weighted.response_rate,
        "matured": weighted.matured,
        "reason": review.reason,
        "strategy": review.strategy,
        "policy": review.policy,
        "score": review.score,
        "expected_correct": review.expected_correct,
        "production_label": review.prediction.label,
        "production_value": review.prediction.value,
        "production_name": review.produced_by.name,
        "production_version": review.produced_by.version,
        "model_label": review.model.label,
        "model_value": review.model.value,
        "model_version": review.model.version,
        "synthetic": review.synthetic,
    }
    if review.synthetic:
        row |= dict.fromkeys(_OF_EVENTS)
    for prefix, values in (
        ("probability", review.prediction.probabilities or {}),
        ("feature", review.features),
        ("metadata", review.metadata),
    ):
        row.update({f"{prefix}.{name}": value for name, value in values.items()})
    return row
