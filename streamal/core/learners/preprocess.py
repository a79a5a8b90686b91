"""The feature front end: mixed features in, numeric columns that a River classifier can use out.

River's transformers, chained, come close, but they let
NaN and infinity into the running moments, grow with every new category, take in unseen names while
*predicting*, and cannot flag what is missing; hence one class that looks at each feature once.

What becomes of a value (columns are named after their feature):

=====================  ============================================================================
number, boolean        column `name`; scaled to zero mean and unit variance where asked for
list of numbers        columns `name.0`, `name.1`, ...
text                   one-hot columns `name=value`, or one nominal column `name=`; a value that was
                       never learned, or came after the limit, is "other": column `name=`
null, NaN, infinite,   missing: the column is left out, or filled with the running mean (0 when
or not in the event    scaled); once a feature was missing from a learned item, column `name?`
                       flags it, 0 or 1
=====================  ============================================================================

A feature that is null and one that is not in the event are the same thing, because producers and
JSON writers drop nulls at will and the model must not tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol, TypeAlias

from streamal.core.types import Features

__all__ = ["AsIs", "Column", "Columns", "Encoding", "FrontEnd", "Preprocessor", "plain"]

#: What a classifier sees: a number, a nominal code in a 1-tuple (see `Encoding.NOMINAL`), or, in a
#: user's own pipeline, the text itself.
Column: TypeAlias = "float | str | tuple[int]"
Columns: TypeAlias = dict[str, Column]

#: Larger magnitudes count as missing: their squares, which the running variance sums up, overflow.
LARGEST = 1e100
#: Scaled values are clipped here, in standard deviations: one wild value would otherwise throw the
#: weights of a linear model off for thousands of items.
CLIP = 8.0
#: Longer texts are prose, not categories; as keys they would only fill memory.
LONGEST_CATEGORY = 256

_OTHER = -1


class FrontEnd(Protocol):
    """What stands between an event's features and a classifier."""

    def learn(self, features: Features) -> None:
        """Take note of one labelled item."""

    def encode(self, features: Features) -> Columns:
        """What the classifier sees of an item. Changes no state."""


class Encoding(StrEnum):
    """How categories and gaps reach the classifier.

    Attributes:
        SPARSE: one-hot, zeros and gaps left out; for linear models, where absent is zero.
        DENSE: one-hot, every known column always there; for models that need a full vector.
        NOMINAL: categories as codes in 1-tuples, gaps left out; for Hoeffding trees, which split on
            nominal values and route gaps down the most travelled branch by themselves. A tuple of
            an int is not a number, which is how River recognises a nominal value, and unlike text
            it hashes the same in every process, which keeps tied splits reproducible.
    """

    SPARSE = "sparse"
    DENSE = "dense"
    NOMINAL = "nominal"


def _sorted_out(
    features: Mapping[str, object],
) -> tuple[dict[str, float], dict[str, str], set[str]]:
    """The usable numbers (lists flattened), the texts, and the names of the features they are of.

    A feature whose name is not among the last is missing.
    """
    numbers: dict[str, float] = {}
    texts: dict[str, str] = {}
    present: set[str] = set()
    for name, value in features.items():
        if isinstance(value, (float, int)):
            if -LARGEST <= value <= LARGEST:  # NaN fails too
                numbers[name] = float(value)
                present.add(name)
        elif isinstance(value, str):
            texts[name] = value
            present.add(name)
        elif isinstance(value, (tuple, list)):
            for index, entry in enumerate(value):
                if isinstance(entry, (float, int)) and -LARGEST <= entry <= LARGEST:
                    numbers[f"{name}.{index}"] = float(entry)
                    present.add(name)
    return numbers, texts, present


def plain(features: Features) -> Columns:
    """Features for a user's own pipeline: as they are, lists flattened, missing values left out.

    >>> plain({"size": 3, "colour": "red", "age": None, "place": (0.5, 2)})
    {'size': 3.0, 'place.0': 0.5, 'place.1': 2.0, 'colour': 'red'}
    """
    numbers, texts, _ = _sorted_out(features)
    return {**numbers, **texts}


class AsIs:
    """The front end of a user's own pipeline: `plain`, nothing learned."""

    def learn(self, features: Features) -> None:
        """Nothing to learn."""

    def encode(self, features: Features) -> Columns:
        """The features, plain."""
        return plain(features)


class _Moments:
    """Running mean and variance of each number; the arithmetic of River's StandardScaler.

    River's own brings its trees, its data sets and SciPy, see `river_classes`.

    Source: Welford (1962), "Note on a Method for Calculating Corrected Sums of Squares and
    Products", Technometrics 4.
    """

    def __init__(self) -> None:
        self.means: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._variances: dict[str, float] = {}

    def learn_one(self, numbers: Mapping[str, float]) -> None:
        """Take in one item's numbers."""
        for name, x in numbers.items():
            count = self._counts[name] = self._counts.get(name, 0) + 1
            before, variance = self.means.get(name, 0.0), self._variances.get(name, 0.0)
            mean = self.means[name] = before + (x - before) / count
            self._variances[name] = variance + ((x - before) * (x - mean) - variance) / count

    def transform_one(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Distances from the means in standard deviations; 0 where nothing varied."""
        scaled = {}
        for name, x in numbers.items():
            variance = self._variances.get(name, 0.0)
            scaled[name] = (x - self.means[name]) / variance**0.5 if variance else 0.0
        return scaled


class Preprocessor:
    """Learns names, means, variances and categories from labelled items; encodes any item.

    Memory is bounded by the two limits whatever the stream brings.

    Args:
        encoding: how categories and gaps reach the classifier.
        scale: whether numbers are scaled to zero mean and unit variance, and clipped at `CLIP`.
        max_categories: categories per feature with a column of their own, >= 1; first come.
        max_columns: columns in all, >= 1; what comes later is ignored or "other".
    """

    def __init__(
        self,
        encoding: Encoding,
        *,
        scale: bool,
        max_categories: int = 50,
        max_columns: int = 1000,
    ) -> None:
        self._encoding = encoding
        self._scale = scale
        self._max_categories = max_categories
        self._max_columns = max_columns
        self._moments = _Moments()
        #: Per text feature: category to its code, in order of appearance.
        self._categories: dict[str, dict[str, int]] = {}
        #: Features that learned items had, and whether one of a later item was missing. A feature
        #: that only new versions of production send is not missing from older items.
        self._gaps: dict[str, bool] = {}
        self._any_gap = False
        self._columns = 0

    def learn(self, features: Features) -> None:
        """Take note of one item's names, numbers and categories."""
        numbers, texts, present = _sorted_out(features)
        means = self._moments.means
        self._learn_gaps(present)
        for name in numbers:
            if name not in means and self._room():
                means[name] = 0.0
        self._moments.learn_one({name: x for name, x in numbers.items() if name in means})
        for name, text in texts.items():
            self._learn_category(name, text)

    def encode(self, features: Features) -> Columns:
        """The item's columns, as far as they were learned. Changes no state."""
        numbers, texts, present = _sorted_out(features)
        means = self._moments.means
        known = {name: x for name, x in numbers.items() if name in means}
        columns: Columns = self._scaled(known) if self._scale else {**known}
        if self._encoding is Encoding.DENSE and len(known) < len(means):
            for name, mean in means.items():
                if name not in known:
                    columns[name] = 0.0 if self._scale else mean
        if self._categories:
            self._encode_categories(columns, texts)
        if self._any_gap:
            self._encode_gaps(columns, present)
        return columns

    def _room(self) -> bool:
        """Whether one more column fits; counts it when it does."""
        if self._columns >= self._max_columns:
            return False
        self._columns += 1
        return True

    def _learn_gaps(self, present: set[str]) -> None:
        """Flag known features that this item lacks, then know the ones it has."""
        for name, flagged in self._gaps.items():
            if not flagged and name not in present and self._room():
                self._gaps[name] = self._any_gap = True
        for name in sorted(present - self._gaps.keys()):
            if len(self._gaps) < self._max_columns:
                self._gaps[name] = False

    def _learn_category(self, name: str, text: str) -> None:
        if name not in self._categories:
            if not self._room():
                return
            self._categories[name] = {}
        codes = self._categories[name]
        if text in codes or len(codes) >= self._max_categories or len(text) > LONGEST_CATEGORY:
            return
        if self._room():
            codes[text] = len(codes)

    def _scaled(self, numbers: dict[str, float]) -> Columns:
        scaled: dict[str, float] = self._moments.transform_one(numbers)
        return {
            name: x if -CLIP <= x <= CLIP else (CLIP if x > 0 else -CLIP)
            for name, x in scaled.items()
        }

    def _encode_categories(self, columns: Columns, texts: dict[str, str]) -> None:
        if self._encoding is Encoding.NOMINAL:
            for name, text in texts.items():
                if (codes := self._categories.get(name)) is not None:
                    columns[f"{name}="] = (codes.get(text, _OTHER),)
            return
        if self._encoding is Encoding.DENSE:
            for name, codes in self._categories.items():
                columns[f"{name}="] = 0.0
                for category in codes:
                    columns[f"{name}={category}"] = 0.0
        for name, text in texts.items():
            if (codes := self._categories.get(name)) is not None:
                columns[f"{name}={text}" if text in codes else f"{name}="] = 1.0

    def _encode_gaps(self, columns: Columns, present: set[str]) -> None:
        sparse = self._encoding is Encoding.SPARSE
        for name, flagged in self._gaps.items():
            missing = name not in present
            if flagged and (missing or not sparse):
                columns[f"{name}?"] = 1.0 if missing else 0.0
