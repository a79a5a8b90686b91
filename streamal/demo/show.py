"""Runs the demo from start to summary, with a live table where a person waits."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Final

from pydantic import SecretStr
from rich.console import Console
from rich.live import Live
from rich.table import Table

from streamal.bootstrap import topics_of
from streamal.broker.memory import MemoryBroker
from streamal.clock import ManualClock
from streamal.demo.data import Item, built_in, from_file, with_drift
from streamal.demo.desk import HOW_TO_GET_IT, DemoDesk, desk_is_installed
from streamal.demo.result import DemoResult, IntervalEstimate
from streamal.demo.reviewers import Reviewers
from streamal.demo.world import PREDICTIONS, Watcher, World, train_production
from streamal.errors import SettingsInvalid
from streamal.settings import (
    EstimationSettings,
    GateSettings,
    LabelSettings,
    PipelineSettings,
    Settings,
    SnapshotSettings,
    TopicSettings,
    TrainerSettings,
)

__all__ = ["DemoOptions", "run_demo"]

#: Production learns this share of the data, at most so many rows, before the stream begins.
_PAST_SHARE: Final = 0.2
_PAST_ROWS: Final = 2_500
#: Long enough for twenty windows and a drift, short enough to watch.
_DEFAULT_EVENTS: Final = 10_000
#: Events between two steps of everybody: seconds of the world's time.
_TICK: Final = 20
_LABEL_DELAY_SECONDS: Final = 60.0
_LABEL_TTL_SECONDS: Final = 600.0
_NOISE: Final = 0.005
_WINDOWS: Final = 20
_LEVEL: Final = 0.95
#: Everybody takes turns on one thread: who finds nothing must not wait.
_NO_WAIT: Final = 1e-4
_REFRESH_SECONDS: Final = 0.25
#: What the simulated reviewers leave to the person, for whom an item waits longer than for them.
_LEFT: Final = 0.1
_PATIENCE_SECONDS: Final = 6 * 3600.0
_SIMULATED: Final = ("ada (simulated)", "alan (simulated)", "grace (simulated)")
#: Five events a second: slow enough to read, fast enough for something to happen.
_PAUSE_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What can be chosen.

    Attributes:
        events: length of the stream; None takes 10,000, or what the data has.
        seed: of the whole run.
        budget: share of events to send to review, in (0, 1].
        data: CSV or JSON-lines file instead of the built-in data.
        label: its column with the true class.
    """

    events: int | None = None
    seed: int = 7
    budget: float = 0.05
    data: Path | None = None
    label: str | None = None


def run_demo(
    options: DemoOptions,
    console: Console | None,
    *,
    report: Callable[[DemoResult], None] | None = None,
    stay: bool = False,
) -> DemoResult:
    """Stream the data through two pipelines: one selects, the other routes at random.

    Args:
        options: what was chosen.
        console: where the live table goes, and where it is said at what address a person may
            review; None shows nothing, and opens no review console.
        report: told the result as soon as there is one.
        stay: whether the world goes on at a walking pace after that, until it is interrupted; only
            while a review console is open.

    Raises:
        SettingsInvalid: the data can't be used.
    """
    past, stream = _split(options)
    stream, words = with_drift(stream, at=len(stream) // 2)
    show = _Show(options, past, stream, with_desk=console is not None)
    try:
        if console is not None:
            console.print(_announcement(options, past, stream, words))
            console.print(_invitation(show.selective.desk), soft_wrap=True, markup=False)
        result = _stream(show, stream, console)
        if report is not None:
            report(result)
        if console is not None and stay and show.selective.desk is not None:
            console.print(
                f"The world goes on at {show.selective.desk.address} until you press Ctrl-C."
            )
            _linger(show, stream)
    finally:
        show.close()
    return result


def _stream(show: _Show, stream: Sequence[Item], console: Console | None) -> DemoResult:
    started = time.perf_counter()
    with _live(show, console) as refresh:
        for position, item in enumerate(stream, 1):
            show.world.publish(item)
            if position % _TICK == 0:
                show.step()
                refresh()
        show.settle()
        refresh()
    return show.result(time.perf_counter() - started)


def _linger(show: _Show, stream: Sequence[Item]) -> None:
    """Stream the second half again and again, slowly, until Ctrl-C."""
    with suppress(KeyboardInterrupt):
        for item in cycle(stream[len(stream) // 2 :]):
            show.world.publish(item)
            show.selective.step()
            time.sleep(_PAUSE_SECONDS)


def _invitation(desk: DemoDesk | None) -> str:
    if desk is None:
        return f"{HOW_TO_GET_IT}\n"
    return (
        f"Review some of them yourself: {desk.address}\n"
        f"Simulated reviewers leave {_LEFT:.0%} of the items to you; a dashboard is there too.\n"
    )


def _split(options: DemoOptions) -> tuple[list[Item], list[Item]]:
    items = built_in() if options.data is None else from_file(options.data, options.label)
    past = min(_PAST_ROWS, int(len(items) * _PAST_SHARE))
    left = len(items) - past
    events = min(_DEFAULT_EVENTS, left) if options.events is None else options.events
    if events > left:
        raise SettingsInvalid(
            f"--events = {events}: the data has {left} rows after the {past} that production learns"
        )
    return items[:past], items[past : past + events]


def _announcement(
    options: DemoOptions, past: Sequence[Item], stream: Sequence[Item], words: str
) -> str:
    source = "River's Shuttle data" if options.data is None else str(options.data)
    return (
        f"Production was trained on the first {len(past):,} rows of {source} and learns no more.\n"
        f"{len(stream):,} events follow; half way, from event {len(stream) // 2:,} on, {words}.\n"
        f"Reviewers see {options.budget:.1%} of them, answer after about "
        f"{_LABEL_DELAY_SECONDS:.0f} s (an event a second) and err on {_NOISE:.1%}.\n"
    )


class _Show:
    """The world and its two watchers."""

    def __init__(
        self,
        options: DemoOptions,
        past: Sequence[Item],
        stream: Sequence[Item],
        *,
        with_desk: bool,
    ) -> None:
        self._options = options
        self._with_desk = with_desk and desk_is_installed()
        self._events = len(stream)
        self._classes = tuple(sorted({item.label for item in (*past, *stream)}))
        self._clock = ManualClock()
        # The clock jumps ahead at the end, to let the last windows mature; nobody is late then.
        self._broker = MemoryBroker(
            self._clock, session_timeout_seconds=math.inf, transaction_timeout_seconds=math.inf
        )
        self.world = World(
            train_production(past, options.seed), self._clock, self._broker, tell=self._with_desk
        )
        self.selective = self._watcher("selective", with_desk=self._with_desk)
        self.random = self._watcher("random")

    def step(self) -> None:
        """One step of everybody."""
        self.selective.step()
        self.random.step()

    def settle(self) -> None:
        """Let the last answers come in, then the last windows mature."""
        for seconds in (0.0, 2 * _LABEL_DELAY_SECONDS, 0.0, _LABEL_TTL_SECONDS, self._window):
            self._clock.advance(seconds)
            self.step()

    def close(self) -> None:
        """End in good order."""
        self.selective.close()
        self.random.close()

    def result(self, seconds: float) -> DemoResult:
        """What it came to."""
        chosen, random = self.selective.tally, self.random.tally
        metrics = self.selective.metrics
        estimate = self.selective.estimate()
        return DemoResult(
            events=self._events,
            routed=chosen.routed,
            routed_ratio=chosen.routed_ratio,
            budget=self._options.budget,
            labels_learned=int(metrics.value("streamal_model_labels", {"role": "trainer"}) or 0),
            dead_letters=self._events - chosen.decided,
            production_accuracy_true=self.world.production_accuracy,
            production_accuracy_estimate=IntervalEstimate(
                estimate.value,
                estimate.interval.low,
                estimate.interval.high,
                estimate.interval.level,
            )
            if estimate
            else IntervalEstimate(None, 0.0, 1.0, _LEVEL),
            production_accuracy_naive=estimate.naive if estimate else None,
            model_accuracy=chosen.model_accuracy,
            random_model_accuracy=random.model_accuracy,
            error_yield=chosen.error_yield,
            error_yield_random=random.error_yield,
            drift_alarms=int(metrics.total("streamal_drift_alarms_total")),
            seconds=seconds,
            events_per_second=self._events / seconds,
        )

    def table(self) -> Table:
        """The state of things, side by side."""
        table = Table(title=f"event {len(self.world.truth):,} of {self._events:,}")
        table.add_column("")
        for name in ("streamal", "random"):
            table.add_column(name, justify="right")
        pair = (self.selective, self.random)
        rows = (
            ("sent to review", [f"{w.tally.routed:,} ({w.tally.routed_ratio:.2%})" for w in pair]),
            ("production errors among them", [f"{w.tally.error_yield:.1%}" for w in pair]),
            ("online model accuracy", [f"{w.tally.model_accuracy:.1%}" for w in pair]),
            ("production accuracy, estimated", [_estimate(w) for w in pair]),
            ("production accuracy, true", [f"{self.world.production_accuracy:.1%}"] * 2),
        )
        for name, cells in rows:
            table.add_row(name, *cells)
        return table

    @property
    def _window(self) -> float:
        return max(1.0, self._events // _WINDOWS)

    def _watcher(self, name: str, *, with_desk: bool = False) -> Watcher:
        return Watcher(
            self._settings(name),
            self._broker,
            self._clock,
            self.world.truth,
            self._reviewers,
            with_desk=with_desk,
        )

    def _reviewers(self, settings: Settings) -> Reviewers:
        return Reviewers(
            self._broker,
            topics_of(settings),
            self.world.truth,
            self._classes,
            seed=self._options.seed,
            delay_seconds=_LABEL_DELAY_SECONDS,
            noise=_NOISE,
            left=_LEFT if self._with_desk else 0.0,
            names=_SIMULATED if self._with_desk else ("oracle",),
        )

    def _settings(self, name: str) -> Settings:
        """Both alike but for the strategy; `random` scores all items the same."""
        selective = name == "selective"
        return Settings(
            pipeline=PipelineSettings(name=name, classes=self._classes, seed=self._options.seed),
            topics=TopicSettings(
                predictions=PREDICTIONS,
                reviews=f"{name}-reviews",
                labels=f"{name}-labels",
                models=f"{name}-models",
                gate_state=f"{name}-gate-state",
                windows=f"{name}-windows",
                drift=f"{name}-drift",
                dead_letters=f"{name}-dead-letters",
                predictions_partitions=2,
            ),
            gate=GateSettings(
                strategy="margin" if selective else "random",
                strategy_parameters={"source": "committee"} if selective else {},
                committee=("production", "model"),
                budget=self._options.budget,
                poll_timeout_seconds=_NO_WAIT,
            ),
            labels=LabelSettings(
                ttl_seconds=_PATIENCE_SECONDS if self._with_desk else _LABEL_TTL_SECONDS
            ),
            trainer=TrainerSettings(
                snapshot_every_labels=5,
                snapshot_every_seconds=60,
                heartbeat_seconds=_TICK,
                poll_timeout_seconds=_NO_WAIT,
            ),
            snapshots=SnapshotSettings(signing_keys=(SecretStr(secrets.token_hex(32)),)),
            estimation=EstimationSettings(
                window_seconds=self._window,
                label_horizon_seconds=_LABEL_TTL_SECONDS,
                level=_LEVEL,
            ),
        )


def _estimate(watcher: Watcher) -> str:
    estimate = watcher.estimate()
    if estimate is None:
        return "no window has matured"
    low, high = estimate.interval.low, estimate.interval.high
    return f"{estimate.value:.1%} ({low:.1%} to {high:.1%})"


@contextmanager
def _live(show: _Show, console: Console | None) -> Iterator[Callable[[], None]]:
    if console is None:
        yield lambda: None
        return
    with Live(show.table(), console=console, auto_refresh=False) as live:
        last = time.monotonic()

        def refresh() -> None:
            nonlocal last
            if time.monotonic() - last > _REFRESH_SECONDS:
                last = time.monotonic()
                live.update(show.table(), refresh=True)

        yield refresh
        live.update(show.table(), refresh=True)
