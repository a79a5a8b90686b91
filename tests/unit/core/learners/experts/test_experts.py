"""What each expert is good at, and that it grows with the stream."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from streamal.core.learners.experts import (
    BayesianLogistic,
    Expert,
    ExpertMixture,
    GaussianBayes,
    Neighbours,
    StochasticLogistic,
)

Item = tuple[dict[str, float], int]
Make = Callable[[], Expert]

EVERY: dict[str, Make] = {
    "stochastic": lambda: StochasticLogistic(0.1),
    "bayesian": lambda: BayesianLogistic(0.99, shifted=False),
    "shifted": lambda: BayesianLogistic(0.99, shifted=True),
    "neighbours": lambda: Neighbours(5, 100),
    "gaussian": GaussianBayes,
}
every_expert = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)


def linear(count: int, seed: int) -> Iterator[Item]:
    rng = np.random.default_rng(seed)
    for _ in range(count):
        a, b, c = rng.normal(0.0, (1.0, 100.0, 0.01))
        yield {"a": float(a), "b": float(b), "c": float(c)}, int(a + b / 100 > 0)


def rings(count: int, seed: int) -> Iterator[Item]:
    rng = np.random.default_rng(seed)
    for _ in range(count):
        a, b = rng.normal(size=2)
        yield {"a": float(a), "b": float(b)}, int(a * a + b * b > 1.4)


def wandering(count: int, seed: int) -> Iterator[Item]:
    """The class says whether a price rose; the price itself wanders off."""
    rng = np.random.default_rng(seed)
    price = 0.0
    for _ in range(count):
        step = float(rng.normal())
        price += step
        yield {"price": price}, int(step > 0)


def accuracy(expert: Expert, items: Iterator[Item], first: int) -> float:
    """Prequential accuracy after the `first` labels."""
    mixture, right = ExpertMixture([expert]), []
    for x, y in items:
        answer = mixture.predict_proba_one(x)
        right.append(bool(answer) and max(answer, key=answer.__getitem__) == y)
        mixture.learn_one(x, y)
    return float(np.mean(right[first:]))


@every_expert
def test_each_learns_a_line_whatever_the_units(make: Make) -> None:
    assert accuracy(make(), linear(400, 1), 200) > 0.85


@pytest.mark.parametrize(("name", "least"), [("neighbours", 0.85), ("gaussian", 0.85)])
def test_a_ring_needs_neighbours_or_variances(name: str, least: float) -> None:
    assert accuracy(EVERY[name](), rings(600, 2), 300) > least
    assert accuracy(EVERY["bayesian"](), rings(600, 2), 300) < 0.7


def test_a_wandering_level_needs_the_shifted_vector() -> None:
    assert accuracy(EVERY["shifted"](), wandering(600, 3), 100) > 0.8
    assert accuracy(EVERY["bayesian"](), wandering(600, 3), 100) < 0.7


def test_bayesian_weights_need_fewer_labels_than_gradient_steps() -> None:
    few = [
        np.mean([accuracy(EVERY[name](), linear(40, seed), 5) for seed in range(20)])
        for name in ("bayesian", "stochastic")
    ]
    assert few[0] > few[1]


def test_a_bayesian_memory_lets_it_follow_a_drift() -> None:
    def turned(seed: int) -> Iterator[Item]:
        yield from linear(300, seed)
        for x, y in linear(100, seed + 1):
            yield x, 1 - y

    forgetful, faithful = (
        accuracy(BayesianLogistic(memory, shifted=False), turned(5), 300) for memory in (0.9, 1.0)
    )
    assert forgetful > faithful + 0.2


def test_covariances_become_diagonal_before_they_grow_large() -> None:
    rng = np.random.default_rng(4)
    mixture = ExpertMixture([BayesianLogistic(0.99, shifted=False)])
    right = []
    for size in [*[30] * 100, *[400] * 100]:
        values = rng.normal(size=30)
        x = dict.fromkeys((f"x{column}" for column in range(size)), 0.0)
        x |= {f"x{column}": float(value) for column, value in enumerate(values)}
        y = int(values[0] > 0)
        answer = mixture.predict_proba_one(x)
        right.append(bool(answer) and max(answer, key=answer.__getitem__) == y)
        mixture.learn_one(x, y)
    assert len(pickle.dumps(mixture)) < 100_000
    assert np.mean(right[50:]) > 0.7, "what was learned before is kept"


@every_expert
def test_classes_and_columns_may_come_late(make: Make) -> None:
    mixture, answer = ExpertMixture([make()]), {}
    for number in range(60):
        x = {f"x{column}": float(number % (column + 2)) for column in range(1 + number // 20)}
        mixture.learn_one(x, number % (2 + number // 20))
        answer = mixture.predict_proba_one(x)
        assert sum(answer.values()) == pytest.approx(1.0)
        assert all(p >= 0.0 for p in answer.values())
    assert set(answer) == {0, 1, 2, 3}


@every_expert
def test_a_weight_counts_like_so_many_labels(make: Make) -> None:
    def answer(weight: float, copies: int) -> float:
        mixture = ExpertMixture([make()])
        for x, y in linear(40, 6):
            for _ in range(copies if y else 1):
                mixture.learn_one(x, y, w=weight if y else 1.0)
        return float(np.mean([mixture.predict_proba_one(x)[1] for x, _ in linear(50, 7)]))

    plain, weighted, copied = answer(1.0, 1), answer(4.0, 1), answer(1.0, 4)
    assert weighted > plain
    assert copied > plain


def test_neighbours_forget_beyond_their_window() -> None:
    mixture = ExpertMixture([Neighbours(1, 10)])
    for number in range(30):
        mixture.learn_one({"x": float(number)}, int(number < 20))
    assert mixture.predict_proba_one({"x": 0.0})[0] == pytest.approx(1.0)


def test_a_window_of_one_keeps_the_last_item_only() -> None:
    mixture = ExpertMixture([Neighbours(1, 1)])
    for y in (0, 1, 0):
        mixture.learn_one({"x": float(y)}, y)
    assert mixture.predict_proba_one({"x": 1.0}) == {0: 1.0, 1: 0.0}


@every_expert
def test_the_order_of_columns_does_not_matter_even_when_one_comes_late(make: Make) -> None:
    one, other = ExpertMixture([make()]), ExpertMixture([make()])
    for number, (x, y) in enumerate(linear(60, 8)):
        late = dict(list(x.items())[: 2 if number < 30 else 3])
        one.learn_one(late, y)
        other.learn_one(dict(reversed(late.items())), y)
    for x, _ in linear(20, 9):
        assert one.predict_proba_one(x) == pytest.approx(other.predict_proba_one(x), abs=1e-9)
