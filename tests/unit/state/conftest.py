"""Builds the records that a trainer reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest

from streamal.events import (
    AnnotatorRuling,
    LabelEvent,
    ModelRef,
    ModelView,
    Output,
    ReviewRequest,
    WindowStats,
)
from streamal.ports import Record
from streamal.state import GOLD_HEADER, PendingView

#: When the reviews of these tests are decided, in epoch seconds.
START = 1_700_000_000.0


def at(seconds: float) -> datetime:
    """A moment `seconds` after the start."""
    return datetime.fromtimestamp(START + seconds, UTC)


@dataclass(frozen=True)
class Records:
    """Makes records of one pipeline; times are in seconds after `START`."""

    pipeline: str = "orders"
    start: float = START

    def review(
        self,
        offset: int,
        event_id: str,
        *,
        decided: float = 0,
        ttl: float = 100,
        partition: int = 0,
        production: str | None = "good",
        model: str | None = "bad",
        pipeline: str | None = None,
        required: int = 1,
        gold: str | None = None,
    ) -> Record:
        """A review that was decided five seconds after its event."""
        prediction = Output(value=1.0) if production is None else Output(label=production)
        review = ReviewRequest(
            event_id=event_id,
            pipeline=pipeline or self.pipeline,
            occurred_at=at(decided - 5),
            decided_at=at(decided),
            expires_at=at(decided + ttl),
            features={"amount": 3.5, "country": "de", "history": (1.0, 2.0)},
            prediction=prediction,
            model=ModelView(version=3, label=model),
            produced_by=ModelRef(),
            score=0.9,
            strategy="margin",
            policy="quantile",
            threshold=0.8,
            propensity=0.25,
            reason="exploration",
            priority=1.0,
            expected_correct=0.75,
            required_labels=required,
        )
        record = self.record("reviews", offset, review.to_bytes(), decided, partition)
        return record if gold is None else record._replace(headers=((GOLD_HEADER, gold.encode()),))

    def label(
        self,
        offset: int,
        event_id: str,
        label: str | None = "good",
        *,
        annotator: str = "a",
        value: float | None = None,
        withdrawn: bool = False,
        adjudicates: bool = False,
        arrived: float = 10,
        partition: int = 0,
        unsure: bool = False,
        skip: bool = False,
        features: dict[str, float] | None = None,
    ) -> Record:
        """An answer."""
        event = LabelEvent.model_validate(
            {
                "event_id": event_id,
                "label": label,
                "value": value,
                "annotator": annotator,
                "withdrawn": withdrawn,
                "adjudicates": adjudicates,
                "labelled_at": at(arrived - 1),
                "unsure": unsure,
                "skip": skip,
                "features": features,
            }
        )
        return self.record("labels", offset, event.to_bytes(), arrived, partition)

    def ruling(
        self,
        offset: int,
        annotator: str,
        ruling: Literal["quarantine", "release", "dismiss"],
        *,
        arrived: float = 10,
    ) -> Record:
        """A lead's decision about an annotator."""
        event = AnnotatorRuling(
            annotator=annotator, ruling=ruling, ruled_by="lead", ruled_at=at(arrived)
        )
        return self.record("labels", offset, event.to_bytes(), arrived)

    def window(
        self, offset: int, *, start: float = 0, partition: int = 0, pipeline: str | None = None
    ) -> Record:
        """An increment of ten events to a window of a minute."""
        window = WindowStats(
            pipeline=pipeline or self.pipeline,
            partition=partition,
            window_start=at(start),
            window_seconds=60,
            events=10,
            routed=2,
            unreachable=1,
            sum_expected_correct=6.5,
            sum_propensity=1.5,
        )
        return self.record("windows", offset, window.to_bytes(), start, partition)

    def record(
        self, topic: str, offset: int, value: bytes | None, seconds: float = 0, partition: int = 0
    ) -> Record:
        """Any record."""
        timestamp_ms = round((self.start + seconds) * 1000)
        return Record(topic, partition, offset, timestamp_ms, None, value)


@pytest.fixture
def make() -> Records:
    return Records()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "view.sqlite3"


@pytest.fixture
def view() -> Iterator[PendingView]:
    opened = PendingView(":memory:", pipeline="orders")
    yield opened
    opened.close()
