"""Recorded data as a stream: rows of a file become items with production's word and the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, cast

from pydantic import ValidationError

from streamal.core.learners.regression import LARGEST_VALUE
from streamal.core.types import Features, FeatureValue, Production, Task, Truth
from streamal.errors import SettingsInvalid
from streamal.events.prediction import Output
from streamal.roles.items import as_production
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
        label: the true class, or in a regression the true number.
    """

    event_id: str
    features: Features
    production: Production | None
    label: Truth


@dataclass(frozen=True, slots=True)
class Recording:
    """A file in stream order and what its columns mean.

    Attributes:
        path: CSV, JSON lines or Parquet.
        label: column with the true class or number; rows without one are left out.
        prediction: column with what production predicted; None when there is none.
        probabilities: prefix of the columns with production's class probabilities, the class
            follows it; None when there are none.
        limit: how many labelled rows are used; None for all.
        tolerance: in a regression, how far from the truth a prediction may be and still be right;
            None for a classification.
    """

    path: Path
    label: str
    prediction: str | None = None
    probabilities: str | None = None
    limit: int | None = None
    tolerance: float | None = None

    @property
    def task(self) -> Task:
        """What is predicted."""
        return Task.CLASSIFICATION if self.tolerance is None else Task.REGRESSION

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
                yield Item(f"row-{number}", row, production, self._truth(truth, number))

    def _truth(self, value: FeatureValue, number: int) -> Truth:
        if self.task is Task.CLASSIFICATION:
            return class_name(value)
        return self._number(value, self.label, number)

    def _number(self, value: FeatureValue, column: str, number: int) -> float:
        usable = isinstance(value, int | float) and not isinstance(value, bool)
        if not usable or not -LARGEST_VALUE <= cast("float", value) <= LARGEST_VALUE:
            raise SettingsInvalid(
                f"{self.path}, data row {number + 1}: {column}: {value!r} is no usable number"
            )
        return float(cast("float", value))

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
        if prefix is not None and self.task is Task.REGRESSION:
            problems.append("--probabilities: not with --task regression")
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
        if self.task is Task.REGRESSION:
            return Production(value=self._number(label, self.prediction or "", number))
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
        classes: the true classes, sorted; none in a regression.
    """

    events: int
    classes: tuple[str, ...]


def survey(recording: Recording) -> Survey:
    """Count the events and collect the classes, in bounded memory.

    Raises:
        SettingsInvalid: nothing is labelled, there is one class only, or too many to be classes.
    """
    events, classes = 0, set[str]()
    numbers = set[float]()
    for item in recording.items():
        events += 1
        if not isinstance(item.label, str):
            numbers = numbers if len(numbers) > 1 else {*numbers, item.label}
            continue
        classes.add(item.label)
        if len(classes) > _MOST_CLASSES:
            raise SettingsInvalid(
                f"--label = {recording.label!r}: more than {_MOST_CLASSES} different values; "
                "must be a column of classes; for numbers, --task regression"
            )
    if recording.task is Task.REGRESSION and len(numbers) > 1:
        return Survey(events, ())
    if recording.task is Task.REGRESSION:
        found = "all rows have the same number" if numbers else "no row has a label"
        raise SettingsInvalid(f"--label = {recording.label!r}: {found}; two are needed")
    if len(classes) < 2:
        found = "no row has a label" if not classes else "all rows have the same class"
        raise SettingsInvalid(f"--label = {recording.label!r}: {found}; two classes are needed")
    return Survey(events, tuple(sorted(classes)))


def _starting_with(prefix: str, row: Mapping[str, FeatureValue]) -> list[str]:
    return [name for name in row if name.startswith(prefix) and name != prefix]
