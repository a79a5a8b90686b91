"""The online model of a classification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from streamal.core.batch import Distributions, Outlooks, Outputs, number_or_none
from streamal.core.features import FeatureColumns, Vector
from streamal.core.learners.base import Learner
from streamal.core.learners.committees import (
    DIFFERENT_LEARNERS,
    CommitteeKind,
    build_with_committee,
)
from streamal.core.learners.labelled_memory import KeptItem, LabelledMemory
from streamal.core.learners.lookahead import FrozenLearner, ModelLookahead
from streamal.core.learners.model import RESERVED, Model, Target
from streamal.core.learners.strategy_bandit import StrategyBandit
from streamal.core.types import (
    NONE_LABELLED,
    Features,
    FeatureValue,
    Labelled,
    LabelledItem,
    Production,
    Selection,
    Truth,
)
from streamal.errors import Reject

__all__ = ["RIGHT", "WRONG", "OnlineModel", "build_model"]

#: The classes that `target = error` learns: was production right about the item, or wrong?
RIGHT = "right"
WRONG = "wrong"


class _Inputs(NamedTuple):
    """What the learner sees of a batch, with what production said about it."""

    inputs: FeatureColumns
    production: Outputs


class OnlineModel(Model):
    """A classifier with a target. Survives `pickle` with its whole state.

    Args:
        learner: a learner that has learned nothing.
        target: what it learns. With `error`, production's label and probabilities are features too.

    Attributes:
        labels_learned: how many labels went into the state.
    """

    #: The learner in its present state, for those who look ahead; not a part of it.
    _frozen: FrozenLearner | None = None

    def __init__(self, learner: Learner, *, target: Target) -> None:
        self.labels_learned = 0
        self._learner = learner
        self._target = target
        self._bandit = StrategyBandit()
        self._memory: LabelledMemory | None = None
        self._views: dict[bool, Labelled] = {}

    def __getstate__(self) -> dict[str, Any]:
        """All but what was derived: a snapshot is a function of the labels, not of who asked."""
        state = {**self.__dict__, "_views": {}}
        state.pop("_frozen", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take up a state, also one from before there was a memory."""
        self.__dict__.update({"_memory": None, **state})

    @property
    def strategy_weights(self) -> Mapping[str, float]:
        """See `Model`."""
        return self._bandit.mixture

    def outlook(self, features: FeatureColumns, production: Outputs) -> Outlooks:
        """See `Model`."""
        inputs = self._inputs(features, production)
        probabilities = self._learner.predict_proba(inputs)
        return Outlooks(
            probabilities=probabilities,
            committee=self._learner.committee_proba(inputs),
            expected_correct=self._expected_correct(probabilities, production),
            values=np.full(len(features), np.nan),
            committee_values=[()] * len(features),
            expected_loss=np.full(len(features), np.nan),
        )

    def boundary_distance(self, features: FeatureColumns, production: Outputs) -> Vector | None:
        """See `Model`."""
        return self._learner.boundary_distance(self._inputs(features, production))

    def keep_labelled(self, *, on: bool) -> None:
        """See `Model`."""
        if on != (self._memory is not None):
            self._memory = LabelledMemory() if on else None
            self._views.clear()

    def labelled(self, *, margins: bool) -> Labelled:
        """See `Model`."""
        if margins not in self._views:
            self._views[margins] = self._labelled(margins=margins)
        return self._views[margins]

    def _labelled(self, *, margins: bool) -> Labelled:
        if self._memory is None:
            return NONE_LABELLED
        items = list(self._memory.items())
        return Labelled(
            tuple(
                LabelledItem(
                    kept.event_id,
                    {k: v for k, v in kept.inputs.items() if not k.startswith(RESERVED)},
                    kept.label,
                    margin,
                )
                for kept, margin in zip(
                    items, self._margins(items) if margins else [None] * len(items), strict=True
                )
            )
        )

    def _margins(self, items: Sequence[KeptItem]) -> list[float | None]:
        """Distances to the nearest boundary, below 0 on the wrong side of it."""
        inputs = FeatureColumns([kept.inputs for kept in items])
        distances = self._learner.boundary_distance(inputs)
        if distances is None:
            return [None] * len(items)
        believed = self._learner.predict_proba(inputs).top_classes()
        signs = [
            1.0 if top == kept.label else -1.0 for top, kept in zip(believed, items, strict=True)
        ]
        margins = distances * np.array(signs)
        return [number_or_none(margins, number) for number in range(len(items))]

    def lookahead(
        self, features: Features, production: Production, *, event_id: str
    ) -> ModelLookahead:
        """See `Model`."""
        if self._frozen is None:
            self._frozen = FrozenLearner(self._learner)
        return ModelLookahead(self._frozen, self._input(features, production), event_id)

    def learn(
        self,
        features: Features,
        production: Production,
        truth: Truth,
        *,
        event_id: str,
        weight: float = 1.0,
    ) -> None:
        """See `Model`."""
        label = self._as_learned(production, truth)
        inputs = self._input(features, production)
        self._thaw()
        self._learner.learn(inputs, label, event_id=event_id, weight=weight)
        self.labels_learned += 1
        self._views.clear()
        if self._memory is not None:
            self._memory.add(event_id, inputs, label)

    def credit(
        self, features: Features, production: Production, truth: Truth, selection: Selection
    ) -> None:
        """See `Model`."""
        if selection.advice is None:
            return
        label = self._as_learned(production, truth)
        inputs = FeatureColumns([self._input(features, production)])
        known = self._learner.predict_proba(inputs).top_classes()
        self._bandit.credit(selection, wrong=known != [label])

    def _thaw(self) -> None:
        """Let whoever still looks ahead keep the learner as it is now."""
        if self._frozen is not None:
            self._frozen.detach()
            self._frozen = None

    def _as_learned(self, production: Production, truth: Truth) -> str:
        """The class that the learner is to learn."""
        if not isinstance(truth, str):
            raise Reject("unsupported_task", f"value: {truth} is no class")
        if self._target is Target.LABEL:
            return truth
        if production.label is None:
            raise Reject(
                "missing_prediction", "target = error needs the label that production chose"
            )
        return RIGHT if production.label == truth else WRONG

    def _input(self, features: Features, production: Production) -> Features:
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

    def _inputs(self, features: FeatureColumns, production: Outputs) -> FeatureColumns:
        if self._target is Target.LABEL:
            return features
        known = features.memo.get(_Inputs)
        if not isinstance(known, _Inputs) or known.production is not production:
            rows = [
                self._input(row, production.item(number))
                for number, row in enumerate(features.rows)
            ]
            features.memo[_Inputs] = known = _Inputs(FeatureColumns(rows), production)
        return known.inputs

    def _expected_correct(self, probabilities: Distributions, production: Outputs) -> Vector:
        """The model's word once it knows two classes, else production's, else even odds.

        A model that has seen one class gives it probability 1 whatever the item is; that is no
        prediction.
        """
        labels = production.labels
        wanted = [RIGHT] * len(labels) if self._target is Target.ERROR else labels
        several = [block for block in probabilities.blocks if len(block.classes) > 1]
        expected = _of_class(Distributions(probabilities.size, several), wanted, unknown=0.0)
        unsaid = np.isnan(expected)
        if unsaid.any():
            theirs = _of_class(production.probabilities, labels, unknown=0.5)
            expected[unsaid] = theirs[unsaid]
            expected[np.isnan(expected)] = 0.5
        return np.clip(expected, 0.0, 1.0)


_UNKNOWN_CLASS: Final = -1
_NO_CLASS: Final = -2


def _of_class(
    probabilities: Distributions, wanted: Sequence[str | None], *, unknown: float
) -> Vector:
    """The probability of one class per item.

    Args:
        probabilities: of the items.
        wanted: the class of each.
        unknown: for an item that knows others only.

    Returns:
        NaN for an item that knows nothing, and where no class is wanted.
    """
    found = np.full(probabilities.size, np.nan)
    for rows, classes, p in probabilities.blocks:
        places: dict[str | None, int] = {label: place for place, label in enumerate(classes)}
        places[None] = _NO_CLASS
        asked = wanted if len(rows) == len(wanted) else [wanted[row] for row in rows.tolist()]
        columns = np.array([places.get(label, _UNKNOWN_CLASS) for label in asked])
        there = columns >= 0
        if there.all():
            found[rows] = p[np.arange(len(rows)), columns]
        else:
            found[rows[there]] = p[there, columns[there]]
            found[rows[columns == _UNKNOWN_CLASS]] = unknown
    return found


def build_model(
    name: str,
    *,
    parameters: Mapping[str, object],
    committee_size: int = 10,
    committee_kind: CommitteeKind = CommitteeKind.BAGGING,
    committee_learners: Sequence[str] = DIFFERENT_LEARNERS,
    target: Target = Target.LABEL,
    keep_labelled: bool = False,
    seed: int = 0,
) -> OnlineModel:
    """An online model from its settings; see `build_with_committee`.

    Args:
        name: registered name or `package.module:factory`.
        parameters: of the learner, JSON values by name.
        committee_size: members of the committee, >= 2; 0 for none.
        committee_kind: in what the members differ.
        committee_learners: names of the members of a heterogeneous committee.
        target: what the model learns.
        keep_labelled: whether it remembers the latest labelled items.
        seed: of everything random inside.

    Raises:
        SettingsInvalid: with one line per problem.
    """
    learner = build_with_committee(
        name,
        parameters=parameters,
        kind=committee_kind,
        size=committee_size,
        learners=committee_learners,
        seed=seed,
    )
    model = OnlineModel(learner, target=target)
    model.keep_labelled(on=keep_labelled)
    return model
