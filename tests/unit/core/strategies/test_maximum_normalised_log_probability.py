"""MNLP: the doubt about a sequence does not depend on its length."""

from __future__ import annotations

from math import prod

import pytest

from streamal.core.strategies import MaximumNormalisedLogProbability
from streamal.core.types import Context, Production
from tests.support.scoring import score_one


def score(*tokens: float) -> float:
    context = Context("e1", {}, Production("ok", token_probabilities=tokens))
    return score_one(MaximumNormalisedLogProbability(), context)


@pytest.mark.parametrize("tokens", [(0.5,), (0.9, 0.4), (0.1, 0.2, 0.3, 1.0)])
def test_it_is_what_the_geometric_mean_leaves(tokens: tuple[float, ...]) -> None:
    assert score(*tokens) == pytest.approx(1 - prod(tokens) ** (1 / len(tokens)))


@pytest.mark.parametrize("repeats", [1, 10, 1000])
def test_a_sequence_said_again_and_again_is_as_doubtful_as_once(repeats: int) -> None:
    assert score(*[0.8, 0.3] * repeats) == pytest.approx(score(0.8, 0.3))


def test_long_sequences_do_not_underflow() -> None:
    assert score(*[1e-300] * 8192) == pytest.approx(1.0)
    assert score(*[0.99] * 8192) == pytest.approx(0.01)


def test_the_order_does_not_matter() -> None:
    assert score(0.1, 0.7, 0.4) == score(0.4, 0.1, 0.7)


def test_an_impossible_token_is_as_doubtful_as_can_be() -> None:
    assert score(1.0, 0.0, 1.0) == 1.0
    assert score(1.0, 1.0) == 0.0


def test_an_event_that_is_no_sequence_is_unknown() -> None:
    assert score() == 1.0
