"""Model selection on line: several learners compete, and the best one serves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Final

from streamal.core.batch import Distributions
from streamal.core.features import FeatureColumns, Vector
from streamal.core.learners.base import Learner
from streamal.core.types import Features

__all__ = ["Competition"]

#: Standard errors by which a challenger must lead. At 1 a learner that is no better takes over now
#: and then, which by definition costs little; more would keep a worse one in office for longer.
_LEAD: Final = 1.0


@dataclass(slots=True)
class _Lead:
    """How much more often a challenger was right than the one that serves, weighted.

    Attributes:
        total: faded sum of weight * (challenger right - serving right).
        squares: faded sum of the squares of these.
    """

    total: float = 0.0
    squares: float = 0.0

    def add(self, difference: float, fade: float) -> None:
        self.total = fade * self.total + difference
        self.squares = fade * fade * self.squares + difference * difference

    @property
    def errors(self) -> float:
        """The lead in standard errors."""
        return self.total / math.sqrt(self.squares) if self.squares else 0.0


class Competition(Learner):
    """Every learner predicts each labelled item before it learns it; who is right most, serves.

    Labels are chosen, mostly where the serving learner is unsure, so plain counts would judge all
    by the hardest items. Weighted by 1 / propensity the sums are unbiased for the whole stream
    (Horvitz and Thompson). They fade, so that after a drift another learner can take over.

    Sources: prequential evaluation with fading factors, Gama, Sebastião and Rodrigues (2013), "On
    Evaluating Stream Learning Algorithms", Machine Learning 90; weights, Horvitz and Thompson
    (1952), "A Generalization of Sampling Without Replacement from a Finite Universe", JASA 47.

    Args:
        learners: by name, at least one; the first serves until another one leads.
        half_life: labels after which a prediction counts half, > 0.

    Attributes:
        serving: name of the learner that predicts.
    """

    def __init__(self, learners: Mapping[str, Learner], *, half_life: float) -> None:
        self._learners = dict(learners)
        self._fade = 0.5 ** (1.0 / half_life)
        #: For each two, the lead of the first over the second.
        self._leads = {
            (name, other): _Lead() for name in learners for other in learners if name != other
        }
        self.serving = next(iter(learners))

    def predict_proba(self, features: FeatureColumns) -> Distributions:
        """See `Learner`; the serving learner's."""
        return self._learners[self.serving].predict_proba(features)

    def committee_proba(self, features: FeatureColumns) -> tuple[Distributions, ...]:
        """See `Learner`; the serving learner's."""
        return self._learners[self.serving].committee_proba(features)

    def boundary_distance(self, features: FeatureColumns) -> Vector | None:
        """See `Learner`; the serving learner's."""
        return self._learners[self.serving].boundary_distance(features)

    def without_committee(self) -> Learner:
        """See `Learner`."""
        alone = copy(self)
        alone._learners = {  # noqa: SLF001 - it is one of us
            name: learner.without_committee() for name, learner in self._learners.items()
        }
        return alone

    def learn(self, features: Features, label: str, *, event_id: str, weight: float = 1.0) -> None:
        """See `Learner`; every learner learns it.

        Args:
            features: the inputs as they were at decision time.
            label: the true class.
            event_id: identity of the event.
            weight: 1 / propensity of the label.
        """
        item = FeatureColumns([features])
        right = {
            name: learner.predict_proba(item).top_classes() == [label]
            for name, learner in self._learners.items()
        }
        for learner in self._learners.values():
            learner.learn(features, label, event_id=event_id, weight=weight)
        for (name, other), lead in self._leads.items():
            lead.add(weight * (right[name] - right[other]), self._fade)
        self._elect()

    def _elect(self) -> None:
        """Hand over to the learner that leads the serving one by most, if by enough."""
        challengers = [name for name in self._learners if name != self.serving]
        best = max(
            challengers, key=lambda name: self._leads[name, self.serving].errors, default=None
        )
        if best is not None and self._leads[best, self.serving].errors > _LEAD:
            self.serving = best
