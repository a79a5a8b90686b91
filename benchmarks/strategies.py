"""What does a strategy cost per event? Times `score` of every registered one.

    python benchmarks/strategies.py [--events 5000] [--repeats 5] [--json PATH]

Events have 10 numeric features, 2 classes, 20 tokens, 5 objects and, for the committee strategies,
a committee of 5 (and of 10, to see what a member costs). There is a new model with other labelled
items every 1000 events. Per strategy the table shows the microseconds per event in batches of 500
and one by one, each batch at the fastest of its repeats, and the size of the state that travels in
every batch's transaction.

A strategy that asks what the online model would predict after a label gets real models to ask, that
have learned 1,000 labels: a row per learner, with a tenth of the events. Its cost is the learner's.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from dataclasses import asdict, dataclass, replace
from math import inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from streamal.core.batch import Batch, Outputs
from streamal.core.features import FeatureColumns
from streamal.core.learners import build_model
from streamal.core.learners.labelled_memory import PER_CLASS
from streamal.core.strategies import STRATEGIES, CommitteeStrategy, Strategy, build_strategy
from streamal.core.types import Context, Labelled, LabelledItem, Probabilities, Production

FEATURES = 10
COMMITTEE, LARGE_COMMITTEE = 5, 10
TOKENS, OBJECTS = 20, 5
#: Events that one model serves: at the default budget, some fifty labels, as between two snapshots.
SERVED = 1000
#: What looks ahead is asked of these, after so many labels.
LEARNERS, LABELS = ("logistic_regression", "default", "adaptive_random_forest"), 1000
#: As many as a gate that has to catch up takes at once; one that keeps up has fewer.
BATCH = 500
#: Nothing slower may be chosen without knowing; the strategies that look at regions of the feature
#: space state their own cost.
LIMIT_MICROSECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Cost:
    """One row of the table.

    Attributes:
        strategy: registered name.
        members: size of the committee that was scored.
        learner: that was asked to look ahead; none where no strategy does.
        microseconds: per event, in batches of `BATCH`.
        single_microseconds: per event, each in a batch of its own.
        state_bytes: of the state as JSON, after all events.
    """

    strategy: str
    members: int
    learner: str | None
    microseconds: float
    single_microseconds: float
    state_bytes: int


def contexts(events: int, members: int) -> list[Context]:
    """Correlated features around a slow drift, and probabilities of a model that has learned."""
    rng = np.random.default_rng(1)
    mixing = rng.normal(size=(FEATURES, FEATURES))
    points = rng.normal(size=(events, FEATURES)) @ mixing + np.linspace(0, 1, events)[:, None]
    beliefs = rng.beta(0.7, 0.7, size=(events, members + 2))
    made = []
    memories = [labelled(part) for part in np.split(points, range(SERVED, events, SERVED))]
    for number, (point, belief) in enumerate(zip(points.tolist(), beliefs.tolist(), strict=True)):
        production, model, *committee = [pair(p) for p in belief]
        made.append(
            Context(
                event_id=f"event-{number}",
                features={f"feature_{i}": value for i, value in enumerate(point)},
                production=Production(
                    "yes" if production["yes"] > 0.5 else "no",
                    production,
                    token_probabilities=tuple(rng.beta(5, 1, TOKENS).tolist()),
                    objects=tuple(map(pair, rng.beta(3, 1, OBJECTS).tolist())),
                ),
                model=model,
                committee=tuple(committee),
                expected_correct=model["yes"],
                boundary_distance=abs(model["yes"] - 0.5),
                labelled=memories[number // SERVED],
            )
        )
    return made


def labelled(points: NDArray[np.float64]) -> Labelled:
    """As many items as a model remembers of two classes, on two sides of a plane."""
    return Labelled(
        tuple(
            LabelledItem(
                f"labelled-{number}",
                {f"feature_{i}": value for i, value in enumerate(point)},
                "yes" if point[0] > 0 else "no",
                abs(point[0]),
            )
            for number, point in enumerate(points[: 2 * PER_CLASS].tolist())
        )
    )


def pair(p: float) -> Probabilities:
    """A distribution over two classes."""
    return {"yes": p, "no": 1.0 - p}


def seconds(strategy: Strategy, items: list[Context], size: int, repeats: int) -> float:
    """Of the fastest pass over each batch: what other processes take is not the strategy's."""
    clock = time.perf_counter
    stream = [Batch.of(items[start : start + size]) for start in range(0, len(items), size)]
    fastest = [inf] * len(stream)
    for _ in range(repeats):
        for number, batch in enumerate(stream):
            begin = clock()
            strategy.score(batch)
            fastest[number] = min(fastest[number], clock() - begin)
    return sum(fastest)


def looking_ahead(items: list[Context], learner: str) -> list[Context]:
    """The same events, appraised by a model that has learned, which can be asked to look ahead."""
    model = build_model(learner, parameters={}, committee_size=0)
    for item in items[:LABELS]:
        label = item.production.label or ""
        model.learn(item.features, item.production, label, event_id=item.event_id)
    outlooks = model.outlook(
        FeatureColumns([item.features for item in items]),
        Outputs.of([item.production for item in items]),
    )
    return [
        replace(
            item,
            model=probabilities,
            lookahead=model.lookahead(item.features, item.production, event_id=item.event_id),
        )
        for item, probabilities in zip(items, outlooks.probabilities.items(), strict=True)
    ]


def measure(name: str, items: list[Context], repeats: int, learner: str | None = None) -> Cost:
    """One row: many events together, then a fifth of them one by one."""
    strategy = build_strategy(name, {})
    few = items[: len(items) // 5]
    gc.disable()
    try:
        together = seconds(strategy, items, BATCH, repeats) / len(items)
        single = seconds(strategy, few, 1, repeats) / len(few)
    finally:
        gc.enable()
    return Cost(
        strategy=name,
        members=len(items[0].committee),
        learner=learner,
        microseconds=round(together * 1e6, 3),
        single_microseconds=round(single * 1e6, 2),
        state_bytes=len(json.dumps(strategy.state())),
    )


def measured(events: int, repeats: int) -> list[Cost]:
    """A row per strategy, and a second one for those that hear a committee."""
    small, large = contexts(events, COMMITTEE), contexts(events, LARGE_COMMITTEE)
    costs = []
    for name in sorted(STRATEGIES):
        if build_strategy(name, {}).asks_lookahead:
            for learner in LEARNERS:
                taught = looking_ahead(contexts(LABELS + events // 10, COMMITTEE), learner)
                costs.append(measure(name, taught[LABELS:], repeats, learner))
            continue
        costs.append(measure(name, small, repeats))
        if issubclass(STRATEGIES[name], CommitteeStrategy):
            costs.append(measure(name, large, repeats))
    return costs


def table(costs: list[Cost]) -> Table:
    """The rows; those above the limit stand out."""
    shown = Table(title=f"Cost per event: {FEATURES} features, 2 classes, default parameters")
    shown.add_column("strategy")
    for column in ("members", "learner", "in batches, µs", "one by one, µs", "state, bytes"):
        shown.add_column(column, justify="right")
    for cost in costs:
        shown.add_row(
            cost.strategy,
            str(cost.members),
            cost.learner or "",
            f"{cost.microseconds:.2f}",
            f"{cost.single_microseconds:.2f}",
            f"{cost.state_bytes:,}",
            style="yellow" if cost.microseconds > LIMIT_MICROSECONDS else None,
        )
    return shown


def main() -> None:
    """Measure, print, and write the rows if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=5000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the rows here")
    options = parser.parse_args()
    costs = measured(options.events, options.repeats)
    Console().print(table(costs))
    if options.json:
        options.json.write_text(json.dumps([asdict(cost) for cost in costs], indent=2) + "\n")


if __name__ == "__main__":
    main()
