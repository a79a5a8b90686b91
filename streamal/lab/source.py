"""Recorded data as a stream: rows of a file become items with production's word and the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from streamal.core.types import Features, FeatureValue, Production
from streamal.errors import SettingsInvalid
from streamal.events.prediction import Output
from streamal.roles.intake import as_production
from streamal.tabular import Row, class_name, read_rows

__all__ = ["Item", "Recording", "Survey", "survey"]

#: More "classes" are a number to predict, or identifiers; no learner here takes them.
_MOST_CLASSES: Final = 1000


@dataclass(frozen=True, slots=True)
class Item:
    """One recorded event.

    Attributes:
        event_id: from its place in the file, so that every run draws the same numbers for it.
        features: all columns that are neither label nor production's prediction.
        production: what production said; None when the recording does not tell.
        label: the true class.
    """

    event_id: str
    features: Features
    production: Production | None
    label: str


@dataclass(frozen=True, slots=True)
class Recording:
    """A file in stream order and what its columns mean.

    Attributes:
        path: CSV, JSON lines or Parquet.
        label: column with the true class; rows without one are left out.
        prediction: column with the class that production chose; None when there is none.
        probabilities: prefix of the columns with production's class probabilities, the class
            follows it; None when there are none.
        limit: how many labelled rows are used; None for all.
    """

    path: Path
    label: str
    prediction: str | None = None
    probabilities: str | None = None
    limit: int | None = None

    @property
    def tells_production(self) -> bool:
        """Whether production's predictions are recorded."""
        return self.prediction is not None or self.probabilities is not None

    def items(self) -> Iterator[Item]:
        """The labelled rows in file order, one at a time.

        Raises:
            SettingsInvalid: the file or a column cannot be used.
        """
        return islice(self._items(), self.limit)

    def _items(self) -> Iterator[Item]:
        if not self.path.is_file():
            raise SettingsInvalid(f"DATA = '{self.path}': no such file")
        for number, row in enumerate(read_rows(self.path)):
            if number == 0:
                self._check_columns(row)
            truth = row.pop(self.label, None)
            production = self._production(row, number) if self.tells_production else None
            if truth is not None:
                yield Item(f"row-{number}", row, production, class_name(truth))

    def _check_columns(self, row: Row) -> None:
        """Raise one line for each column that is named and not there."""
        problems = [
            f"{option} = {column!r}: no such column; {self.path.name} has {', '.join(row)}"
            for option, column in (("--label", self.label), ("--prediction", self.prediction))
            if column is not None and column not in row
        ]
        if self.prediction == self.label:
            problems.append("--prediction: is the column of --label; they must differ")
        prefix = self.probabilities
        if prefix is not None and not _starting_with(prefix, row):
            problems.append(
                f"--probabilities = {prefix!r}: no column begins like this; "
                f"{self.path.name} has {', '.join(row)}"
            )
        if problems:
            raise SettingsInvalid(*problems)

    def _production(self, row: Row, number: int) -> Production:
        """Take production's columns out of `row`; the rules are those of events on the wire."""
        label = row.pop(self.prediction, None) if self.prediction is not None else None
        output: dict[str, object] = {}
        if label is not None:
            output["label"] = class_name(label)
        if self.probabilities is not None:
            columns = {name: row.pop(name) for name in _starting_with(self.probabilities, row)}
            output["probabilities"] = {
                name.removeprefix(self.probabilities): p
                for name, p in columns.items()
                if p is not None
            }
        try:
            return as_production(Output.model_validate(output))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "production's prediction"
            raise SettingsInvalid(
                f"{self.path}, data row {number + 1}: {where}: {first['msg']}"
            ) from error


@dataclass(frozen=True, slots=True)
class Survey:
    """What one pass over a recording finds.

    Attributes:
        events: labelled rows.
        classes: the true classes, sorted.
    """

    events: int
    classes: tuple[str, ...]


def survey(recording: Recording) -> Survey:
    """Count the events and collect the classes, in bounded memory.

    Raises:
        SettingsInvalid: nothing is labelled, there is one class only, or too many to be classes.
    """
    events, classes = 0, set[str]()
    for item in recording.items():
        events += 1
        classes.add(item.label)
        if len(classes) > _MOST_CLASSES:
            raise SettingsInvalid(
                f"--label = {recording.label!r}: more than {_MOST_CLASSES} different values; "
                "must be a column of classes"
            )
    if len(classes) < 2:
        found = "no row has a label" if not classes else "all rows have the same class"
        raise SettingsInvalid(f"--label = {recording.label!r}: {found}; two classes are needed")
    return Survey(events, tuple(sorted(classes)))


def _starting_with(prefix: str, row: Mapping[str, FeatureValue]) -> list[str]:
    return [name for name in row if name.startswith(prefix) and name != prefix]
