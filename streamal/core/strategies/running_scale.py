"""Numeric features on one scale, for the strategies that measure distances between events."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isnan, sqrt, ulp
from typing import ClassVar, Final, cast

from streamal.core.types import Features, FeatureValue, JsonState

#: Values beyond this would overflow when squared; they do not move the scale.
_LARGEST: Final = 1e150

#: Of the smallest steps between numbers, a constant's deviation: enough for a tenth of a deviation
#: to be told apart.
_LEAST_STEPS: Final = 16


class RunningScale:
    """Standardises numeric features by their mean and variance in the recent past.

    Numbers and booleans count, up to `FEATURES` of them, in order of first appearance; text, lists
    and further features are ignored. The scale is taken from each of the first `EVERY_EVENT` events
    and from every eighth thereafter, which is accurate enough and costs an eighth. The moments are
    exact for `MEMORY` values and forget exponentially from then on, so that a stream that has moved
    is centred again.
    """

    #: Bounds the state, which travels with every batch.
    FEATURES: ClassVar[int] = 64
    #: Values after which an old one has lost 63 % of its weight: 4,000 events. Long enough for a
    #: deviation that is known to a few per cent.
    MEMORY: ClassVar[int] = 500
    EVERY_EVENT: ClassVar[int] = 256
    #: Standard deviations at which values are clipped, so that one wild feature does not drown all
    #: others. A normal value is beyond them once in 16,000.
    LIMIT: ClassVar[float] = 4.0

    def __init__(self) -> None:
        self._events = 0
        self._moments: dict[str, tuple[int, float, float]] = {}
        self._columns: dict[str, tuple[float, float]] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The features that are standardised, in the order of `standardised`."""
        return tuple(self._columns)

    @property
    def columns(self) -> Mapping[str, tuple[float, float]]:
        """Name to mean and 1 / deviation, infinite for a feature that never differed."""
        return self._columns

    def standardised(self, features: Features) -> list[float]:
        """One value in [-LIMIT, LIMIT] for each name; 0, the mean, where there is no number."""
        limit = self.LIMIT
        columns = self._columns.items()
        known = cast("Mapping[str, float]", features)
        try:
            # What is no number says so by raising; to ask every value takes twice as long.
            return [
                z if -limit < (z := (known[name] - mean) * inverse) < limit else _clipped(z, limit)
                for name, (mean, inverse) in columns
            ]
        except (KeyError, TypeError, OverflowError):
            return [
                _deviation(features.get(name), mean, inverse, limit)
                for name, (mean, inverse) in columns
            ]

    def update(self, features: Features) -> bool:
        """Take note of one event's features; whether one of them was never seen before."""
        self._events += 1
        if self._events > self.EVERY_EVENT:
            if self._events % 8:
                return False
            self._events = self.EVERY_EVENT  # where the next eight are counted from
        moments, before = self._moments, len(self._moments)
        for name, value in features.items():
            if isinstance(value, (int, float)) and -_LARGEST < value < _LARGEST:
                if name in moments:
                    count, mean, variance = moments[name]
                elif len(moments) < self.FEATURES:
                    count, mean, variance = 0, float(value), 0.0
                else:
                    continue
                if count < self.MEMORY:
                    count += 1
                distance = value - mean
                step = distance / count
                variance = (1.0 - 1.0 / count) * (variance + distance * step)
                self._note(name, count, mean + step, variance)
        return len(moments) > before

    def frame(self, name: str) -> tuple[float, float]:
        """Mean and standard deviation of a feature; of a constant, a deviation just above 0.

        From it, what differs at all from a constant is many deviations away.
        """
        _, mean, variance = self._moments[name]
        return mean, sqrt(variance) or _LEAST_STEPS * ulp(mean)

    def state(self) -> JsonState:
        """The count of events; count, mean and variance of each feature."""
        moments: JsonState = {name: list(moments) for name, moments in self._moments.items()}
        return {"events": self._events, "moments": moments}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned; an empty state is a fresh start."""
        self._events = cast("int", state.get("events", 0))
        self._moments, self._columns = {}, {}
        moments = cast("Mapping[str, tuple[int, float, float]]", state.get("moments", {}))
        for name, (count, mean, variance) in moments.items():
            self._note(name, count, mean, variance)

    def _note(self, name: str, count: int, mean: float, variance: float) -> None:
        self._moments[name] = count, mean, variance
        # What differs from a constant is infinitely many deviations away from it.
        self._columns[name] = mean, 1.0 / sqrt(variance) if variance > 0.0 else inf


def _deviation(value: FeatureValue, mean: float, inverse: float, limit: float) -> float:
    try:
        return _clipped((cast("float", value) - mean) * inverse, limit)
    except (TypeError, OverflowError):
        return 0.0


def _clipped(deviation: float, limit: float) -> float:
    if isnan(deviation):  # also 0 * inf: a constant that is what it always was
        return 0.0
    return min(limit, max(-limit, deviation))
