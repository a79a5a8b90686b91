"""The online model: what the trainer teaches and snapshots as a whole, and what the gate asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from streamal.core.learners.base import Learner
from streamal.core.learners.factory import build_learner
from streamal.core.types import Features, FeatureValue, Probabilities, Production
from streamal.errors import Reject

__all__ = ["RIGHT", "WRONG", "OnlineModel", "Outlook", "Target", "build_model"]

#: The classes that `target = error` learns: was production right about the item, or wrong?
RIGHT = "right"
WRONG = "wrong"

#: Prefix of the features that `target = error` adds; an event's own features with it are left out.
RESERVED = "production::"


class Target(StrEnum):
    """What the online model learns."""

    LABEL = "label"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the online model expects of one item, from the past only.

    Attributes:
        probabilities: of the classes, or of "right" and "wrong" with `target = error`; summing to
            1, empty while nothing was learned.
        committee: the same from each member; empty without a committee.
        expected_correct: predicted P(production is right), in [0, 1].
    """

    probabilities: Probabilities
    committee: tuple[Probabilities, ...]
    expected_correct: float


class OnlineModel:
    """A learner with a target. Survives `pickle` with its whole state.

    Args:
        learner: a learner that has learned nothing.
        target: what it learns. With `error`, production's label and probabilities are features too.

    Attributes:
        labels_learned: how many labels went into the state.
    """

    def __init__(self, learner: Learner, *, target: Target) -> None:
        self.labels_learned = 0
        self._learner = learner
        self._target = target

    def outlook(self, features: Features, production: Production) -> Outlook:
        """What to expect of an item. Changes no state, never raises for odd values.

        Args:
            features: the model inputs, as production published them.
            production: what production said.
        """
        inputs = self._inputs(features, production)
        probabilities = self._learner.predict_proba(inputs)
        return Outlook(
            probabilities=probabilities,
            committee=self._learner.committee_proba(inputs),
            expected_correct=self._expected_correct(probabilities, production),
        )

    def boundary_distance(self, features: Features, production: Production) -> float | None:
        """How far the item is from the nearest boundary between two classes; see `Learner`."""
        return self._learner.boundary_distance(self._inputs(features, production))

    def learn(
        self,
        features: Features,
        production: Production,
        label: str,
        *,
        event_id: str,
        weight: float = 1.0,
    ) -> None:
        """Learn one human label.

        Args:
            features: the model inputs as they were at decision time.
            production: what production said at decision time.
            label: the true class.
            event_id: identity of the event; the seed of resampling.
            weight: importance, > 0; 1 counts once.

        Raises:
            Reject: `missing_prediction` when `target = error` and production chose no class;
                `unlearnable` when a user's own pipeline cannot work with the item, or there are too
                many classes.
        """
        truth = label
        if self._target is Target.ERROR:
            if production.label is None:
                raise Reject(
                    "missing_prediction", "target = error needs the label that production chose"
                )
            truth = RIGHT if production.label == label else WRONG
        inputs = self._inputs(features, production)
        self._learner.learn(inputs, truth, event_id=event_id, weight=weight)
        self.labels_learned += 1

    def _inputs(self, features: Features, production: Production) -> Features:
        if self._target is Target.LABEL:
            return features
        own: dict[str, FeatureValue] = {
            name: value for name, value in features.items() if not name.startswith(RESERVED)
        }
        own[f"{RESERVED}label"] = production.label
        own[f"{RESERVED}confidence"] = production.probabilities.get(production.label or "")
        for label, p in production.probabilities.items():
            own[f"{RESERVED}p({label})"] = p
        return own

    def _expected_correct(self, probabilities: Probabilities, production: Production) -> float:
        """The model's word once it knows two classes, else production's, else even odds.

        A model that has seen one class gives it probability 1 whatever the item is; that is no
        prediction.
        """
        wanted = RIGHT if self._target is Target.ERROR else production.label
        if wanted is not None and len(probabilities) > 1:
            expected = probabilities.get(wanted, 0.0)
        else:
            expected = production.probabilities.get(production.label or "", 0.5)
        return min(1.0, max(0.0, expected))


def build_model(
    name: str,
    *,
    parameters: Mapping[str, object],
    committee_size: int = 10,
    target: Target = Target.LABEL,
    seed: int = 0,
) -> OnlineModel:
    """An online model from its settings; see `build_learner`.

    Args:
        name: registered name or `package.module:factory`.
        parameters: of the learner, JSON values by name.
        committee_size: members of the bagging committee, >= 2; 0 for none.
        target: what the model learns.
        seed: of everything random inside.

    Raises:
        SettingsInvalid: with one line per problem.
    """
    learner = build_learner(name, parameters=parameters, committee_size=committee_size, seed=seed)
    return OnlineModel(learner, target=target)
