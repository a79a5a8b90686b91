"""What each labelled review stands for among all events.

A review was routed with probability π and answered with the response rate of its kind, so it stands
for 1 / (π · rate) events: the Horvitz-Thompson weight, with the rates of estimation
(`streamal.core.estimation.inclusion`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from streamal.core.estimation import (
    LabelledItems,
    Response,
    ResponseHistory,
    inclusion_probability,
)
from streamal.state.measures import LabelledReview, ReviewMeasures, ReviewOutcome

__all__ = ["Weighted", "Weighting", "weighted_reviews"]

#: Before any window has matured there is no rate to correct with.
_NO_CORRECTION: Final = 1.0


@dataclass(frozen=True, slots=True)
class Weighting:
    """How weights are made.

    Attributes:
        window_seconds: response rates are taken over windows of event time this long.
        label_ttl_seconds: how long after its decision an answer may still come; a window younger
            than that takes the rates of those before it.
        now: seconds since the Unix epoch.
    """

    window_seconds: float
    label_ttl_seconds: float
    now: float


@dataclass(frozen=True, slots=True)
class Weighted:
    """A labelled review and what it stands for.

    Attributes:
        labelled: the review with its final answer.
        response_rate: P(answered | routed) of its kind, in (0, 1].
        weight: 1 / (propensity · response rate), >= 1; 0 for a made-up item, which stands for none.
        matured: whether all answers of its window are in; before, its weight may change.
        production_correct: whether production was right; in a regression, right within tolerance.
    """

    labelled: LabelledReview
    response_rate: float
    weight: float
    matured: bool
    production_correct: bool


def weighted_reviews(
    measures: ReviewMeasures,
    start: float,
    end: float,
    weighting: Weighting,
    *,
    synthetic: bool = False,
) -> Iterator[Weighted]:
    """Labelled reviews of events that occurred in [`start`, `end`), oldest first.

    Holds one window in memory.

    Args:
        measures: of a view that isn't written to meanwhile.
        start: seconds since the Unix epoch.
        end: seconds since the Unix epoch.
        weighting: how weights are made.
        synthetic: whether made-up items are among them.
    """
    length = weighting.window_seconds
    history = ResponseHistory()
    for number, group in groupby(
        measures.labelled(start, end, synthetic=synthetic),
        key=lambda each: each.review.occurred_at.timestamp() // length,
    ):
        first = number * length
        outcomes = measures.outcomes(first, first + length)
        matured = first + length + weighting.label_ttl_seconds <= weighting.now
        probabilities = _inclusion(outcomes, history, matured=matured)
        right = {outcome.event_id for outcome in outcomes if outcome.production_correct}
        for labelled in group:
            if labelled.review.synthetic:
                yield Weighted(labelled, 1.0, 0.0, matured, production_correct=False)
                continue
            event_id, propensity = labelled.review.event_id, labelled.review.propensity
            probability = probabilities.get(event_id, propensity)
            yield Weighted(
                labelled, probability / propensity, 1 / probability, matured, event_id in right
            )


def _inclusion(
    outcomes: Sequence[ReviewOutcome], history: ResponseHistory, *, matured: bool
) -> dict[str, float]:
    """P(routed and answered) of each answered review of a window, by event id."""
    answered = [each for each in outcomes if each.answered_at is not None]
    items = LabelledItems.of(
        [0.0] * len(answered),
        [0.0] * len(answered),
        [each.propensity for each in answered],
        [each.reason for each in answered],
    )
    asked = Counter(each.reason for each in outcomes)
    came = Counter(each.reason for each in answered)
    past = history.past
    if matured:
        now = {reason: Response(count, came[reason]) for reason, count in asked.items()}
        found = inclusion_probability(items, now, past)
        history.learn(now)
    elif any(each.answered for each in past.values()):
        nothing = {reason: Response(0, 0) for reason in asked}
        found = inclusion_probability(items, nothing, past)
    else:
        found = items.propensity * _NO_CORRECTION
    return {each.event_id: float(p) for each, p in zip(answered, found, strict=True)}
