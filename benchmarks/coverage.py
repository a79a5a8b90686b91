"""Do the intervals tell the truth? Repeats the selection many times and counts.

    python -m benchmarks.coverage [--replicates 1000] [--data FILE:COLUMN] [--json PATH]

A stream of predictions, its outcomes c and its predicted P(correct) g are held fixed; which events
are routed, and which reviews are answered and when, is drawn anew in every replicate, with the
propensities that a budget policy gives. The truth is the accuracy on all events. The estimates are
the service's own, from windows as its trainer closes them.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import pairwise, product
from pathlib import Path
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.coverage_streams import STREAMS, Stream, recorded
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
from streamal.core.types import Conditions, JsonState
from streamal.settings import GateSettings

LEVEL = 0.95
BUDGETS = (0.01, 0.02, 0.05, 0.10)
#: Windows of a stream: so many, or fewer where that leaves this many labels in each.
WINDOWS = 10
WINDOW_LABELS = 20
#: Share of the reviews that are never answered.
MISSING = 0.2
#: Mean time to an answer as a share of the label horizon, by stratum: exploration comes first. An
#: answer after the horizon does not count, so that strata respond differently.
STRATA = ("exploration", "above_threshold")
DELAY = np.array([0.25, 0.5])
#: Standard error of a bias, in percentage points, below which it needs no more replicates, and how
#: many times as many there are at the most.
BIAS_NOISE = 0.1
MOST_BATCHES = 60


@dataclass(frozen=True, slots=True)
class Policy:
    """A budget policy with its settings, as the table names it."""

    title: str
    name: str
    exploration: float
    parameters: JsonState
    advance_labels: float = 0.0


_ADVANCE = GateSettings().advance_labels
#: Steady: the spend may stray from the budget by a hundred labels instead of ten. What is for the
#: estimate gets no head start, which would be labels about one moment.
POLICIES = (
    Policy("uniform", "propensity_sampling", 0.9, {"power": 0.0, "account_labels": 100.0}),
    Policy("quantile, φ=0.2", "quantile", 0.2, {}, _ADVANCE),
    Policy("quantile, φ=0.5", "quantile", 0.5, {}, _ADVANCE),
    Policy("propensity_sampling, φ=0.5", "propensity_sampling", 0.5, {}),
    Policy("the same, steady", "propensity_sampling", 0.5, {"account_labels": 100.0}),
    Policy("steady, φ=0.7", "propensity_sampling", 0.7, {"account_labels": 100.0}),
)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a policy offers for each event of a stream."""

    policy: str
    budget: float
    propensity: FloatArray
    floor: float
    windows: int


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; accuracies, biases and half-widths in percentage points.

    Attributes:
        bias_noise: standard error of `bias`, from the number of replicates.
        half_width_uniform: of a normal interval from as many labels, drawn uniformly without
            replacement, when the true accuracy is known: what no real interval reaches.
        width_ratio: half_width / half_width_uniform.
        width_ratio_alike: half_width / that of the policy `uniform` behind the same estimator,
            had it as many labels.
        reliable: share of the runs whose estimate called itself reliable.
        anytime_excluded: share of the runs whose confidence sequence ever excluded the truth.
    """

    stream: str
    policy: str
    budget: float
    events: int
    windows: int
    labels: float
    accuracy: float
    bias: float
    bias_noise: float
    coverage: float
    reliable: float
    coverage_windows: float
    coverage_windows_reliable: float | None
    half_width: float
    half_width_uniform: float
    width_ratio: float
    width_ratio_alike: float
    naive_bias: float
    naive_coverage: float
    anytime_excluded: float
    replicates: int


def select(policy: Policy, scores: FloatArray, budget: float) -> Selection:
    """One pass of a shipped policy over the scores; its propensities then hold for every replicate.

    They depend a little on its own draws, through the account of what was spent.
    """
    made = build_budget(
        policy.name,
        policy.parameters,
        budget=budget,
        exploration=policy.exploration,
        advance_labels=policy.advance_labels,
    )
    conditions = Conditions(now=0.0)
    propensity = np.empty(len(scores))
    for number, score in enumerate(scores.tolist()):
        offer = made.preview(score, conditions)
        query = draw(0, str(number), "query") < offer.propensity
        made.commit(score, offer, query=query, conditions=conditions)
        propensity[number] = offer.propensity
    windows = min(WINDOWS, max(1, int(propensity.sum() / WINDOW_LABELS)))
    return Selection(policy.title, budget, propensity, made.floor, windows)


@dataclass(frozen=True, slots=True)
class Draw:
    """Who was routed in one replicate, and who answered in time; indices of events, ascending."""

    routed: npt.NDArray[np.intp]
    stratum: npt.NDArray[np.intp]
    answered: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, selection: Selection, rng: np.random.Generator) -> Draw:
        """Draw as the gate does, then let people answer, late, or never."""
        drawn = rng.random(len(selection.propensity), dtype=np.float32)
        routed = np.flatnonzero(drawn < selection.propensity)
        stratum = (selection.propensity[routed] > selection.floor).astype(np.intp)
        latency = rng.exponential(DELAY[stratum])
        return cls(routed, stratum, (latency < 1.0) & (rng.random(len(routed)) >= MISSING))


def windows(
    stream: Stream, selection: Selection, chance: Draw
) -> Iterator[tuple[WindowTotals, LabelledItems, dict[str, Response]]]:
    """What the trainer would see of each window."""
    size = len(stream.correct) // selection.windows
    cuts = np.searchsorted(chance.routed, np.arange(selection.windows + 1) * size)
    for start, (low, high) in enumerate(pairwise(cuts)):
        here = slice(low, high)
        answered, stratum = chance.answered[here], chance.stratum[here]
        labelled = chance.routed[here][answered]
        items = LabelledItems.of(
            stream.correct[labelled],
            stream.expected_correct[labelled],
            selection.propensity[labelled],
            [STRATA[number] for number in stratum[answered]],
        )
        asked = np.bincount(stratum, minlength=len(STRATA))
        came = np.bincount(stratum[answered], minlength=len(STRATA))
        responses = {
            name: Response(int(asked[number]), int(came[number]))
            for number, name in enumerate(STRATA)
        }
        expected = stream.expected_correct[start * size : (start + 1) * size]
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
    tracker = AccuracyTracker(level=LEVEL, least_propensity=selection.floor)
    closed, held = [], True
    chance = Draw.of(selection, rng)
    for window, truth in zip(windows(stream, selection, chance), running, strict=True):
        closed.append(tracker.close(*window))
        held &= tracker.anytime().interval.covers(float(truth))
    return Replicate(tracker.overall(), tuple(closed), held)


def repeat(
    stream: Stream, selection: Selection, running: FloatArray, replicates: int, seed: int
) -> list[Replicate]:
    """So many replicates, and as many again until the bias is known."""
    rng = np.random.default_rng(seed)
    runs: list[Replicate] = []
    for _ in range(MOST_BATCHES):
        runs += [replicate(stream, selection, running, rng) for _ in range(replicates)]
        spread = float(np.nanstd([run.overall.raw for run in runs]))
        if 100 * spread <= BIAS_NOISE * math.sqrt(len(runs)):
            break
    return runs


def measure(
    stream: Stream, selection: Selection, replicates: int, seed: int, uniform_row: Row | None
) -> Row:
    """All replicates of one setting; `uniform_row` is that of the policy `uniform`."""
    count = selection.windows
    size = len(stream.correct) // count
    truths = stream.correct[: size * count].reshape(count, size).mean(axis=1)
    running = np.cumsum(truths) / np.arange(1, count + 1)
    truth = float(running[-1])
    runs = repeat(stream, selection, running, replicates, seed)
    overall = [run.overall for run in runs]
    covered = np.array(
        [
            [each.interval.covers(float(t)) for each, t in zip(run.windows, truths, strict=True)]
            for run in runs
        ]
    )
    reliable = np.array([[each.reliable for each in run.windows] for run in runs])
    raw = np.array([each.raw for each in overall])
    naive = np.array([each.naive for each in overall])
    labels = float(np.mean([each.labelled for each in overall]))
    width = 100 * float(np.mean([each.interval.half_width for each in overall]))
    uniform = 100 * _uniform_half_width(truth, labels, size * count)
    alike = width
    if uniform_row is not None:
        alike = uniform_row.half_width * math.sqrt(uniform_row.labels / labels)
    return Row(
        stream=stream.name,
        policy=selection.policy,
        budget=selection.budget,
        events=size * count,
        windows=count,
        labels=labels,
        accuracy=100 * truth,
        bias=100 * float(np.nanmean(raw) - truth),
        bias_noise=100 * float(np.nanstd(raw)) / math.sqrt(len(runs)),
        coverage=float(np.mean([each.interval.covers(truth) for each in overall])),
        reliable=float(np.mean([each.reliable for each in overall])),
        coverage_windows=float(covered.mean()),
        coverage_windows_reliable=float(covered[reliable].mean()) if reliable.any() else None,
        half_width=width,
        half_width_uniform=uniform,
        width_ratio=width / uniform,
        width_ratio_alike=width / alike,
        naive_bias=100 * float(np.nanmean(naive) - truth),
        naive_coverage=float(np.mean([_naive_covers(each, truth) for each in overall])),
        anytime_excluded=float(np.mean([not run.anytime_held for run in runs])),
        replicates=len(runs),
    )


_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


def _uniform_half_width(truth: float, labels: float, events: int) -> float:
    variance = truth * (1 - truth) * (1 / labels - 1 / events)
    return _Z * math.sqrt(variance)


def _naive_covers(estimate: Estimate, truth: float) -> bool:
    """The textbook's interval around the plain mean over the reviewed events."""
    spread = math.sqrt(estimate.naive * (1 - estimate.naive) / max(1, estimate.labelled))
    return abs(estimate.naive - truth) <= _Z * spread


def table(rows: list[Row]) -> Table:
    """The rows for a person."""
    result = Table(title="95 % intervals for accuracy; reviews unanswered or late: a quarter")
    result.add_column("stream")
    result.add_column("policy")
    for name in (
        *("budget", "labels", "bias", "covers", "reliable", "windows", "(reliable)"),
        *("±", "÷ oracle", "÷ uniform", "naive", "covers", "anytime out"),
    ):
        result.add_column(name, justify="right")
    for row in rows:
        windows_reliable = row.coverage_windows_reliable
        result.add_row(
            row.stream,
            row.policy,
            f"{row.budget:.0%}",
            f"{row.labels:.0f}",
            f"{row.bias:+.2f}",
            f"{row.coverage:.1%}",
            f"{row.reliable:.0%}",
            f"{row.coverage_windows:.1%}",
            "" if windows_reliable is None else f"{windows_reliable:.1%}",
            f"{row.half_width:.2f}",
            f"{row.width_ratio:.2f}",
            f"{row.width_ratio_alike:.2f}",
            f"{row.naive_bias:+.1f}",
            f"{row.naive_coverage:.0%}",
            f"{row.anytime_excluded:.1%}",
        )
    return result


def main() -> None:
    """Run all settings, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--replicates", type=int, default=200, help="draws per setting")
    parser.add_argument("--stream", action="append", choices=sorted(STREAMS), help="default: all")
    parser.add_argument(
        "--data", metavar="FILE:COLUMN", help="CSV in stream order, and its label column"
    )
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    path, _, label = (options.data or "").rpartition(":")
    if options.data and not path:
        parser.error(f"--data {options.data!r} is not FILE:COLUMN")
    started = time.perf_counter()
    streams = [STREAMS[name]() for name in options.stream or STREAMS]
    if options.data:
        streams.append(recorded(Path(path), label))
    settings = list(product(streams, BUDGETS))
    rows: list[Row] = []
    for stream, budget in track(settings, "repeating the draws", console=Console(stderr=True)):
        uniform_row: Row | None = None
        for policy in POLICIES:
            selection = select(policy, stream.score, budget)
            row = measure(stream, selection, options.replicates, options.seed, uniform_row)
            uniform_row = uniform_row or row
            rows.append(row)
    Console(width=None if Console().is_terminal else 160).print(table(rows))
    print(
        f"{options.replicates} replicates per line or more, {time.perf_counter() - started:.0f} s"
    )
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
