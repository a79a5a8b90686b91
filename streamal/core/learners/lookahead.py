"""What a learner would predict after one more label, which a copy of it is taught."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import cast

from streamal.core.features import FeatureColumns
from streamal.core.learners.base import Learner
from streamal.core.types import Features, Probabilities
from streamal.errors import Reject

__all__ = ["FrozenLearner", "ModelLookahead"]


class FrozenLearner:
    """One state of a learner, of which any number of copies can be had.

    Writes the learner down once, when the first copy is asked for or the learner is about to
    change; every copy is read from that. River's own `clone` would forget what was learned, and a
    deep copy takes several times as long.

    Args:
        learner: must not be taught before `detach`.
    """

    def __init__(self, learner: Learner) -> None:
        self._learner: Learner | None = learner
        self._written = b""
        self._untaught: Learner | None = None
        #: What was predicted last, by the identity of the item, which the entry keeps alive.
        self._known: dict[int, tuple[Features, Probabilities]] = {}

    def copy(self) -> Learner:
        """A learner of its own with the same state, without a committee."""
        self.detach()
        return cast("Learner", pickle.loads(self._written))  # noqa: S301 - our own bytes

    def detach(self) -> None:
        """Stay what it is, whatever becomes of the learner from now on."""
        if self._learner is not None:
            self._written = pickle.dumps(self._learner.without_committee(), pickle.HIGHEST_PROTOCOL)
            self._learner = None

    def predictions(self, items: Sequence[Features]) -> list[Probabilities]:
        """What it predicts for each item; an item that was among the last ones costs nothing."""
        new = [item for item in items if id(item) not in self._known]
        known = {id(item): self._known[id(item)] for item in items if id(item) in self._known}
        if new:
            known |= {
                id(item): (item, answer)
                for item, answer in zip(new, self._predict(new), strict=True)
            }
        self._known = known
        return [known[id(item)][1] for item in items]

    def _predict(self, items: Sequence[Features]) -> list[Probabilities]:
        if self._untaught is None:
            self._untaught = self.copy()
        return self._untaught.predict_proba(FeatureColumns(items)).items()


class ModelLookahead:
    """The `Lookahead` of one event.

    The answer for a label is kept while the items stay the same: who scores an event again, to
    commit it, does not pay again.

    Args:
        frozen: the learner when the event was appraised.
        inputs: the event, as the learner sees it.
        event_id: its identity, with which resampling draws.
    """

    def __init__(self, frozen: FrozenLearner, inputs: Features, event_id: str) -> None:
        self.inputs = inputs
        self._frozen = frozen
        self._event_id = event_id
        self._answers: dict[str, tuple[tuple[Features, ...], list[Probabilities]]] = {}

    def now(self, items: Sequence[Features]) -> list[Probabilities]:
        """See `Lookahead`."""
        return self._frozen.predictions(items)

    def after(self, label: str, items: Sequence[Features]) -> list[Probabilities]:
        """See `Lookahead`; as now, when the learner refuses the label."""
        asked = tuple(items)
        before, answer = self._answers.get(label, ((), []))
        if len(before) != len(asked) or any(a is not b for a, b in zip(before, asked, strict=True)):
            answer = self._taught(label, asked)
            self._answers[label] = (asked, answer)
        return answer

    def _taught(self, label: str, items: Sequence[Features]) -> list[Probabilities]:
        copy = self._frozen.copy()
        try:
            copy.learn(self.inputs, label, event_id=self._event_id)
        except Reject:
            return self.now(items)
        return copy.predict_proba(FeatureColumns(items)).items()
