"""Agreement: published examples, a second derivation from pairs, and simulated annotators."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamal.core.annotation import (
    annotator_noise,
    cohen_kappa,
    krippendorff_alpha,
    mean_kappas,
    pairwise,
    verdict_noise,
)

Panel = Mapping[str, str]

#: Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), section C: four observers,
#: twelve units, nominal alpha 0.743.
FOUR_OBSERVERS = (
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)


def panels_of(rows: Sequence[str]) -> list[Panel]:
    table = [row.split() for row in rows]
    return [
        {str(who): row[item] for who, row in enumerate(table) if row[item] != "."}
        for item in range(len(table[0]))
    ]


def alpha_by_pairs(panels: Sequence[Panel]) -> float | None:
    """Observed disagreement within items against that of all answers thrown together."""
    kept = [list(panel.values()) for panel in panels if len(panel) > 1]
    everything = [answer for answers in kept for answer in answers]
    n = len(everything)
    if n == 0:
        return None
    within = sum(
        (a != b) / (len(answers) - 1) for answers in kept for a, b in permutations(answers, 2)
    )
    between = sum(a != b for a, b in permutations(everything, 2))
    return None if between == 0 else 1 - (within / n) / (between / (n * (n - 1)))


def test_alpha_of_the_published_example() -> None:
    alpha = krippendorff_alpha(panels_of(FOUR_OBSERVERS))
    assert alpha == pytest.approx(0.743, abs=5e-4)


def test_alpha_of_perfect_opposite_and_missing_agreement() -> None:
    same: list[Panel] = [{"x": "a", "y": "a"}, {"x": "b", "y": "b"}]
    opposite: list[Panel] = [{"x": "a", "y": "b"}, {"x": "b", "y": "a"}]
    assert krippendorff_alpha(same) == 1
    assert krippendorff_alpha(opposite) == -0.5
    assert krippendorff_alpha([]) is None
    assert krippendorff_alpha([{"x": "a"}, {"y": "b"}]) is None
    assert krippendorff_alpha([{"x": "a", "y": "a"}]) is None


panels = st.lists(
    st.dictionaries(st.sampled_from("wxyz"), st.sampled_from("abc"), min_size=1), max_size=12
)


@given(panels)
def test_alpha_agrees_with_a_second_derivation(drawn: list[dict[str, str]]) -> None:
    ours, theirs = krippendorff_alpha(drawn), alpha_by_pairs(drawn)
    if theirs is None:
        assert ours is None
    else:
        assert ours is not None
        assert ours == pytest.approx(theirs, abs=1e-9)
        assert ours <= 1


def test_kappa_of_a_published_example() -> None:
    # 25 applications, read by two: 20 both yes, 5 only the first, 10 only the second, 15 both no.
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert cohen_kappa(pairs) == pytest.approx(0.4)


def kappa_by_table(pairs: Sequence[tuple[str, str]]) -> float | None:
    n = len(pairs)
    names = sorted({name for pair in pairs for name in pair})
    table = {cell: pairs.count(cell) / n for cell in product(names, names)}
    observed = sum(table[name, name] for name in names)
    chance = sum(
        sum(table[name, other] for other in names) * sum(table[other, name] for other in names)
        for name in names
    )
    return None if math.isclose(chance, 1) else (observed - chance) / (1 - chance)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=30))
def test_kappa_agrees_with_a_second_derivation(pairs: list[tuple[str, str]]) -> None:
    ours, theirs = cohen_kappa(pairs), kappa_by_table(pairs)
    if theirs is None:
        assert ours is None
    else:
        assert ours is not None
        assert ours == pytest.approx(theirs, abs=1e-9)
        assert -1 <= ours <= 1


def test_kappa_without_items_or_choice() -> None:
    assert cohen_kappa([]) is None
    assert cohen_kappa([("a", "a")] * 3) is None


def test_pairs_and_means() -> None:
    seen: list[Panel] = [
        {"ann": "a", "bob": "a", "mal": "b"},
        {"ann": "b", "bob": "b", "mal": "a"},
        {"ann": "a", "bob": "a"},
    ]
    found = {(each.first, each.second): (each.items, each.kappa) for each in pairwise(seen)}
    assert found == {
        ("ann", "bob"): (3, 1.0),
        ("ann", "mal"): (2, -1.0),
        ("bob", "mal"): (2, -1.0),
    }
    means = mean_kappas(seen)
    assert means["ann"] == pytest.approx((3 - 2) / 5)
    assert means["mal"] == -1


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("noise", [0.02, 0.1, 0.3])
def test_noise_is_found_in_how_often_two_differ(noise: float, classes: int) -> None:
    draws = random.Random(classes)
    names = [str(number) for number in range(classes)]

    def say(truth: str) -> str:
        if draws.random() >= noise:
            return truth
        return draws.choice([name for name in names if name != truth])

    seen: list[Panel] = []
    for _ in range(6000):
        truth = draws.choice(names)
        seen.append({"x": say(truth), "y": say(truth)})
    assert annotator_noise(seen, classes) == pytest.approx(noise, abs=0.02)


def test_noise_of_nobody_and_of_dice() -> None:
    assert annotator_noise([{"x": "a"}], 2) is None
    assert annotator_noise([{"x": "a", "y": "a"}], 2) == 0
    # Two who always differ are no better than chance, and no worse can be told from that.
    assert annotator_noise([{"x": "a", "y": "b"}], 2) == 0.5


@pytest.mark.parametrize(("votes_for", "against"), [(1, 0), (2, 0), (2, 1), (3, 0), (3, 2)])
def test_the_noise_of_a_verdict_is_that_of_simulated_votes(votes_for: int, against: int) -> None:
    draws, noise = random.Random(7), 0.2
    wrong = total = 0
    for _ in range(200_000):
        votes = [draws.random() < noise for _ in range(votes_for + against)]
        if sum(votes) == votes_for or sum(votes) == against:
            total += 1
            wrong += sum(votes) == votes_for
    expected = verdict_noise(noise, votes_for, against, 2)
    assert wrong / total == pytest.approx(expected, abs=0.01)


def test_the_noise_of_a_verdict_falls_with_votes_and_is_none_without_noise() -> None:
    falling = [verdict_noise(0.3, votes, 0, 4) for votes in range(1, 6)]
    assert falling == sorted(falling, reverse=True)
    assert falling[0] == pytest.approx(0.3)
    assert verdict_noise(0.0, 1, 0, 2) == 0
