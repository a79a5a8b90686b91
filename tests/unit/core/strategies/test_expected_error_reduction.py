"""Expected error reduction: the formula by enumeration, the shortlist, the window."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from math import log
from typing import cast

import pytest

from streamal.core.strategies import Bandit, ExpectedErrorReduction, build_strategy
from streamal.core.strategies.expected_error_reduction import Loss
from streamal.core.types import Context, Features, JsonValue, Probabilities, Production
from tests.support.scoring import note, score_one

#: How often each class was seen with each colour.
Counts = Mapping[str, Mapping[str, int]]
COUNTS: Counts = {"red": {"a": 3, "b": 1}, "blue": {"a": 0, "b": 0}, "green": {"a": 9, "b": 0}}


def says(counts: Counts, colour: str) -> Probabilities:
    """A naive Bayes of one feature: Laplace's rule of succession."""
    seen = counts[colour]
    total = sum(seen.values()) + len(seen)
    return {label: (count + 1) / total for label, count in seen.items()}


class Ahead:
    """What the counts become with one more; counts how often anybody asks."""

    def __init__(self, colour: str, counts: Counts = COUNTS) -> None:
        self.inputs: Features = {"colour": colour}
        self.counts = counts
        self.asked: list[str] = []

    def now(self, items: Sequence[Features]) -> list[Probabilities]:
        return [says(self.counts, str(item["colour"])) for item in items]

    def after(self, label: str, items: Sequence[Features]) -> list[Probabilities]:
        self.asked.append(label)
        colour = str(self.inputs["colour"])
        seen = {**self.counts[colour], label: self.counts[colour][label] + 1}
        return [says({**self.counts, colour: seen}, str(item["colour"])) for item in items]


def event(colour: str, number: int = 0, counts: Counts = COUNTS) -> Context:
    ahead = Ahead(colour, counts)
    return Context(
        f"event-{number}", {"colour": colour}, Production(), says(counts, colour), lookahead=ahead
    )


def reduction(strategy: ExpectedErrorReduction, context: Context) -> float:
    """The one that is noted, as it is kept: in single precision."""
    note(strategy, context)
    return strategy._reductions._arrived[-1]


def remembering(*colours: str, **parameters: JsonValue) -> ExpectedErrorReduction:
    strategy = cast(
        "ExpectedErrorReduction",
        build_strategy(
            "expected_error_reduction",
            {"measure": "zero_one_loss", "spacing": 1, "shortlist": 1.0, **parameters},
        ),
    )
    for colour in colours:
        strategy._recent.add({"colour": colour})
    return strategy


def test_zero_one_loss_by_enumeration() -> None:
    # Red is a with 4/6. With one more a 5/7, with one more b 4/7; blue and green stay.
    now = (2 / 6 + 2 / 6 + 1 / 11) / 3
    after = 4 / 6 * (2 / 7 + 2 / 7 + 1 / 11) / 3 + 2 / 6 * (3 / 7 + 3 / 7 + 1 / 11) / 3
    strategy = remembering("red", "red", "green")
    assert reduction(strategy, event("red")) == pytest.approx(now - after, abs=1e-7)


def test_log_loss_by_enumeration() -> None:
    def entropy(p: float) -> float:
        return -(p * log(p) + (1 - p) * log(1 - p))

    # Blue is even odds; one label makes it 2/3 either way.
    expected = (entropy(1 / 2) - entropy(2 / 3)) / 2
    strategy = remembering("blue", "green", measure="log_loss")
    assert reduction(strategy, event("blue")) == pytest.approx(expected, abs=1e-7)


def test_where_nothing_is_learned_about_the_window_nothing_is_gained() -> None:
    strategy = remembering("red", "green")
    assert reduction(strategy, event("blue")) == 0.0


def test_an_event_like_the_recent_ones_is_worth_more_than_an_equally_doubtful_other() -> None:
    counts: Counts = {"red": {"a": 0, "b": 0}, "blue": {"a": 0, "b": 0}}
    strategy = remembering(*["red"] * 9, "blue", window=10)
    for number in range(40):  # ranks are taken against these
        strategy._reductions.add(
            strategy._reduction(*_asked(event(("red", "blue")[number % 2], number, counts)))
        )
    reds, blues = (
        [score_one(strategy, event(colour, number, counts)) for number in range(50)]
        for colour in ("red", "blue")
    )
    assert all(red > blue for red, blue in zip(reds, blues, strict=True))


def _asked(context: Context) -> tuple[Probabilities, Ahead]:
    return context.model, cast("Ahead", context.lookahead)


def test_only_the_most_probable_classes_are_tried() -> None:
    counts: Counts = {"red": {"a": 1, "b": 5, "c": 3, "d": 0}}
    context = event("red", counts=counts)
    strategy = remembering("red", classes=2)
    found = reduction(strategy, context)
    assert cast("Ahead", context.lookahead).asked == ["b", "c"]
    # b has 6/13 and c 4/13, which become 6/10 and 4/10. Then b has 7/14, or still 6/14.
    expected = (1 - 6 / 13) - (6 / 10 * (1 - 7 / 14) + 4 / 10 * (1 - 6 / 14))
    assert found == pytest.approx(expected, abs=1e-7)


class Silent(Ahead):
    """A learner that cannot work with what it is asked about."""

    def now(self, items: Sequence[Features]) -> list[Probabilities]:
        return [{} for _ in items]


@pytest.mark.parametrize(("measure", "guess"), [("zero_one_loss", 0.5), ("log_loss", log(2))])
def test_of_no_prediction_a_guess_is_expected(measure: str, guess: float) -> None:
    context = Context("e", {}, Production(), says(COUNTS, "blue"), lookahead=Silent("blue"))
    strategy = remembering("green", measure=measure)
    after = strategy._loss(says(COUNTS, "green"), 2)
    assert reduction(strategy, context) == pytest.approx(guess - after, abs=1e-7)


def test_only_the_shortlist_is_taught() -> None:
    strategy = remembering("red", shortlist=0.25)
    taught = 0
    ranks: dict[bool, list[float]] = {True: [], False: []}
    for number in range(800):
        share = 2 + (number * 37) % 100  # other odds each time
        context = event("red", number, {"red": {"a": share, "b": 1}})
        if number > 100:
            score = score_one(strategy, context)
            asked = bool(cast("Ahead", context.lookahead).asked)
            taught += asked
            ranks[asked].append(score)
        note(strategy, context)
    assert 0.2 < taught / 699 < 0.3
    assert max(ranks[False]) < 0.75 <= min(ranks[True])


def test_those_that_are_not_taught_keep_the_order_of_their_margin() -> None:
    strategy = remembering("red", shortlist=0.1)
    contexts = [event("red", n, {"red": {"a": 1 + n % 50, "b": 1}}) for n in range(500)]
    for context in contexts:
        note(strategy, context)
    scores = sorted((score_one(strategy, context), -n) for n, context in enumerate(contexts[:50]))
    low = [-n for score, n in scores if score < 0.9]
    assert len(low) > 40
    # The rank of an event that equals others is drawn, and may reach the next one's.
    assert all(n >= later - 1 for n, later in itertools.pairwise(low))


def test_without_lookahead_or_a_memory_everything_is_worth_asking() -> None:
    strategy = remembering("red")
    assert score_one(strategy, Context("e", {}, Production(), says(COUNTS, "red"))) == 1.0
    assert score_one(remembering(), event("red")) == 1.0
    alone = Context("e", {}, Production(), {"a": 1.0}, lookahead=Ahead("red"))
    assert score_one(strategy, alone) == 1.0


def test_one_of_spacing_events_is_remembered_up_to_the_window() -> None:
    strategy = ExpectedErrorReduction(window=20, spacing=5)
    counts: Counts = {f"colour {n}": {"a": 1, "b": 1} for n in range(1000)}
    for number in range(1000):
        note(strategy, event(f"colour {number}", number, counts))
    kept = [int(str(item["colour"]).split()[1]) for item in strategy._recent.items]
    assert len(kept) == 20
    assert kept == sorted(kept)
    assert kept[0] > 800
    assert 50 < kept[-1] - kept[0] < 200


@pytest.mark.parametrize("measure", list(Loss))
def test_a_restored_one_scores_the_same(measure: Loss) -> None:
    first = ExpectedErrorReduction(measure, spacing=1, shortlist=0.5)
    again = ExpectedErrorReduction(measure, spacing=1, shortlist=0.5)
    contexts = [event(("red", "blue", "green")[n % 3], n) for n in range(200)]
    for context in contexts[:100]:
        note(first, context)
    again.restore(json.loads(json.dumps(first.state())))
    for context in contexts[100:]:
        assert score_one(first, context) == score_one(again, context)
        note(first, context)
        note(again, context)
    assert first.state() == again.state()


@pytest.mark.parametrize("combination", ["weighted_sum", "max", "bandit"])
def test_combinations_pass_the_question_on(combination: str) -> None:
    asking: list[JsonValue] = [{"strategy": "margin"}, {"strategy": "expected_error_reduction"}]
    assert build_strategy(combination, {"strategies": asking}).asks_lookahead
    assert not Bandit().asks_lookahead
