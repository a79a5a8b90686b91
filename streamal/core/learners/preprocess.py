"""The feature front end: mixed features in, numeric columns that a River classifier can use out.

River's transformers, chained, come close, but they take one item at a time, let NaN and infinity
into the running moments, grow with every new category, take in unseen names while *predicting*, and
cannot flag what is missing; hence one class that looks at each feature once.

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

from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from streamal.core.features import FeatureColumns, Vector
from streamal.core.learners.encoded import Encoded, Table

__all__ = ["AsIs", "Encoding", "FrontEnd", "Preprocessor"]

#: Scaled values are clipped here, in standard deviations: one wild value would otherwise throw the
#: weights of a linear model off for thousands of items.
CLIP = 8.0
#: Longer texts are prose, not categories; as keys they would only fill memory.
LONGEST_CATEGORY = 256

_OTHER = -1


class FrontEnd(Protocol):
    """What stands between an event's features and a classifier."""

    def learn(self, features: FeatureColumns) -> None:
        """Take note of one labelled item, a batch of one."""

    def encode(self, features: FeatureColumns) -> Encoded:
        """What the classifier sees of some items. Changes no state."""


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


class AsIs:
    """The front end of a user's own pipeline; learns nothing.

    Features are as they are, lists flattened, missing values left out.

    >>> item = FeatureColumns([{"size": 3, "colour": "red", "age": None, "place": (0.5, 2)}])
    >>> AsIs().encode(item).rows
    [{'size': 3.0, 'place.0': 0.5, 'place.1': 2.0, 'colour': 'red'}]
    """

    def learn(self, features: FeatureColumns) -> None:
        """Nothing to learn."""

    def encode(self, features: FeatureColumns) -> Encoded:
        """The features, plain."""
        known = features.memo.get(AsIs)
        if not isinstance(known, Encoded):
            known = Encoded(
                features.number_names,
                features.number_table,
                features.texts,
                fixed=False,
                complete=False,
            )
            features.memo[AsIs] = known
        return known


class _Moments:
    """Running mean and variance of each column, over the items that have it.

    Source: Welford (1962), "Note on a Method for Calculating Corrected Sums of Squares and
    Products", Technometrics 4.
    """

    def __init__(self) -> None:
        self._counts = self.means = self._variances = np.zeros(0)

    def grow(self, size: int) -> None:
        """Make room for new columns at the end."""
        more = np.zeros(size - len(self.means))
        self._counts = np.concatenate([self._counts, more])
        self.means = np.concatenate([self.means, more])
        self._variances = np.concatenate([self._variances, more])

    def learn(self, values: Vector) -> None:
        """Take in one item; NaN for the columns that it lacks."""
        gone = np.isnan(values)
        if gone.any():
            there = np.flatnonzero(~gone)
            counts, means, variances = (
                each[there] for each in (self._counts, self.means, self._variances)
            )
            counts, means, variances = _moved(counts, means, variances, values[there])
            self.means = self.means.copy()
            self._counts[there], self.means[there] = counts, means
            self._variances[there] = variances
        else:
            self._counts, self.means, self._variances = _moved(
                self._counts, self.means, self._variances, values
            )

    @property
    def deviations(self) -> Vector:
        """The standard deviations; infinite for a column that never varied."""
        return np.sqrt(np.where(self._variances > 0.0, self._variances, np.inf))


def _moved(
    counts: Vector, means: Vector, variances: Vector, values: Vector
) -> tuple[Vector, Vector, Vector]:
    counts = counts + 1.0
    off = values - means
    means = means + off / counts
    return counts, means, variances + (off * (values - means) - variances) / counts


class _Layout:
    """Where which column of the encoded table is.

    Args:
        numbers: names of the numbers, whose columns come first.
        categories: per text feature, category to its code; none in the nominal encoding.
        gaps: features with a flag.
    """

    def __init__(
        self,
        numbers: Sequence[str],
        categories: dict[str, dict[str, int]],
        gaps: Sequence[str],
    ) -> None:
        places = {name: place for place, name in enumerate(numbers)}
        #: Per text feature, where each code is, and last where "other" is: [-1], like its code.
        self.categories = {
            name: np.array(
                [
                    *[places.setdefault(f"{name}={text}", len(places)) for text in codes],
                    places.setdefault(f"{name}=", len(places)),
                ]
            )
            for name, codes in categories.items()
        }
        self.gaps = {name: places.setdefault(f"{name}?", len(places)) for name in gaps}
        self.numbers = tuple(numbers)
        self.names = tuple(places)


class _Known(NamedTuple):
    """A batch that was encoded, and the means of that time."""

    encoded: Encoded
    means: Vector


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
        #: Learned numbers, by name, and their places among the moments.
        self._numbers: dict[str, int] = {}
        self._moments = _Moments()
        #: Per text feature: category to its code, in order of appearance.
        self._categories: dict[str, dict[str, int]] = {}
        #: Features that learned items had, and whether one of a later item was missing. A feature
        #: that only new versions of production send is not missing from older items.
        self._gaps: dict[str, bool] = {}
        self._columns = 0

    def __getstate__(self) -> dict[str, Any]:
        """All but what was derived."""
        return {
            name: value
            for name, value in self.__dict__.items()
            if name not in ("_layout", "_deviations")
        }

    def learn(self, features: FeatureColumns) -> None:
        """Take note of one item's names, numbers and categories."""
        columns = self._columns
        missing = features.missing
        self._learn_gaps({name for name in features.names if name not in missing})
        self._learn_numbers(features)
        for name, texts in features.texts.items():
            for text in texts:
                if text is not None:
                    self._learn_category(name, text)
        if columns != self._columns:
            self.__dict__.pop("_layout", None)
        self.__dict__.pop("_deviations", None)

    def encode(self, features: FeatureColumns) -> Encoded:
        """The items' columns, as far as they were learned. Changes no state."""
        known = features.memo.get(self)
        # Every label brings other moments.
        if not isinstance(known, _Known) or known.means is not self._moments.means:
            features.memo[self] = known = _Known(self._encoded(features), self._moments.means)
        return known.encoded

    def _encoded(self, features: FeatureColumns) -> Encoded:
        layout, size = self._layout, len(features)
        sparse, table = self._encoding is Encoding.SPARSE, self._scaled(features)
        if len(table) < len(layout.names):
            absent = np.nan if sparse else 0.0
            more = np.full((len(layout.names) - len(table), size), absent)
            table = np.concatenate([table, more])
        elif table is features.number_table and (layout.categories or layout.gaps):
            table = table.copy()  # a feature is named like a flag
        others = None
        if self._encoding is Encoding.NOMINAL:
            others = self._nominal(features)
        elif layout.categories:
            self._one_hot(table, features)
        for name, place in layout.gaps.items():
            missing = _missing(features, name)
            if sparse:
                table[place, missing] = 1.0
            else:
                table[place] = missing
        return Encoded(
            layout.names, table, others, fixed=True, complete=self._encoding is Encoding.DENSE
        )

    @cached_property
    def _layout(self) -> _Layout:
        nominal = self._encoding is Encoding.NOMINAL
        gaps = [name for name, flagged in self._gaps.items() if flagged]
        return _Layout(list(self._numbers), {} if nominal else self._categories, gaps)

    @cached_property
    def _deviations(self) -> Table:
        return self._moments.deviations[:, None]

    def _scaled(self, features: FeatureColumns) -> Table:
        """The numbers, a row for each that was learned."""
        table, means = self._known(features), self._moments.means[:, None]
        if self._scale:
            table = table - means
            table /= self._deviations
            np.maximum(table, -CLIP, out=table)  # np.clip takes as long as all the rest of an item
            np.minimum(table, CLIP, out=table)
        if self._encoding is Encoding.DENSE:
            gone = np.isnan(table)
            if gone.any():
                return np.where(gone, 0.0 if self._scale else means, table)
        return table

    def _known(self, features: FeatureColumns) -> Table:
        """Learned numbers as they are, NaN where an item lacks one."""
        names, wanted = features.number_names, self._layout.numbers
        if names == wanted:
            return features.number_table
        places = {name: place for place, name in enumerate(names)}
        table = np.full((len(wanted), len(features)), np.nan)
        both = [(row, places[name]) for row, name in enumerate(wanted) if name in places]
        if both:
            rows, columns = zip(*both, strict=True)
            table[list(rows)] = features.number_table[list(columns)]
        return table

    def _one_hot(self, table: Table, features: FeatureColumns) -> None:
        for name, places in self._layout.categories.items():
            if self._encoding is Encoding.DENSE:
                table[places] = 0.0
            texts = features.texts.get(name)
            if texts is None:
                continue
            codes = self._categories[name]
            items = [number for number, text in enumerate(texts) if text is not None]
            found = [codes.get(text, _OTHER) for text in texts if text is not None]
            table[places[found], items] = 1.0

    def _nominal(self, features: FeatureColumns) -> dict[str, list[tuple[int] | None]]:
        return {
            f"{name}=": [
                None if text is None else (self._categories[name].get(text, _OTHER),)
                for text in features.texts[name]
            ]
            for name in self._categories
            if name in features.texts
        }

    def _room(self) -> bool:
        """Whether one more column fits; counts it when it does."""
        if self._columns >= self._max_columns:
            return False
        self._columns += 1
        return True

    def _learn_gaps(self, present: set[str]) -> None:
        """Flag known features that this item lacks, then know the ones it has."""
        if self._gaps.keys() == present:
            return
        for name, flagged in self._gaps.items():
            if not flagged and name not in present and self._room():
                self._gaps[name] = True
        for name in sorted(present - self._gaps.keys()):
            if len(self._gaps) < self._max_columns:
                self._gaps[name] = False

    def _learn_numbers(self, features: FeatureColumns) -> None:
        names = features.number_names
        if names != self._layout.numbers:
            before = len(self._numbers)
            for name in names:
                if name not in self._numbers and self._room():
                    self._numbers[name] = len(self._numbers)
            if len(self._numbers) > before:
                self.__dict__.pop("_layout", None)
                self._moments.grow(len(self._numbers))
        self._moments.learn(self._known(features)[:, 0])

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


def _missing(features: FeatureColumns, name: str) -> NDArray[np.bool_]:
    if name in features.missing:
        return features.missing[name]
    return np.full(len(features), name not in features.names)
