"""Do the intervals of a regression tell the truth? As `benchmarks.coverage`, with losses.

    python -m benchmarks.loss_coverage [--replicates 300] [--json PATH]

A stream of predictions, their losses |prediction - truth| and what was expected of these are held
fixed; who is routed and who answers is drawn anew in every replicate. The truth is the mean loss
over all events. Simulated losses are a random factor times what is expected, whose tail grows from
stream to stream. In the others production is a linear regression that learned the first fifth and
went stale, and streamal's default learner expects its loss, from a few labels that come late.
"""

from __future__ import annotations

import argparse
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import islice, pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from river import datasets
from river.datasets import synth

from benchmarks.coverage import LEVEL, POLICIES, STRATA, Draw, Selection, select
from benchmarks.coverage_streams import ANSWERED, DELAY, EVENTS, LABELLED
from streamal.core.batch import Batch, Outputs
from streamal.core.chance import draw
from streamal.core.estimation import Estimate, FloatArray, Response
from streamal.core.estimation.loss import LabelledLosses, LossTotals, LossTracker
from streamal.core.features import FeatureColumns
from streamal.core.learners.regression import build_regression_model, build_regressor
from streamal.core.strategies import build_strategy
from streamal.core.types import Context, Features, Production

BUDGETS = (0.02, 0.05, 0.1)
#: Steady enough to repeat, short enough to be hard.
SHORT = 3_000
Row = tuple[Features, float]


@dataclass(frozen=True, slots=True)
class LossStream:
    """A recorded stream; arrays of one length in time order.

    Attributes:
        name: as in the table.
        loss: |prediction - truth| of production.
        expected_loss: what the online model expected of it at that time.
        score: informativeness, by the strategy `expected_absolute_error`.
    """

    name: str
    loss: FloatArray
    expected_loss: FloatArray
    score: FloatArray

    @classmethod
    def of(cls, name: str, loss: FloatArray, expected_loss: FloatArray) -> LossStream:
        """Scored as a gate does."""
        items = [
            Context("", {}, Production(value=0.0), expected_loss=expected)
            for expected in expected_loss.tolist()
        ]
        scores = build_strategy("expected_absolute_error", {}).score(Batch.of(items))
        return cls(name, loss, expected_loss, scores)


@dataclass(frozen=True, slots=True)
class LossRow:
    """One line of the table; all but shares as a percentage of the true mean loss.

    Attributes:
        bias_noise: standard error of `bias`, from the number of replicates.
        reliable: share of the runs whose estimate called itself reliable.
        width_ratio_alike: half_width / that of the policy `uniform` behind the same estimator, had
            it as many labels.
        anytime_excluded: share of the runs whose running interval ever excluded the truth.
    """

    stream: str
    policy: str
    budget: float
    events: int
    labels: float
    bias: float
    bias_noise: float
    coverage: float
    reliable: float
    coverage_windows: float
    half_width: float
    width_ratio_alike: float
    anytime_half_width: float
    naive_bias: float
    anytime_excluded: float
    replicates: int


def windows(
    stream: LossStream, selection: Selection, chance: Draw
) -> Iterator[tuple[LossTotals, LabelledLosses, dict[str, Response]]]:
    """What the trainer would see of each window."""
    size = len(stream.loss) // selection.windows
    cuts = np.searchsorted(chance.routed, np.arange(selection.windows + 1) * size)
    for start, (low, high) in enumerate(pairwise(cuts)):
        answered, stratum = chance.answered[low:high], chance.stratum[low:high]
        labelled = chance.routed[low:high][answered]
        items = LabelledLosses(
            stream.loss[labelled].tolist(),
            stream.expected_loss[labelled].tolist(),
            selection.propensity[labelled].tolist(),
            [STRATA[number] for number in stratum[answered]],
        )
        responses = {
            name: Response(int((stratum == number).sum()), int((stratum[answered] == number).sum()))
            for number, name in enumerate(STRATA)
        }
        expected = stream.expected_loss[start * size : (start + 1) * size]
        yield LossTotals(size, float(expected.sum())), items, responses


def measure(
    stream: LossStream, selection: Selection, replicates: int, seed: int, uniform: LossRow | None
) -> LossRow:
    """All replicates of one setting; `uniform` is the row of that policy."""
    count = selection.windows
    size = len(stream.loss) // count
    truths = stream.loss[: size * count].reshape(count, size).mean(axis=1)
    running = np.cumsum(truths) / np.arange(1, count + 1)
    truth, rng = float(running[-1]), np.random.default_rng(seed)
    overall: list[Estimate] = []
    covered, excluded, anytime = 0, 0, []
    for _ in range(replicates):
        tracker, left = LossTracker(level=LEVEL, least_propensity=selection.floor), False
        parts = windows(stream, selection, Draw.of(selection, rng))
        for part, own, mean in zip(parts, truths, running, strict=True):
            covered += tracker.close(*part).interval.covers(float(own))
            left |= not tracker.anytime().interval.covers(float(mean))
        overall.append(tracker.overall())
        anytime.append(tracker.anytime().interval.half_width)
        excluded += left
    raw = np.array([each.raw for each in overall])
    labels = float(np.mean([each.labelled for each in overall]))
    width = float(np.mean([each.interval.half_width for each in overall]))
    alike = 1.0
    if uniform is not None:
        alike = 100 * width / truth / (uniform.half_width * np.sqrt(uniform.labels / labels))
    percent = 100 / truth
    return LossRow(
        stream=stream.name,
        policy=selection.policy,
        budget=selection.budget,
        events=size * count,
        labels=labels,
        bias=percent * float(np.nanmean(raw) - truth),
        bias_noise=percent * float(np.nanstd(raw)) / np.sqrt(replicates),
        coverage=float(np.mean([each.interval.covers(truth) for each in overall])),
        reliable=float(np.mean([each.reliable for each in overall])),
        coverage_windows=covered / (replicates * count),
        half_width=percent * width,
        width_ratio_alike=alike,
        anytime_half_width=percent * float(np.median(anytime)),
        naive_bias=percent * float(np.nanmean([each.naive for each in overall]) - truth),
        anytime_excluded=excluded / replicates,
        replicates=replicates,
    )


def _simulated(
    name: str, events: int, factor: Callable[[np.random.Generator, int], FloatArray]
) -> LossStream:
    """Losses of mean 2; half of their spread is known beforehand, the factor is not."""
    rng = np.random.default_rng(7)
    expected = rng.gamma(4.0, 0.5, events)
    return LossStream.of(name, expected * factor(rng, events), expected)


def _learned(name: str, dataset: Iterable[tuple[Mapping[object, Any], float]]) -> LossStream:
    """See the module."""
    rows: list[Row] = [
        ({str(key): value for key, value in features.items()}, float(truth))
        for features, truth in islice(dataset, EVENTS)
    ]
    first = len(rows) // 5
    production = build_regressor("linear_regression", parameters={}, committee_size=0, seed=7)
    for number, (features, truth) in enumerate(rows[:first]):
        production.learn(features, truth, event_id=str(number))
    rest = rows[first:]
    predicted = production.predict(FeatureColumns([features for features, _ in rest]))
    told = [Production(value=value) for value in predicted.tolist()]
    loss = [abs((said.value or 0.0) - row[1]) for said, row in zip(told, rest, strict=True)]
    expected = np.fromiter(_expectations(rest, told), dtype=np.float64)
    return LossStream.of(name, np.array(loss), expected)


def _expectations(rows: list[Row], told: list[Production]) -> Iterator[float]:
    """What the default learner expects production's loss to be, while it learns; 0 at first."""
    online = build_regression_model("default", parameters={}, tolerance=1.0, committee_size=0)
    due: deque[tuple[int, int]] = deque()
    for at, ((features, _), said) in enumerate(zip(rows, told, strict=True)):
        while due and due[0][0] <= at:
            past = due.popleft()[1]
            online.learn(rows[past][0], told[past], rows[past][1], event_id=str(past))
        outlooks = online.outlook(FeatureColumns([features]), Outputs.of([said]))
        yield outlooks.item(0).expected_loss or 0.0
        if draw(7, str(at), "labelled") < LABELLED * ANSWERED:
            due.append((at + DELAY, at))


def _half_normal(rng: np.random.Generator, events: int) -> FloatArray:
    return np.abs(rng.normal(0.0, np.sqrt(np.pi / 2), events))


def _exponential(rng: np.random.Generator, events: int) -> FloatArray:
    return rng.exponential(1.0, events)


def _log_normal(rng: np.random.Generator, events: int) -> FloatArray:
    return rng.lognormal(-0.5, 1.0, events)


#: Name to maker.
LOSS_STREAMS: Mapping[str, Callable[[], LossStream]] = {
    "half-normal": lambda: _simulated("half-normal", EVENTS, _half_normal),
    "exponential": lambda: _simulated("exponential", EVENTS, _exponential),
    "exponential, short": lambda: _simulated("exponential, short", SHORT, _exponential),
    "log-normal": lambda: _simulated("log-normal", EVENTS, _log_normal),
    "log-normal, short": lambda: _simulated("log-normal, short", SHORT, _log_normal),
    "trump_approval": lambda: _learned("trump_approval", datasets.TrumpApproval()),
    "friedman": lambda: _learned("friedman", synth.Friedman(seed=7)),
    "friedman, drifting": lambda: _learned(
        "friedman, drifting",
        synth.FriedmanDrift("gra", position=(9_000, 17_000), transition_window=500, seed=7),
    ),
    "mv": lambda: _learned("mv", synth.Mv(seed=7)),
}


def table(rows: list[LossRow]) -> Table:
    """The rows for a person."""
    result = Table(title="95 % intervals for the mean absolute error, in % of it")
    result.add_column("stream")
    result.add_column("policy")
    for name in (
        *("budget", "labels", "bias", "covers", "reliable", "windows", "±", "÷ uniform"),
        *("± anytime", "naive", "anytime out"),
    ):
        result.add_column(name, justify="right")
    for row in rows:
        result.add_row(
            row.stream,
            row.policy,
            f"{row.budget:.0%}",
            f"{row.labels:.0f}",
            f"{row.bias:+.1f}",
            f"{row.coverage:.1%}",
            f"{row.reliable:.0%}",
            f"{row.coverage_windows:.1%}",
            f"{row.half_width:.1f}",
            f"{row.width_ratio_alike:.2f}",
            f"{row.anytime_half_width:.1f}",
            f"{row.naive_bias:+.0f}",
            f"{row.anytime_excluded:.1%}",
        )
    return result


def main() -> None:
    """Run all settings, print the table, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--replicates", type=int, default=300, help="draws per setting")
    parser.add_argument(
        "--stream", action="append", choices=sorted(LOSS_STREAMS), help="default: all"
    )
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    streams = [LOSS_STREAMS[name]() for name in options.stream or LOSS_STREAMS]
    settings = list(product(streams, BUDGETS))
    rows: list[LossRow] = []
    for stream, budget in track(settings, "repeating the draws", console=Console(stderr=True)):
        uniform: LossRow | None = None
        for policy in POLICIES:
            selection = select(policy, stream.score, budget)
            row = measure(stream, selection, options.replicates, options.seed, uniform)
            uniform = uniform or row
            rows.append(row)
    Console(width=None if Console().is_terminal else 160).print(table(rows))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
