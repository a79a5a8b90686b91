from __future__ import annotations

import math

import numpy as np
import pytest

from streamal.core.estimation import Cell, ClassEstimate, ClassTracker, LabelledItems, WindowTotals

BUDGET = 0.1
NOBODY = LabelledItems.of([], [], [])


class World:
    """Three classes of very different frequency, and a production that mixes them up."""

    def __init__(self, seed: int, events: int = 12_000) -> None:
        rng = np.random.default_rng(seed)
        self.truth = rng.choice(3, events, p=[0.8, 0.17, 0.03])
        wrong = rng.random(events) < np.array([0.05, 0.2, 0.4])[self.truth]
        self.chosen = np.where(wrong, (self.truth + rng.integers(1, 3, events)) % 3, self.truth)
        self.expected = np.clip(np.where(wrong, 0.6, 0.9) + rng.normal(0, 0.1, events), 0, 1)
        # Selection prefers what looks wrong.
        self.propensity = np.clip(BUDGET * (0.5 + 2 * (1 - self.expected)), 0, 1)

    def precision(self, name: int) -> float:
        return float(np.mean(self.truth[self.chosen == name] == name))

    def recall(self, name: int) -> float:
        return float(np.mean(self.chosen[self.truth == name] == name))

    def estimate(self, name: int, rng: np.random.Generator, windows: int = 6) -> ClassEstimate:
        tracker = ClassTracker(least_propensity=0.05)
        for here in np.array_split(np.arange(len(self.truth)), windows):
            drawn = here[rng.random(len(here)) < self.propensity[here]]
            tracker.close(
                self.cell(here, drawn, self.chosen == name, name, use=True),
                self.cell(here, drawn, self.chosen != name, name, use=False),
            )
        return tracker.estimate()

    def cell(
        self,
        here: np.ndarray[tuple[int], np.dtype[np.intp]],
        drawn: np.ndarray[tuple[int], np.dtype[np.intp]],
        part: np.ndarray[tuple[int], np.dtype[np.bool_]],
        name: int,
        *,
        use: bool,
    ) -> Cell:
        inside, labelled = here[part[here]], drawn[part[drawn]]
        g = self.expected * use
        items = LabelledItems.of(
            self.truth[labelled] == name, g[labelled], self.propensity[labelled]
        )
        return Cell(WindowTotals(len(inside), float(g[inside].sum())), items, {})


def test_nothing_is_said_before_a_window() -> None:
    found = ClassTracker().estimate()
    assert math.isnan(found.recall)
    assert (found.recall_interval.low, found.recall_interval.high) == (0.0, 1.0)
    assert (found.predicted, found.labelled) == (0, 0)


def test_a_class_with_few_labels_has_no_recall() -> None:
    tracker = ClassTracker()
    hits = LabelledItems.of([1, 1], [0.9, 0.9], [0.1, 0.1])
    tracker.close(Cell(WindowTotals(20, 18.0), hits, {}), Cell(WindowTotals(80), NOBODY, {}))
    found = tracker.estimate()
    assert math.isnan(found.recall)
    assert not found.is_reliable
    assert found.predicted == 20


def test_no_miss_seen_is_not_a_recall_of_one_for_sure() -> None:
    tracker = ClassTracker(least_propensity=0.1)
    hits = LabelledItems.of([1] * 40, [0.9] * 40, [0.1] * 40)
    others = LabelledItems.of([0] * 60, [0.0] * 60, [0.1] * 60)
    tracker.close(Cell(WindowTotals(400, 360.0), hits, {}), Cell(WindowTotals(600), others, {}))
    found = tracker.estimate()
    assert found.recall == pytest.approx(1.0)
    assert found.recall_interval.low < 0.97
    assert found.recall_interval.high == pytest.approx(1.0)


@pytest.mark.parametrize("name", [0, 1, 2])
def test_precision_and_recall_are_without_bias_and_their_intervals_cover(name: int) -> None:
    world, rng = World(1), np.random.default_rng(10 + name)
    found = [world.estimate(name, rng) for _ in range(200)]
    recalls = [each.recall for each in found if not math.isnan(each.recall)]
    assert len(recalls) > 190
    assert np.mean(recalls) == pytest.approx(world.recall(name), abs=0.02)
    assert np.mean([each.precision.raw for each in found]) == pytest.approx(
        world.precision(name), abs=0.01
    )
    covered = np.mean([each.recall_interval.covers(world.recall(name)) for each in found])
    precise = np.mean([each.precision.interval.covers(world.precision(name)) for each in found])
    assert 0.92 <= covered <= 0.995
    assert 0.92 <= precise <= 0.995
    assert found[0].predicted == np.sum(world.chosen == name)
