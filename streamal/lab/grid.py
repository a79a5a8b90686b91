"""Runs an experiment, in this process or in several.

Workers are spawned, not forked, and get nothing but plain values: what they compute does not depend
on how many there are.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from typing import ClassVar, Final

from streamal.errors import Fatal
from streamal.lab.experiment import Experiment, Setup
from streamal.lab.ledger import Trace
from streamal.lab.replay import replay
from streamal.lab.result import Results
from streamal.lab.source import Survey, survey

__all__ = ["run_experiment"]

#: Seconds between two looks at the workers' progress: a bar that moves, and no load.
_REFRESH_SECONDS: Final = 0.2


def run_experiment(
    experiment: Experiment, *, jobs: int, progress: Callable[[int, int], None]
) -> Results:
    """Run the grid and its baselines.

    Args:
        experiment: what to run.
        jobs: processes to use, >= 1; 1 runs in this one.
        progress: called now and then with the items done and the items in all.

    Raises:
        SettingsInvalid: a part or a column is wrong.
        Fatal: a worker process was killed.
    """
    experiment.check()
    found = survey(experiment.recording)
    setups = experiment.with_baselines()
    total = found.events * len(setups)
    done = 0

    def tick(items: int) -> None:
        nonlocal done
        done += items
        progress(done, total)

    tick(0)
    if min(jobs, len(setups)) == 1:
        recording, reviewers = experiment.recording, experiment.reviewers
        traces = {s: replay(recording, found, reviewers, s, tick) for s in setups}
    else:
        traces = _in_processes(experiment, found, setups, min(jobs, len(setups)), tick)
    return Results(experiment, traces)


class _Worker:
    """One worker process's ends of what it shares with its parent."""

    done: ClassVar[Synchronized[int]]
    stop: ClassVar[Event]

    @classmethod
    def start(cls, done: Synchronized[int], stop: Event) -> None:
        """Called once in the worker. The parent alone answers an interrupt, through `stop`."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        cls.done, cls.stop = done, stop

    @classmethod
    def run(cls, experiment: Experiment, found: Survey, setup: Setup) -> Trace:
        """One combination."""
        return replay(experiment.recording, found, experiment.reviewers, setup, cls._tick)

    @classmethod
    def _tick(cls, items: int) -> None:
        if cls.stop.is_set():
            raise Fatal("the backtest was stopped")
        with cls.done.get_lock():
            cls.done.value += items


def _in_processes(
    experiment: Experiment,
    found: Survey,
    setups: Sequence[Setup],
    jobs: int,
    tick: Callable[[int], None],
) -> dict[Setup, Trace]:
    context = multiprocessing.get_context("spawn")
    done: Synchronized[int] = context.Value("Q")
    stop = context.Event()
    with ProcessPoolExecutor(
        jobs, mp_context=context, initializer=_Worker.start, initargs=(done, stop)
    ) as pool:
        try:
            futures = {
                setup: pool.submit(_Worker.run, experiment, found, setup) for setup in setups
            }
            _follow(list(futures.values()), done, tick)
            return {each: future.result() for each, future in futures.items()}
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def _follow(
    futures: Sequence[Future[Trace]], done: Synchronized[int], tick: Callable[[int], None]
) -> None:
    """Return when all have ended; raise what the first failure raised."""
    waiting, seen = set(futures), 0
    while waiting:
        ended, waiting = wait(waiting, _REFRESH_SECONDS, return_when=FIRST_COMPLETED)
        for future in ended:
            try:
                future.result()
            except BrokenProcessPool as error:
                raise Fatal("a worker process was killed; is there enough memory?") from error
        now = done.value
        tick(now - seen)
        seen = now
