"""What every section is given, and what it returns."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:  # it needs the throughput group, what is here does not
    from benchmarks.throughput.log import Log


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says.

    Attributes:
        events: measured events of a row; slow rows take a part of them.
        warm_up: events before those.
        repeat: runs of each row, interleaved with those of the others.
        rows: parts of names; only rows that have one of them in their name are run. Empty: all.
        pending: reviews without an answer that a restart finds.
        endurance: events of the long run.
        labels: labels that the trainer learns.
        seconds: how long latency is measured at each rate.
        data: recording to backtest, and its column with the label; None makes one.
    """

    events: int
    warm_up: int
    repeat: int
    rows: tuple[str, ...]
    pending: int
    endurance: int
    labels: int
    seconds: float
    data: tuple[Path, str] | None

    def wants(self, row: str) -> bool:
        """Whether to run the row of this name."""
        return not self.rows or any(part in row for part in self.rows)


@dataclass(frozen=True, slots=True)
class Bench:
    """The broker, a folder for files, and the options."""

    log: Log
    options: Options
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="streamal-bench-")))

    def new_topic(self, partitions: int = 1) -> str:
        """An empty topic with a name of its own."""
        name = f"t{uuid.uuid4().hex[:8]}"
        self.log.create(name, partitions)
        return name


@dataclass(frozen=True, slots=True)
class Spread:
    """Median of repeated runs, with the least and the largest: machines are noisy."""

    median: float
    least: float
    largest: float

    @classmethod
    def of(cls, values: Sequence[float], digits: int = 2) -> Spread:
        """Of one value or more, rounded."""
        return cls(*(round(each, digits) for each in (median(values), min(values), max(values))))

    def __str__(self) -> str:
        if self.least == self.largest:
            return f"{self.median:,}"
        return f"{self.median:,} ({self.least:,} to {self.largest:,})"


@dataclass(frozen=True, slots=True)
class Result:
    """A section's outcome.

    Attributes:
        rows: for the JSON; anything that it can hold.
        table: the same for people.
    """

    rows: Any
    table: Table


def table(title: str, *columns: str) -> Table:
    """An empty table: names to the left, figures to the right."""
    empty = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        empty.add_column(column, justify="right" if number else "left")
    return empty
