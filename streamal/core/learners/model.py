"""The online model as the roles see it, whatever the task: what is taught, stored and asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from streamal.core.batch import Outlooks, Outputs
from streamal.core.features import FeatureColumns, Vector
from streamal.core.types import (
    NONE_LABELLED,
    Features,
    Labelled,
    Lookahead,
    Production,
    Selection,
    Truth,
)

__all__ = ["RESERVED", "Model", "Target"]

#: Prefix of the features that `target = error` adds; an event's own features with it are left out.
RESERVED: Final = "production::"


class Target(StrEnum):
    """What the online model learns."""

    LABEL = "label"
    ERROR = "error"


class Model(ABC):
    """What the trainer teaches and snapshots as a whole, and what the gate asks.

    Survives `pickle` with its whole state.

    Attributes:
        labels_learned: how many labels went into the state.
    """

    labels_learned: int

    @abstractmethod
    def outlook(self, features: FeatureColumns, production: Outputs) -> Outlooks:
        """What to expect of some items. Changes no state, never raises for odd values.

        Args:
            features: the model inputs, as production published them.
            production: what production said about the same items.
        """

    def boundary_distance(self, features: FeatureColumns, production: Outputs) -> Vector | None:  # noqa: ARG002 - numbers have none
        """How far each item is from the nearest boundary between two classes; see `Learner`."""
        return None

    def keep_labelled(self, *, on: bool) -> None:  # noqa: B027 - numbers have no classes
        """Remember the latest labelled items from now on, or forget them.

        Args:
            on: whether the pipeline's strategy asks for them.
        """

    def labelled(self, *, margins: bool) -> Labelled:  # noqa: ARG002 - numbers have no classes
        """The latest labelled items; the same object until the next label is learned.

        Args:
            margins: whether to work out how far each is from the nearest class boundary.
        """
        return NONE_LABELLED

    def lookahead(
        self,
        features: Features,  # noqa: ARG002 - numbers have none
        production: Production,  # noqa: ARG002 - as above
        *,
        event_id: str,  # noqa: ARG002 - as above
    ) -> Lookahead | None:
        """What it would predict after a label of this item; None in a regression.

        Stays what it is when the model learns. Every label that is tried costs a copy of the model.

        Args:
            features: as `learn` would get them.
            production: as `learn` would get it.
            event_id: as `learn` would get it, so that resampling draws the same.
        """
        return None

    @property
    def strategy_weights(self) -> Mapping[str, float]:
        """How often a bandit should follow each strategy; empty before the first reward."""
        return {}

    def credit(  # noqa: B027 - numbers reward nobody
        self, features: Features, production: Production, truth: Truth, selection: Selection
    ) -> None:
        """Reward the strategies that asked for an answer, before it is learned, if it is news.

        Args:
            features: as `learn` will get them.
            production: as `learn` will get it.
            truth: as `learn` will get it.
            selection: how the item came to be labelled; without advice, nobody is rewarded.

        Raises:
            Reject: as `learn` does.
        """

    @abstractmethod
    def learn(
        self,
        features: Features,
        production: Production,
        truth: Truth,
        *,
        event_id: str,
        weight: float = 1.0,
    ) -> None:
        """Learn one human answer.

        Args:
            features: the model inputs as they were at decision time.
            production: what production said at decision time.
            truth: the true class, or in a regression the true number.
            event_id: identity of the event; the seed of resampling.
            weight: importance, > 0; 1 counts once.

        Raises:
            Reject: `unsupported_task` when the answer is of the other task; `missing_prediction`
                when `target = error` and production said nothing to compare it with;
                `unlearnable` when a user's own pipeline cannot work with the item, or there are too
                many classes.
        """
