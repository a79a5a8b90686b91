"""What a gate counts of an event for data drift: features, and what production said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import fsum, sqrt

from streamal.core.drift import FEATURE, Summary
from streamal.core.strategies import JensenShannon
from streamal.core.types import FeatureValue
from streamal.roles.appraisal import Appraisal

__all__ = ["Observing"]

#: Variables besides features.
_ABOUT_PREDICTIONS = 4

_DISAGREEMENT = JensenShannon()


@dataclass(frozen=True, slots=True)
class Observing:
    """Reads the variables of an event.

    The online model's own opinion is not among them: it changes as the model learns, which is no
    drift.

    Attributes:
        features: watched features; empty for all.
        max_features: most features; of more, the alphabetically first.
        bins: most bins per variable.
    """

    features: frozenset[str]
    max_features: int
    bins: int

    @property
    def most_variables(self) -> int:
        """Features and what is counted besides."""
        return self.max_features + _ABOUT_PREDICTIONS

    def summary(self) -> Summary:
        """An empty summary of these bounds."""
        return Summary(self.bins, self.most_variables)

    def values(self, appraisal: Appraisal) -> dict[str, FeatureValue]:
        """Variable to value; those that the event does not have are missing."""
        values = {FEATURE + name: value for name, value in self._watched(appraisal)}
        production = appraisal.context.production
        if production.label is not None:
            values["class"] = production.label
        if production.value is not None:
            values["value"] = production.value
        if production.probabilities:
            # Bins are fine near 0: 0.99 and 0.999 are far apart as doubts, not as confidences.
            values["uncertainty"] = 1.0 - max(production.probabilities.values())
        disagreement = _disagreement(appraisal)
        if disagreement is not None:
            values["disagreement"] = disagreement
        return values

    def _watched(self, appraisal: Appraisal) -> list[tuple[str, FeatureValue]]:
        features: Mapping[str, FeatureValue] = appraisal.context.features
        watched: list[tuple[str, FeatureValue]] = [
            (name, value)
            for name, value in features.items()
            if value is not None and (not self.features or name in self.features)
        ]
        if len(watched) > self.max_features:
            watched = sorted(watched, key=lambda item: item[0])[: self.max_features]
        return watched


def _disagreement(appraisal: Appraisal) -> float | None:
    """How much production's own committee disagrees; None without one in the event.

    Jensen-Shannon divergence of classes; of numbers their standard deviation, in the truth's unit.
    """
    if appraisal.context.production.value is not None:
        return _spread([m for m in appraisal.prediction.committee or () if not isinstance(m, dict)])
    members = tuple(
        member for member in appraisal.prediction.committee or () if isinstance(member, dict)
    )
    if len(members) < 2:
        return None
    return _DISAGREEMENT.score(replace(appraisal.context, committee=members))


def _spread(numbers: list[float]) -> float | None:
    if len(numbers) < 2:
        return None
    mean = fsum(numbers) / len(numbers)
    try:
        return sqrt(fsum([(number - mean) ** 2 for number in numbers]) / len(numbers))
    except OverflowError:
        return None
