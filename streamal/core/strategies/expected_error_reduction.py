"""How much less wrong the online model would be about recent events if it had a label."""

from __future__ import annotations

from enum import StrEnum
from math import fsum, isnan, log
from typing import Annotated, ClassVar, Final, cast

import numpy as np

from streamal.core.batch import Batch
from streamal.core.chance import draw
from streamal.core.features import Vector
from streamal.core.parameters import Range
from streamal.core.score_window import ScoreWindow
from streamal.core.strategies.base import MAXIMUM, Strategy, within_unit
from streamal.core.strategies.recent_inputs import RecentInputs
from streamal.core.strategies.uncertainty import margin_of
from streamal.core.types import JsonState, Lookahead, Probabilities

#: As for the bandit's draws: the gate's seed need not be mixed in.
_SEED: Final = 0

#: Ranks are fine enough for any budget that a rank among so many can tell apart.
_RANKED: Final = 500


class Loss(StrEnum):
    """How wrong the online model expects itself to be."""

    LOG = "log_loss"
    ZERO_ONE = "zero_one_loss"


class ExpectedErrorReduction(Strategy):
    """How much less wrong the online model would be about recent events if it had the label.

    Teaches copies of the online model each class that the event may have, and asks each copy about
    a window of recent events. It looks at what a label does, where others look at how the event
    is; but it believes the model, in what the label may be and in how wrong it then is. The most
    expensive strategy by far: a copy of the model for each class, and window predictions of each.
    So only the most doubtful share of events is looked at.

    Formula:
        r = mean over u of L(p(. | u)) - sum over y of p(y | x) * mean over u of L(p_xy(. | u)) for
        the event x, the remembered events u and the most probable classes y, whose p(y | x) are
        made to sum to 1; p_xy are the probabilities of the model that has learned x as y. L(p) is
        -sum p log p (log_loss) or 1 - max p (zero_one_loss): the loss that the model expects of
        itself. The score is 1 - s + s * rank(r) where the event's 1 - (p1 - p2) is among the share
        s of the largest lately, else the rank of that: ranks are shares of recent events in
        [0, 1), ties broken by a hash of the event.

    Range:
        [0, 1), evenly spread, whatever the unit of the loss; 1 when the model knows fewer than two
        classes, or nothing is remembered yet.

    Args:
        measure: the loss. That of 0 and 1 sees no other class than the most probable.
        window: how many events are remembered to be predicted; at most 32 kB are kept, so events of
            some hundred features make it shorter.
        spacing: of how many events one is remembered, drawn by its hash, so that the window spans
            `window * spacing` events.
        shortlist: share of events that the model is taught; the others are ranked below them by
            their margin. Should be some times the budget; 1 teaches all of them.
        classes: how many of the most probable classes are tried.

    Examples:
        >>> from streamal.core.batch import Batch, FeatureColumns, Outputs
        >>> from streamal.core.learners import build_model
        >>> from streamal.core.types import Context, Production
        >>> model, nobody = build_model("gaussian_nb", parameters={}), Production()
        >>> for number, (x, label) in enumerate([(0.0, "a"), (1.0, "a"), (4.0, "b"), (5.0, "b")]):
        ...     model.learn({"x": x}, nobody, label, event_id=str(number))
        >>> def context(event_id, x):
        ...     says = model.outlook(FeatureColumns([{"x": x}]), Outputs.of([nobody]))
        ...     ahead = model.lookahead({"x": x}, nobody, event_id=event_id)
        ...     return Context(event_id, {"x": x}, nobody, says.probabilities.item(0),
        ...                    lookahead=ahead)
        >>> strategy = ExpectedErrorReduction(spacing=1)
        >>> past = Batch.of([context(f"past {n}", n % 8 - 1.0) for n in range(40)])
        >>> scores = strategy.score(past)
        >>> near, far = strategy.score(Batch.of([context("e1", 2.5), context("e2", 0.5)])).tolist()
        >>> near > far
        True

    References:
        Roy, N., and McCallum, A. (2001). Toward optimal active learning through sampling estimation
        of error reduction. ICML 2001, 441-448. Theirs looks at the whole pool.
    """

    name: ClassVar[str] = "expected_error_reduction"

    def __init__(
        self,
        measure: Loss = Loss.LOG,
        window: Annotated[int, Range(1, 500)] = 30,
        spacing: Annotated[int, Range(1, 1000)] = 10,
        shortlist: Annotated[float, Range(0, 1, open_low=True)] = 0.2,
        classes: Annotated[int, Range(2, 100)] = 3,
    ) -> None:
        self.measure = measure
        self.window = window
        self.spacing = spacing
        self.shortlist = shortlist
        self.classes = classes
        self._recent = RecentInputs(window)
        self._doubts = ScoreWindow(_RANKED)
        self._reductions = ScoreWindow(_RANKED)

    @property
    def asks_lookahead(self) -> bool:
        """Always."""
        return True

    def score(self, batch: Batch) -> Vector:
        """See the class."""
        doubts = np.full(len(batch), np.nan)
        for rows, classes, p in batch.model.blocks:
            if len(classes) > 1:
                doubts[rows] = margin_of(p)
        scores = []
        for number, doubt in enumerate(doubts.tolist()):
            ahead = None if batch.lookahead is None else batch.lookahead(number)
            scores.append(MAXIMUM if ahead is None else self._noted(batch, number, doubt, ahead))
        return within_unit(np.array(scores))

    def _noted(self, batch: Batch, number: int, doubt: float, ahead: Lookahead) -> float:
        """The score of one item; its doubt, what its label would do and some items are kept."""
        event_id, score = batch.event_ids[number], MAXIMUM
        if not isnan(doubt):
            if self._recent.items:
                score = self._ranked(batch, number, doubt, ahead)
            self._doubts.add(doubt)
        drawn = draw(_SEED, event_id, "remembered") * self.spacing < 1.0
        if drawn or not self._recent.items:
            self._recent.add(ahead.inputs)
        return score

    def _ranked(self, batch: Batch, number: int, doubt: float, ahead: Lookahead) -> float:
        """The score of an item; of the most doubtful ones, the reduction is kept."""
        event_id = batch.event_ids[number]
        doubtful = _rank(self._doubts, doubt, event_id, "doubt")
        if doubtful < 1.0 - self.shortlist:
            return doubtful
        reduction = self._reduction(batch.model.item(number), ahead)
        rank = _rank(self._reductions, reduction, event_id, "reduction")
        self._reductions.add(reduction)
        return 1.0 - self.shortlist + self.shortlist * rank

    def state(self) -> JsonState:
        """The remembered events, and what is ranked against."""
        return {
            "recent": self._recent.state(),
            "doubts": self._doubts.state(),
            "reductions": self._reductions.state(),
        }

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned."""
        self._recent.restore(cast("JsonState", state.get("recent", {})))
        self._doubts.restore(cast("JsonState", state.get("doubts", {})))
        self._reductions.restore(cast("JsonState", state.get("reductions", {})))

    def _reduction(self, model: Probabilities, ahead: Lookahead) -> float:
        """The mean loss over the remembered events now, minus the one expected with the label."""
        items, known = self._recent.items, len(model)
        likely = sorted(model.items(), key=lambda pair: (-pair[1], pair[0]))[: self.classes]
        total = fsum([p for _, p in likely])
        expected = [
            p / total * fsum([self._loss(q, known) for q in ahead.after(label, items)])
            for label, p in likely
            if p > 0.0
        ]
        now = fsum([self._loss(q, known) for q in ahead.now(items)])
        return (now - fsum(expected)) / len(items)

    def _loss(self, probabilities: Probabilities, known: int) -> float:
        """What is expected of one prediction; of none, what is expected of a guess."""
        if self.measure is Loss.ZERO_ONE:
            return 1.0 - max(probabilities.values(), default=1.0 / known)
        if not probabilities:
            return log(known)
        return -fsum([p * log(p) for p in probabilities.values() if p > 0.0])


def _rank(window: ScoreWindow, value: float, event_id: str, purpose: str) -> float:
    """The share of the window below a value, in [0, 1)."""
    below, up_to = window.rank(value)
    return below + draw(_SEED, event_id, purpose) * (up_to - below)
