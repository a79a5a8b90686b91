"""Is an alarm drift, or the gate? Delay and false alarms, against River's detectors on raw errors.

    python -m benchmarks.drift [--seeds 4] [--events 40000] [--json PATH]

A frozen production model, a gate that routes a tenth of its events, and a label for each of them.
Ours get what the leading trainer gets: windows with AIPW estimates and the uniform arm. River's get
what is usual: one error after another as they come back from review.

Two questions. With drift: how many events until the first alarm after it, and how many alarms
before. Without drift, but with a gate that changes four times (strategy, source of its scores,
budget): how many alarms at all.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final, Protocol

from rich.console import Console
from rich.table import Table
from river.drift import ADWIN, KSWIN, PageHinkley
from river.drift.binary import DDM, HDDMA, HDDMW

from benchmarks.drift_streams import Item, Stream, stream
from streamal.core.batch import Batch
from streamal.core.budgets import build_budget
from streamal.core.chance import draw
from streamal.core.drift import DETECTORS, Detector, Evidence, Subject, build_detector
from streamal.core.estimation import AccuracyTracker, LabelledItems, Target, WindowTotals
from streamal.core.gate import DRAW_PURPOSE, Gate
from streamal.core.strategies import build_strategy
from streamal.core.types import Conditions, Decision, JsonValue

BUDGET, EXPLORATION = 0.1, 0.5
FLOOR: Final = 0.02
WINDOW_EVENTS: Final = 500
DRIFTING: Final = (
    ("sea", "abrupt"),
    ("sea", "recurring"),
    ("agrawal", "abrupt"),
    ("agrawal", "gradual"),
    ("led", "abrupt"),
    ("rbf", "abrupt"),
)
CALM: Final = ("sea", "agrawal", "led", "rbf")
#: Strategy, its parameters, budget and exploration, in turn; every floor is at least `FLOOR`.
STEADY: Final[tuple[tuple[str, dict[str, JsonValue], float, float], ...]] = (
    ("margin", {"source": "production"}, BUDGET, EXPLORATION),
)
CHANGING: Final[tuple[tuple[str, dict[str, JsonValue], float, float], ...]] = (
    ("margin", {"source": "production"}, BUDGET, EXPLORATION),
    ("random", {}, 0.05, 0.4),
    ("margin", {"source": "model"}, BUDGET, EXPLORATION),
    ("entropy", {"source": "production"}, 0.3, 0.1),
    ("random", {}, BUDGET, EXPLORATION),
)


class RiverDetector(Protocol):
    """What is used of River's detectors."""

    drift_detected: bool

    def update(self, x: float) -> object:
        """Take in an error."""
        ...


#: River's detectors with its own defaults.
PEERS: Final[Mapping[str, Callable[[], RiverDetector]]] = {
    "adwin": ADWIN,
    "ddm": DDM,
    "hddm_a": HDDMA,
    "hddm_w": HDDMW,
    "kswin": lambda: KSWIN(seed=0),
    "page_hinkley": PageHinkley,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One detector over all seeds of one scenario.

    Attributes:
        stream: generator and kind of change.
        gate: steady or changing.
        risk_before: production's true risk before the first change.
        risk_after: after it, and before the next; None without a change.
        fed: "unbiased" (ours) or "routed errors" (River's, as usual).
        detector: name.
        events: events without a change that alarms were counted over.
        false_alarms: alarms among them.
        false_alarms_per_100000: of events.
        changes: changes that there were.
        found: of these, followed by an alarm before the next.
        delay_events: median events from a change to the alarm, over those found; None without any.
    """

    stream: str
    gate: str
    risk_before: float
    risk_after: float | None
    fed: str
    detector: str
    events: int
    false_alarms: int
    false_alarms_per_100000: float
    changes: int
    found: int
    delay_events: float | None


def decisions(
    items: Sequence[Item], plan: Sequence[tuple[str, dict[str, JsonValue], float, float]]
) -> Iterator[Decision]:
    """What a gate decides that changes at equal distances."""
    each = math.ceil(len(items) / len(plan))
    for part, (name, parameters, budget, exploration) in enumerate(plan):
        policy = build_budget("quantile", {}, budget=budget, exploration=exploration)
        gate = Gate(build_strategy(name, parameters), policy, seed=11)
        for number, item in enumerate(items[part * each : (part + 1) * each]):
            conditions = Conditions(now=float(number))
            yield from gate.decide(Batch.of([item.context]), conditions)


def evidence(items: Sequence[Item], decided: Sequence[Decision]) -> Iterator[Evidence]:
    """Windows as the leading trainer closes them; every review is answered."""
    tracker = AccuracyTracker(least_propensity=FLOOR, target=Target.EXPECTED)
    for start in range(0, len(items), WINDOW_EVENTS):
        window = items[start : start + WINDOW_EVENTS]
        verdicts = decided[start : start + WINDOW_EVENTS]
        routed = [(i, d) for i, d in zip(window, verdicts, strict=True) if d.query]
        expected = [item.context.expected_correct or 0.0 for item in window]
        estimate = tracker.close(
            WindowTotals(len(window), math.fsum(expected)),
            LabelledItems.of(
                [not item.wrong for item, _ in routed],
                [item.context.expected_correct or 0.0 for item, _ in routed],
                [decision.propensity for _, decision in routed],
            ),
            {},
        )
        yield Evidence(
            events=estimate.events,
            errors=estimate.events * (1 - estimate.raw),
            variance=(estimate.events * estimate.standard_error) ** 2,
            effective_labels=estimate.effective_labels,
            uniform_errors=tuple(
                item.wrong
                for item, _ in routed
                if draw(11, item.context.event_id, DRAW_PURPOSE) < FLOOR
            ),
        )


def ours(detector: Detector, windows: Sequence[Evidence]) -> list[int]:
    """Positions of alarms: the ends of the windows that raise one."""
    return [
        (number + 1) * WINDOW_EVENTS
        for number, window in enumerate(windows)
        if detector.close(window) is not None
    ]


def peers(detector: RiverDetector, items: Sequence[Item], decided: Sequence[Decision]) -> list[int]:
    """Positions of alarms of a detector that sees routed errors, one by one."""
    alarms = []
    for position, (item, decision) in enumerate(zip(items, decided, strict=True), start=1):
        if decision.query:
            detector.update(float(item.wrong))
            if detector.drift_detected:
                alarms.append(position)
    return alarms


@dataclass(slots=True)
class _Share:
    """Of items about which production was wrong."""

    wrong: int = 0
    items: int = 0

    def add(self, items: Sequence[Item]) -> None:
        self.wrong += sum(item.wrong for item in items)
        self.items += len(items)

    @property
    def value(self) -> float | None:
        return round(self.wrong / self.items, 4) if self.items else None


@dataclass(slots=True)
class _Tally:
    events: int = 0
    false_alarms: int = 0
    changes: int = 0
    delays: list[int] | None = None

    def add(self, alarms: Sequence[int], source: Stream) -> None:
        """An alarm counts for the change before it; without one, it is false."""
        length = len(source.items)
        first = min(source.changes, default=length)
        self.events += first
        self.false_alarms += sum(alarm <= first for alarm in alarms)
        ends = [*source.changes, length][1:]
        self.delays = self.delays or []
        for change, end in zip(source.changes, ends, strict=True):
            self.changes += 1
            after = [alarm - change for alarm in alarms if change < alarm <= end]
            self.delays += after[:1]


def run(name: str, kind: str, *, changing: bool, events: int, seeds: int) -> Iterator[Row]:
    """All detectors over all seeds of one scenario."""
    tallies: dict[tuple[str, str], _Tally] = {}
    before, after = _Share(), _Share()
    names = [n for n, cls in DETECTORS.items() if Subject.RISK in cls.subjects]
    for seed in range(seeds):
        source = stream(name, kind, events, seed)
        before.add(source.items[: min(source.changes, default=events)])
        after.add(source.changed())
        decided = list(decisions(source.items, CHANGING if changing else STEADY))
        windows = list(evidence(source.items, decided))
        found = {("unbiased", n): ours(build_detector(n, {}), windows) for n in names}
        found |= {
            ("routed errors", n): peers(new(), source.items, decided) for n, new in PEERS.items()
        }
        for key, alarms in found.items():
            tallies.setdefault(key, _Tally()).add(alarms, source)
    for (fed, detector), tally in tallies.items():
        delays = tally.delays or []
        yield Row(
            stream=f"{name}, {kind}",
            gate="changing" if changing else "steady",
            risk_before=before.value or 0.0,
            risk_after=after.value,
            fed=fed,
            detector=detector,
            events=tally.events,
            false_alarms=tally.false_alarms,
            false_alarms_per_100000=round(1e5 * tally.false_alarms / tally.events, 2),
            changes=tally.changes,
            found=len(delays),
            delay_events=median(delays) if delays else None,
        )


def summary(rows: Sequence[Row]) -> Table:
    """Each detector over all scenarios of a kind."""
    table = Table("fed with", "detector", "found", "delay", "false, steady gate", "false, changing")
    for fed, detector in sorted({(row.fed, row.detector) for row in rows}, reverse=True):
        mine = [row for row in rows if (row.fed, row.detector) == (fed, detector)]
        delays = [row.delay_events for row in mine if row.delay_events is not None]
        table.add_row(
            fed,
            detector,
            f"{sum(row.found for row in mine)} of {sum(row.changes for row in mine)}",
            f"{median(delays):,.0f}" if delays else "-",
            _rate([row for row in mine if row.gate == "steady"]),
            _rate([row for row in mine if row.gate == "changing"]),
        )
    return table


def _rate(rows: Sequence[Row]) -> str:
    """False alarms per 100,000 events."""
    events = sum(row.events for row in rows)
    return f"{1e5 * sum(row.false_alarms for row in rows) / events:.1f}" if events else "-"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Detection delay and false alarms.")
    parser.add_argument("--seeds", type=int, default=4, help="streams per scenario")
    parser.add_argument("--events", type=int, default=40_000, help="events per stream")
    parser.add_argument("--json", type=Path, help="where to write the rows")
    options = parser.parse_args()
    rows: list[Row] = []
    scenarios = [(name, kind, False) for name, kind in DRIFTING]
    scenarios += [(name, "none", changing) for name in CALM for changing in (False, True)]
    for name, kind, changing in scenarios:
        rows += run(name, kind, changing=changing, events=options.events, seeds=options.seeds)
    Console().print(summary(rows))
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


if __name__ == "__main__":
    main()
