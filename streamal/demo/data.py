"""The demo's stream: real data that ships inside River, or the user's own, with a drift put in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median, pstdev
from typing import Final, TypeGuard

from river import datasets

from streamal.core.types import Features, FeatureValue
from streamal.errors import SettingsInvalid
from streamal.tabular import class_name, read_rows

__all__ = ["Item", "built_in", "from_file", "with_drift"]

#: Fewer rows show nothing: the first part trains production, the rest is the stream.
_FEWEST_ROWS: Final = 500
#: How many features the drift mirrors.
_MIRRORED: Final = 2


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled row."""

    features: Features
    label: str


def built_in() -> list[Item]:
    """River's copy of the Shuttle data: 49,097 readings of 9 sensors, 7 % of them anomalies.

    Source: UCI Machine Learning Repository, Statlog (Shuttle), as prepared for outlier detection.
    """
    return [Item(features, class_name(label)) for features, label in datasets.Shuttle()]


def from_file(path: Path, label: str | None) -> list[Item]:
    """The rows of a CSV or JSON-lines file, in file order.

    Raises:
        SettingsInvalid: no label column given or found, one class only, or too few rows.
    """
    if label is None:
        raise SettingsInvalid("--label is missing: --data needs the column with the true class")
    items = list(_labelled(path, label))
    if len(items) < _FEWEST_ROWS:
        raise SettingsInvalid(
            f"--data = '{path}': {len(items)} labelled rows; at least {_FEWEST_ROWS} are needed"
        )
    if len({item.label for item in items}) < 2:
        raise SettingsInvalid(f"--label = {label!r}: all rows have the same class")
    return items


def _labelled(path: Path, label: str) -> Iterator[Item]:
    if not path.is_file():
        raise SettingsInvalid(f"--data = '{path}': no such file")
    for row in read_rows(path):
        if label not in row:
            raise SettingsInvalid(f"--label = {label!r}: no such column; allowed: {', '.join(row)}")
        truth = row.pop(label)
        if truth is not None:
            yield Item(row, class_name(truth))


def with_drift(items: Sequence[Item], at: int) -> tuple[list[Item], str]:
    """The stream with a change of concept from position `at` on, and words that describe it.

    The features that tell the classes apart best are mirrored at their median, as if these sensors
    had been mounted the wrong way round: what they read means something else from then on.
    """
    names = sorted(_numeric(items), key=lambda name: -_separation(items, name))[:_MIRRORED]
    if not names:
        raise SettingsInvalid("--data: has no numeric column to put a drift into")
    centres = {name: median(_numbers(items, name)) for name in names}
    changed = [
        Item(_mirrored(item.features, centres), item.label) if position >= at else item
        for position, item in enumerate(items)
    ]
    return changed, f"the readings of {' and '.join(names)} are mirrored"


def _mirrored(features: Features, centres: Mapping[str, float]) -> Features:
    mirrored = dict(features)
    for name, centre in centres.items():
        value = features.get(name)
        if _is_number(value):
            mirrored[name] = 2 * centre - value
    return mirrored


def _separation(items: Sequence[Item], name: str) -> float:
    """Largest distance between two classes' means, in standard deviations."""
    by_class: dict[str, list[float]] = defaultdict(list)
    for item in items:
        value = item.features.get(name)
        if _is_number(value):
            by_class[item.label].append(value)
    means = [fmean(values) for values in by_class.values()]
    spread = pstdev(_numbers(items, name))
    return (max(means) - min(means)) / spread if spread > 0 else 0.0


def _numeric(items: Iterable[Item]) -> list[str]:
    """Names of the features that hold a number somewhere, in order of appearance."""
    names = (name for item in items for name, value in item.features.items() if _is_number(value))
    return list(dict.fromkeys(names))


def _numbers(items: Iterable[Item], name: str) -> list[float]:
    values = (item.features.get(name) for item in items)
    return [value for value in values if _is_number(value)]


def _is_number(value: FeatureValue) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
