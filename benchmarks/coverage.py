"""Do the intervals tell the truth? Repeats the selection many times and counts.

    python benchmarks/coverage.py [--replicates 1000] [--data FILE --label COLUMN] [--json PATH]

A stream of predictions, its outcomes c and its predicted P(correct) g are held fixed; which items
are routed and which reviews are answered is drawn anew in every replicate, with the propensities
that a budget policy gives. The truth is the accuracy on all events. Per setting the table shows:
bias; coverage of the 95 % interval over the whole stream, per window, and per window called
reliable; mean half-width beside that of uniform sampling with as many labels; the naive mean's
bias; and the share of runs whose anytime sequence excluded the truth at any window.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from statistics import NormalDist

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from river import compose, linear_model, multiclass, preprocessing

from streamal.core.budgets import build_budget
from streamal.core.chance import draw
from streamal.core.estimation import (
    AccuracyTracker,
    Estimate,
    FloatArray,
    LabelledItems,
    Response,
    WindowTotals,
)
from streamal.core.types import Conditions

LEVEL = 0.95
BUDGETS = (0.01, 0.02, 0.05, 0.10)
RESPONSE_RATE = 0.8
WINDOWS = 20
EVENTS = 100_000
POLICIES = ("quantile", "propensity_sampling")
EXPLORATION = (0.2, 0.5)
STRATA = np.array(["exploration", "above_threshold"])


@dataclass(frozen=True, slots=True)
class Stream:
    """A recorded stream; arrays of one length in time order."""

    name: str
    correct: FloatArray
    expected_correct: FloatArray
    score: FloatArray


@dataclass(frozen=True, slots=True)
class Selection:
    """What a policy offers for each item of a stream."""

    name: str
    budget: float
    propensity: FloatArray
    least: float


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; accuracies, biases and half-widths in percentage points."""

    stream: str
    policy: str
    budget: float
    labels: float
    accuracy: float
    bias: float
    coverage: float
    coverage_windows: float
    coverage_reliable: float | None
    reliable: float
    half_width: float
    half_width_uniform: float
    naive_bias: float
    anytime_excluded: float
    replicates: int


def synthetic(name: str, rng: np.random.Generator) -> Stream:
    """Drifting accuracy: about 92 %, sliding to 88 %, with a fall to 78 % half way.

    `informative` predicts P(correct) with some noise; `useless` is independent of the outcome, and
    so is the score that routes.
    """
    at = np.arange(EVENTS) / EVENTS
    mean = np.where(at < 0.5, 0.92 - 0.08 * at, 0.78)
    chance = rng.beta(5 * mean, 5 * (1 - mean))
    correct = (rng.random(EVENTS) < chance).astype(np.float64)
    guess = chance if name == "informative" else rng.permutation(chance)
    expected = np.clip(guess + rng.normal(0, 0.05, EVENTS), 0.0, 1.0)
    return Stream(name, correct, expected, 1 - expected)


def recorded(path: Path, label: str) -> Stream:
    """A CSV in stream order: a logistic regression learns the first fifth and then goes stale.

    Its own confidence stands in for g, uncalibrated.
    """
    numbers = compose.SelectType(float) | preprocessing.StandardScaler()
    words = compose.SelectType(str) | preprocessing.OneHotEncoder()
    model = (numbers + words) | multiclass.OneVsRestClassifier(linear_model.LogisticRegression())
    with path.open(newline="") as file:
        rows = [{name: _number(text) for name, text in row.items()} for row in csv.DictReader(file)]
    if not rows or label not in rows[0]:
        raise SystemExit(f"{path} has no column {label!r}")
    truth = [str(row.pop(label)) for row in rows]
    learned = len(rows) // 5
    for features, answer in zip(rows[:learned], truth[:learned], strict=True):
        model.learn_one(features, answer)
    said = [model.predict_proba_one(features) for features in rows[learned:]]
    top = [max(probabilities, key=probabilities.__getitem__) for probabilities in said]
    correct = np.array([a == b for a, b in zip(top, truth[learned:], strict=True)], dtype=float)
    expected = np.clip([max(probabilities.values()) for probabilities in said], 0.0, 1.0)
    return Stream(path.stem, correct, expected, 1 - expected)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def select(name: str, stream: Stream, budget: float, exploration: float) -> Selection:
    """One pass of a shipped policy over the stream; its propensities then hold for every replicate.

    They depend a little on its own draws, through the account of what was spent.
    """
    policy = build_budget(name, {}, budget=budget, exploration=exploration)
    conditions = Conditions(now=0.0)
    propensity = np.empty(len(stream.score))
    for number, score in enumerate(stream.score.tolist()):
        offer = policy.preview(score, conditions)
        query = draw(0, str(number), "query") < offer.propensity
        policy.commit(score, offer, query=query, conditions=conditions)
        propensity[number] = offer.propensity
    return Selection(f"{name}, φ={exploration:g}", budget, propensity, policy.floor)


def windows(
    stream: Stream, selection: Selection, rng: np.random.Generator
) -> Iterator[tuple[WindowTotals, LabelledItems, dict[str, Response]]]:
    """One replicate: what the trainer would see of each window."""
    size = len(stream.correct) // WINDOWS
    for start in range(0, size * WINDOWS, size):
        propensity = selection.propensity[start : start + size]
        expected = stream.expected_correct[start : start + size]
        routed = np.flatnonzero(rng.random(size, dtype=np.float32) < propensity)
        answered = rng.random(len(routed)) < RESPONSE_RATE
        stratum = STRATA[(propensity[routed] > selection.least).astype(int)]
        labelled = routed[answered]
        items = LabelledItems.of(
            stream.correct[start : start + size][labelled],
            expected[labelled],
            propensity[labelled],
            stratum[answered].tolist(),
        )
        responses = {
            str(name): Response(
                int(np.sum(stratum == name)), int(np.sum(stratum[answered] == name))
            )
            for name in STRATA
        }
        yield WindowTotals(size, float(expected.sum())), items, responses


@dataclass(frozen=True, slots=True)
class Replicate:
    """One run over the whole stream."""

    overall: Estimate
    windows: tuple[Estimate, ...]
    anytime_held: bool


def replicate(
    stream: Stream, selection: Selection, running: FloatArray, rng: np.random.Generator
) -> Replicate:
    """Draw once and follow it; `running` is the true accuracy up to the end of each window."""
    tracker = AccuracyTracker(
        level=LEVEL, least_propensity=selection.least, tightest_at=len(stream.correct) // 2
    )
    closed, held = [], True
    for window, truth in zip(windows(stream, selection, rng), running, strict=True):
        closed.append(tracker.close(*window))
        held &= tracker.anytime().interval.covers(float(truth))
    return Replicate(tracker.overall(), tuple(closed), held)


def measure(stream: Stream, selection: Selection, replicates: int, seed: int) -> Row:
    """All replicates of one setting."""
    size = len(stream.correct) // WINDOWS
    truths = stream.correct[: size * WINDOWS].reshape(WINDOWS, size).mean(axis=1)
    running = np.cumsum(truths) / np.arange(1, WINDOWS + 1)
    truth = float(running[-1])
    rng = np.random.default_rng(seed)
    runs = [replicate(stream, selection, running, rng) for _ in range(replicates)]
    overall = [run.overall for run in runs]
    covered = np.array(
        [
            [
                estimate.interval.covers(float(t))
                for estimate, t in zip(run.windows, truths, strict=True)
            ]
            for run in runs
        ]
    )
    reliable = np.array([[estimate.reliable for estimate in run.windows] for run in runs])
    labels = float(np.mean([estimate.labelled for estimate in overall]))
    uniform = truth * (1 - truth) * (1 / labels - 1 / (size * WINDOWS))
    return Row(
        stream=stream.name,
        policy=selection.name,
        budget=selection.budget,
        labels=labels,
        accuracy=100 * truth,
        bias=100 * float(np.mean([estimate.raw for estimate in overall]) - truth),
        coverage=float(np.mean([estimate.interval.covers(truth) for estimate in overall])),
        coverage_windows=float(covered.mean()),
        coverage_reliable=float(covered[reliable].mean()) if reliable.any() else None,
        reliable=float(reliable.mean()),
        half_width=100 * float(np.mean([estimate.interval.half_width for estimate in overall])),
        half_width_uniform=100 * NormalDist().inv_cdf((1 + LEVEL) / 2) * uniform**0.5,
        naive_bias=100 * float(np.mean([estimate.naive for estimate in overall]) - truth),
        anytime_excluded=float(np.mean([not run.anytime_held for run in runs])),
        replicates=replicates,
    )


def table(rows: list[Row]) -> Table:
    """The rows for a person."""
    result = Table(title="95 % intervals for accuracy, 20 % of reviews unanswered")
    result.add_column("stream")
    result.add_column("policy")
    for name in (
        *("budget", "labels", "bias", "covers", "windows", "reliable", "(share)"),
        *("±", "± uniform", "naive", "anytime out"),
    ):
        result.add_column(name, justify="right")
    for row in rows:
        result.add_row(
            row.stream,
            row.policy,
            f"{row.budget:.0%}",
            f"{row.labels:.0f}",
            f"{row.bias:+.2f}",
            f"{row.coverage:.1%}",
            f"{row.coverage_windows:.1%}",
            "" if row.coverage_reliable is None else f"{row.coverage_reliable:.1%}",
            f"{row.reliable:.0%}",
            f"{row.half_width:.2f}",
            f"{row.half_width_uniform:.2f}",
            f"{row.naive_bias:+.1f}",
            f"{row.anytime_excluded:.1%}",
        )
    return result


def main() -> None:
    """Run all settings, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--replicates", type=int, default=200, help="draws per setting")
    parser.add_argument("--data", type=Path, help="CSV in stream order, instead of synthetic data")
    parser.add_argument("--label", help="name of its label column")
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    if bool(options.data) != bool(options.label):
        parser.error("--data and --label go together")
    started = time.perf_counter()
    rng = np.random.default_rng(options.seed)
    streams = (
        [recorded(options.data, options.label)]
        if options.data
        else [synthetic("informative", rng), synthetic("useless", rng)]
    )
    settings = list(product(streams, POLICIES, EXPLORATION, BUDGETS))
    console = Console(stderr=True)
    rows = [
        measure(stream, select(name, stream, budget, exploration), options.replicates, options.seed)
        for stream, name, exploration, budget in track(
            settings, "repeating the draws", console=console
        )
    ]
    Console(width=None if Console().is_terminal else 150).print(table(rows))
    print(f"{options.replicates} replicates per line, {time.perf_counter() - started:.0f} s")
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
