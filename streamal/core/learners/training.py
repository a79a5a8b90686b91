"""What a label is worth and how often it is learned; the same options for every learner."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import Final

from streamal.core.batch import Distributions
from streamal.core.chance import draw
from streamal.core.features import FeatureColumns, Vector
from streamal.core.learners.base import Learner
from streamal.core.learners.parameters import KEY, Parameter, Value
from streamal.core.types import Features
from streamal.errors import SettingsInvalid

__all__ = ["TRAINING", "WEIGHTING", "TrainedLearner", "Training"]

#: A class that was hardly ever seen counts at most so many times.
_MOST_BALANCE: Final = 10.0

#: Options for learners on which weights have an effect.
WEIGHTING: Final = (
    Parameter(
        "importance_weight_cap",
        "number",
        1.0,
        "Largest weight of a label; labels weigh 1 / propensity up to it, so 1 weighs all alike.",
        low=1,
        high=1e6,
    ),
    Parameter(
        "class_balance",
        "number",
        0.0,
        "How far rare classes are weighed up: 0 not at all, 1 until all classes weigh the same.",
        low=0,
        high=1,
    ),
)
TRAINING: Final = (
    *WEIGHTING,
    Parameter(
        "passes",
        "integer",
        1,
        "How often something is learned per label: the label, then itself again or, with a replay "
        "buffer, earlier ones.",
        low=1,
        high=1000,
    ),
    Parameter(
        "replay_buffer",
        "integer",
        0,
        "Labelled items kept to be learned again, half the latest and half a sample of all; needs "
        "passes >= 2.",
        low=0,
        high=100_000,
    ),
)


@dataclass(frozen=True, slots=True)
class Training:
    """Options of `TrainedLearner`; see `TRAINING` for what each means.

    Raises:
        SettingsInvalid: a replay buffer that nothing would be drawn from.
    """

    importance_weight_cap: float = 1.0
    class_balance: float = 0.0
    passes: int = 1
    replay_buffer: int = 0

    def __post_init__(self) -> None:
        if self.replay_buffer and self.passes < 2:
            raise SettingsInvalid(
                f"{KEY}.replay_buffer: {self.replay_buffer} is never drawn from while passes is 1; "
                "set passes to 2 or more"
            )

    @classmethod
    def of(cls, values: Mapping[str, Value]) -> Training:
        """From checked values by name."""
        return cls(**values)  # type: ignore[arg-type]  # `resolve` has checked the types


@dataclass(frozen=True, slots=True)
class _Labelled:
    features: Features
    label: str
    event_id: str
    weight: float


class _ReplayBuffer:
    """The latest items, and a uniform sample of those before them.

    Source of the sample: Vitter (1985), "Random Sampling with a Reservoir", ACM Transactions on
    Mathematical Software 11, algorithm R; its draws are hashes of the event here.
    """

    def __init__(self, size: int, seed: int) -> None:
        self._recent: deque[_Labelled] = deque(maxlen=(size + 1) // 2)
        self._sample: list[_Labelled] = []
        self._room = size // 2
        self._passed = 0
        self._seed = seed

    def add(self, item: _Labelled) -> None:
        """Keep an item; the one that is no longer recent may enter the sample."""
        if len(self._recent) == self._recent.maxlen:
            self._sample_in(self._recent[0])
        self._recent.append(item)

    def _sample_in(self, item: _Labelled) -> None:
        self._passed += 1
        if len(self._sample) < self._room:
            self._sample.append(item)
            return
        place = int(draw(self._seed, item.event_id, "reservoir") * self._passed)
        if place < self._room:
            self._sample[place] = item

    def pick(self, u: float) -> _Labelled | None:
        """An item drawn uniformly by `u` in [0, 1); None while there is none."""
        count = len(self._recent) + len(self._sample)
        if not count:
            return None
        place = int(u * count)
        recent = len(self._recent)
        return self._recent[place] if place < recent else self._sample[place - recent]


class TrainedLearner(Learner):
    """Weighs and repeats labels for another learner.

    The model stays a function of the order of labels: what is learned again is drawn by hashes of
    the label's event.

    Sources: importance weighting, Beygelzimer, Dasgupta and Langford (2009), "Importance Weighted
    Active Learning", ICML; balancing by inverse class frequency, King and Zeng (2001), "Logistic
    Regression in Rare Events Data", Political Analysis 9.

    Args:
        learner: has learned nothing.
        training: the options.
        seed: of what is drawn from the buffer.
    """

    def __init__(self, learner: Learner, training: Training, *, seed: int) -> None:
        self._learner = learner
        self._training = training
        self._seed = seed
        self._seen: Counter[str] = Counter()
        self._buffer = _ReplayBuffer(training.replay_buffer, seed)

    def predict_proba(self, features: FeatureColumns) -> Distributions:
        """See `Learner`."""
        return self._learner.predict_proba(features)

    def committee_proba(self, features: FeatureColumns) -> tuple[Distributions, ...]:
        """See `Learner`."""
        return self._learner.committee_proba(features)

    def boundary_distance(self, features: FeatureColumns) -> Vector | None:
        """See `Learner`."""
        return self._learner.boundary_distance(features)

    def without_committee(self) -> Learner:
        """See `Learner`."""
        alone = copy(self)
        alone._learner = self._learner.without_committee()  # noqa: SLF001 - it is one of us
        return alone

    def learn(self, features: Features, label: str, *, event_id: str, weight: float = 1.0) -> None:
        """See `Learner`; the weight is capped, then balanced."""
        weight = min(self._training.importance_weight_cap, weight) * self._balance(label)
        item = _Labelled(features, label, event_id, weight)
        self._learner.learn(features, label, event_id=event_id, weight=weight)
        self._seen[label] += 1
        for number in range(1, self._training.passes):
            again = self._again(item, number)
            self._learner.learn(
                again.features,
                again.label,
                # A committee resamples each pass anew.
                event_id=f"{again.event_id} again {event_id} {number}",
                weight=again.weight,
            )
        if self._training.replay_buffer:
            self._buffer.add(item)

    def _again(self, item: _Labelled, number: int) -> _Labelled:
        """What to learn beside a label: an earlier one where any is kept."""
        if not self._training.replay_buffer:
            return item
        return self._buffer.pick(draw(self._seed, item.event_id, f"replay {number}")) or item

    def _balance(self, label: str) -> float:
        """How much more a label of this class counts, from the classes of all labels so far."""
        counts = self._seen
        own = counts[label] + 1
        total, classes = counts.total() + 1, len(counts.keys() | {label})
        factor = math.pow(total / (classes * own), self._training.class_balance)
        return min(_MOST_BALANCE, factor)
