"""The benchmark's own arithmetic: it must compare gates, not its shortcuts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.label_efficiency.gate import Choice, Decider, Entrant, Task, ours
from benchmarks.label_efficiency.learner import BaseLearner, Block
from benchmarks.label_efficiency.published import entropy_sampler, iwal
from benchmarks.label_efficiency.runs import Run, all_labels, compete
from benchmarks.label_efficiency.streams import Stream
from benchmarks.label_efficiency.summary import gate_rows


def made_up(events: int = 600) -> Stream:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(events, 3)) * (1.0, 50.0, 0.01)
    labels = (rows[:, 0] > 0).astype(np.intp) + (rows[:, 1] > 60.0)
    return Stream("made up", ("a", "b", "c"), rows, labels, 3)


def test_a_block_is_predicted_as_river_predicts_one_by_one() -> None:
    stream = made_up(80)
    learner = BaseLearner(3, 3)
    for row, label in zip(stream.rows[:40], stream.labels[:40].tolist(), strict=True):
        learner.learn(row, label, weight=1.0 + label)
    block = learner.block(0, stream.rows[40:])
    for row, shares in zip(block.rows, block.probabilities, strict=True):
        answer = learner.predict_one(row)
        assert [answer.get(label, 0.0) for label in range(3)] == pytest.approx(shares.tolist())


def test_probabilities_are_even_before_the_second_class() -> None:
    learner = BaseLearner(3, 3)
    assert learner.block(0, np.ones((2, 3))).probabilities == pytest.approx(1.0 / 3.0)
    learner.learn(np.zeros(3), 1)
    assert learner.block(0, np.ones((2, 3))).probabilities == pytest.approx(1.0 / 3.0)


@pytest.mark.parametrize("entrant", [ours("margin", "quantile"), ours("random", "split")])
def test_decisions_do_not_depend_on_the_length_of_blocks(entrant: Entrant) -> None:
    stream = made_up()
    (blocks,) = compete(stream, entrant, 0.05, 1)
    (singles,) = compete(stream, replace(entrant, alone=True), 0.05, 1)
    assert blocks == singles
    assert blocks.queries == pytest.approx(30, abs=12)


class _All:
    """Asks about everything."""

    def first(self, block: Block) -> Choice:  # noqa: ARG002 - the interface's
        return Choice(1, ask=True)


def _asks_all(_: Task) -> Decider:
    return _All()


def test_asking_about_everything_gives_the_accuracy_of_all_labels() -> None:
    stream = made_up()
    (run,) = compete(stream, Entrant("all", "none", _asks_all), 1.0, 1)
    assert (run.accuracy, run.spend) == (all_labels(stream), 1.0)


@pytest.mark.parametrize("entrant", [entropy_sampler, iwal])
def test_a_gate_without_a_budget_is_turned_until_it_spends_one(entrant: Entrant) -> None:
    (run,) = compete(made_up(), entrant, 0.1, 1)
    assert run.spend == pytest.approx(1.0, abs=0.25)


def runs() -> Iterator[Run]:
    accuracies = {"a": (0.8, 0.6), "b": (0.7, 0.6), "c": (0.6, 0.9)}
    for gate, (first, second) in accuracies.items():
        for seed in (0, 1):
            yield Run("one", "lib", gate, 0.1, seed, 10 + seed, 100, first)
        yield Run("two", "lib", gate, 0.1, 0, 50, 500, second)


def test_ranks_are_means_over_streams_and_ties_share() -> None:
    rows = {row.gate: row for row in gate_rows(list(runs()), {"one": 0.8, "two": 0.6})}
    assert {gate: row.rank for gate, row in rows.items()} == {"a": 1.75, "b": 2.25, "c": 2.0}
    assert rows["a"].accuracy == pytest.approx(0.7)
    assert rows["b"].retention == pytest.approx((0.7 / 0.8 + 1.0) / 2)
    assert rows["a"].spend == pytest.approx(71 / 70)
    assert rows["a"].worst_spend == pytest.approx(1.05)
