"""From reviews and counts to what estimation takes: outcomes, propensities, responses, totals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from streamal.core.estimation import Cell, LabelledItems, Response, WindowTotals
from streamal.core.learners.online import RIGHT
from streamal.state.measures import ReviewOutcome

__all__ = [
    "Correct",
    "cell",
    "labelled_items",
    "model_correct",
    "model_foresaw",
    "production_correct",
    "responses",
    "totals",
]

#: A regression's model says how far production is off; from here on it says that it is right.
_EVEN: Final = 0.5
#: Whether an answered review counts as correct, c.
Correct = Callable[[ReviewOutcome], bool]


def production_correct(outcome: ReviewOutcome) -> bool:
    """Whether production was right."""
    return bool(outcome.production_correct)


def model_correct(outcome: ReviewOutcome) -> bool:
    """Whether the online model was; one that knew nothing yet was not."""
    return bool(outcome.model_correct)


def model_foresaw(outcome: ReviewOutcome) -> bool:
    """With `target = error`: whether the online model knew if production was right."""
    if outcome.value is not None:
        foresaw = (outcome.expected_correct >= _EVEN) == production_correct(outcome)
        return outcome.expected_loss is not None and foresaw
    said = outcome.model_label
    return said is not None and (said == RIGHT) == production_correct(outcome)


def totals(events: int, sum_expected_correct: float, labelled: int) -> WindowTotals | None:
    """Sums of a window or of a part of it; None when increments are gone, and weights must do."""
    if events < labelled:
        return None
    return WindowTotals(events, min(sum_expected_correct, events))


def labelled_items(
    outcomes: Iterable[ReviewOutcome], correct: Correct, *, use_expectation: bool
) -> LabelledItems:
    """The answered reviews; g is left out (0) where it predicts something else than c."""
    answered = [outcome for outcome in outcomes if outcome.is_answered]
    return LabelledItems.of(
        [correct(outcome) for outcome in answered],
        [outcome.expected_correct if use_expectation else 0.0 for outcome in answered],
        [outcome.propensity for outcome in answered],
        [outcome.reason for outcome in answered],
    )


def responses(outcomes: Iterable[ReviewOutcome]) -> dict[str, Response]:
    """Reviews and answers by the rule that routed them: response may well depend on it."""
    asked: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for outcome in outcomes:
        asked[outcome.reason] += 1
        answered[outcome.reason] += outcome.is_answered
    return {reason: Response(count, answered[reason]) for reason, count in asked.items()}


def cell(
    outcomes: Sequence[ReviewOutcome],
    correct: Correct,
    events: int,
    sum_expected_correct: float | None,
) -> Cell:
    """A part of a window.

    Args:
        outcomes: the part's reviews.
        correct: what counts as correct.
        events: the part's reachable events.
        sum_expected_correct: sum of g over them; None where g does not predict c.
    """
    uses = sum_expected_correct is not None
    items = labelled_items(outcomes, correct, use_expectation=uses)
    sums = totals(events, sum_expected_correct or 0.0, len(items))
    return Cell(sums, items, responses(outcomes))
