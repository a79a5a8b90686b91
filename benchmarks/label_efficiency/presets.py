"""streamal's learners behind streamal's default gate, in the lab: what `default` should be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.label_efficiency.streams import SHIPPED, Stream
from streamal.core.learners import LEARNERS
from streamal.lab.experiment import Reviewers, Setup
from streamal.lab.replay import replay
from streamal.lab.source import Recording, survey
from streamal.settings import GateSettings

__all__ = ["PresetRun", "preset_runs"]

#: Learns what others learn, and is compared by those.
_COMPOSITE = "best_of"


@dataclass(frozen=True)
class PresetRun:
    """One learner over one stream.

    Attributes:
        stream: its name.
        learner: registered name.
        budget: share of events asked about; 1 is all of them.
        seed: of the gate's draws.
        accuracy: share of items predicted right before they could be learned.
        spend: labels bought for each that the budget pays.
        seconds: wall time.
    """

    stream: str
    learner: str
    budget: float
    seed: int
    accuracy: float
    spend: float
    seconds: float


def preset_runs(
    streams: Iterable[Stream],
    budgets: Iterable[float],
    seeds: int,
    folder: Path,
    tick: Callable[[str], None],
) -> Iterator[PresetRun]:
    """`default` under every budget and seed and with all labels; the others at 5 %, with one seed.

    Of recorded streams, which may be long, the others get none but `logistic_regression`.

    Args:
        streams: what to run over.
        budgets: shares of events.
        seeds: how many seeds `default` runs with.
        folder: where the streams are put as files, for the lab to read.
        tick: told what is done next.
    """
    grid = [("default", budget, seed) for budget in budgets for seed in range(seeds)]
    grid.append(("default", 1.0, 0))
    others = [(name, 0.05, 0) for name in LEARNERS if name not in {"default", _COMPOSITE}]
    for stream in streams:
        recording = _file(stream, folder)
        some = others if stream.name in SHIPPED else others[:1]
        for learner, budget, seed in [*grid, *some]:
            tick(f"{stream.name}: {learner}, {budget:.0%}")
            yield _run(stream.name, recording, learner, budget, seed)


def _run(name: str, recording: Recording, learner: str, budget: float, seed: int) -> PresetRun:
    gate = GateSettings()
    setup = Setup(gate.strategy, gate.policy, learner, budget, seed)
    if budget == 1.0:
        setup = setup.all_labels
    trace = replay(recording, survey(recording), Reviewers(), setup, lambda _: None)
    totals = trace.totals
    return PresetRun(
        name,
        learner,
        budget,
        seed,
        totals.model_right / totals.events,
        totals.queries / (budget * totals.events),
        trace.seconds,
    )


def _file(stream: Stream, folder: Path) -> Recording:
    path = folder / f"{stream.name}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for row, label in zip(stream.rows.tolist(), stream.labels.tolist(), strict=True):
            item = {**dict(zip(stream.columns, row, strict=True)), "the class": f"class {label}"}
            file.write(json.dumps(item) + "\n")
    return Recording(path, "the class")
