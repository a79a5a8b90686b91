"""Agreement on numbers: a published example, a second derivation from pairs, simulated answers."""

from __future__ import annotations

import random
from itertools import permutations
from statistics import fmean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamal.core.annotation import answer_spread, interval_alpha, verdict_error

Panel = dict[str, float]

#: Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), section E: four observers,
#: twelve units, interval alpha 0.849.
FOUR_OBSERVERS = (
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)

PANELS = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.integers(-50, 50).map(float), max_size=4),
    max_size=12,
)


def published() -> list[Panel]:
    table = [row.split() for row in FOUR_OBSERVERS]
    return [
        {str(who): float(row[item]) for who, row in enumerate(table) if row[item] != "."}
        for item in range(len(table[0]))
    ]


def alpha_from_pairs(panels: list[Panel]) -> float | None:
    """By definition: squared differences of every ordered pair, within items and anywhere."""
    usable = [[*panel.values()] for panel in panels if len(panel) > 1]
    everything = [answer for answers in usable for answer in answers]
    n = len(everything)
    if not n or len(set(everything)) == 1:
        return None
    observed = sum(
        sum((one - two) ** 2 for one, two in permutations(answers, 2)) / (len(answers) - 1)
        for answers in usable
    )
    expected = sum((one - two) ** 2 for one, two in permutations(everything, 2)) / (n - 1)
    return 1 - observed / expected


def test_the_published_example() -> None:
    assert interval_alpha(published()) == pytest.approx(0.849, abs=5e-4)


@given(PANELS)
def test_alpha_is_what_its_definition_says(panels: list[Panel]) -> None:
    assert interval_alpha(panels) == pytest.approx(alpha_from_pairs(panels))


@given(PANELS, st.integers(-10, 10))
def test_alpha_has_no_unit_and_the_spread_has_one(panels: list[Panel], exponent: int) -> None:
    unit = 2.0**exponent
    scaled = [{name: 7 + unit * answer for name, answer in panel.items()} for panel in panels]
    assert interval_alpha(scaled) == pytest.approx(interval_alpha(panels), abs=1e-6)
    spread, again = answer_spread(panels), answer_spread(scaled)
    assert again == (None if spread is None else pytest.approx(unit * spread, abs=1e-6 * unit))


def test_nothing_is_known_without_two_answers_to_an_item() -> None:
    assert (interval_alpha([]), answer_spread([{"a": 1.0}, {"b": 2.0}])) == (None, None)
    assert interval_alpha([{"a": 3.0, "b": 3.0}]) is None


@pytest.mark.parametrize("votes", [1, 2, 3, 5])
def test_spread_and_error_are_those_of_simulated_annotators(votes: int) -> None:
    chance = random.Random(votes)
    truths = [chance.uniform(0, 100) for _ in range(20_000)]
    panels = [
        {str(who): chance.gauss(truth, 2.0) for who in range(max(2, votes))} for truth in truths
    ]
    spread = answer_spread(panels)
    assert spread == pytest.approx(2.0, rel=0.02)
    assert interval_alpha(panels) == pytest.approx(1 - 4 / (4 + 100**2 / 12), abs=0.002)
    errors = [
        abs(median([*panel.values()][:votes]) - truth)
        for panel, truth in zip(panels, truths, strict=True)
    ]
    expected = verdict_error(spread or 0.0, votes)
    assert fmean(errors) <= expected * 1.02
    assert fmean(errors) == pytest.approx(expected, rel=0.1)
