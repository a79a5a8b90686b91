"""Data drift: each window is compared once, some time after its end, labels or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streamal.core.drift import DataDrift, DataDriftOptions, Measured, VariableShift
from streamal.core.drift.base import as_float, as_state
from streamal.core.types import JsonState
from streamal.state.summaries import SummaryStore, WindowSummary

__all__ = ["DataWatch", "DataWatchOptions", "Shifted"]


@dataclass(frozen=True, slots=True)
class DataWatchOptions:
    """Settings of data drift.

    Attributes:
        tests: how windows are compared.
        grace_seconds: how long after its end a window is compared.
        least_events: windows with fewer are passed over.
    """

    tests: DataDriftOptions
    grace_seconds: float
    least_events: int


@dataclass(frozen=True, slots=True)
class Shifted:
    """A window in which variables have begun to look different.

    Attributes:
        window: the window.
        shifts: most different first; never empty.
    """

    window: WindowSummary
    shifts: tuple[VariableShift, ...]


class DataWatch:
    """Compares windows in time order, each once.

    Args:
        options: settings.
        store: the windows.
    """

    def __init__(self, options: DataWatchOptions, store: SummaryStore) -> None:
        self._options = options
        self._store = store
        self._drift = DataDrift(options.tests)
        self._compared_until = 0.0

    @property
    def measured(self) -> Mapping[str, Measured]:
        """Every variable of the last window that was compared."""
        return self._drift.measured

    def advance(self, now: float) -> list[Shifted]:
        """Compare the windows that have ended long enough before `now` (epoch seconds)."""
        found = []
        for window in self._read(self._compared_until, now - self._options.grace_seconds):
            self._compared_until = window.window_end
            if window.summary.events < self._options.least_events:
                continue
            before = self._before(window) if self._drift.needs_windows else []
            shifts = self._drift.close(window.summary, [each.summary for each in before])
            if shifts:
                found.append(Shifted(window, tuple(shifts)))
        return found

    def state(self) -> JsonState:
        """All that `restore` needs."""
        return {"compared_until": self._compared_until, "drift": self._drift.state()}

    def restore(self, state: JsonState) -> None:
        """Return to what `state` returned; an empty state is a fresh start."""
        self._compared_until = as_float(state.get("compared_until"))
        self._drift.restore(as_state(state.get("drift")))

    def _before(self, window: WindowSummary) -> list[WindowSummary]:
        """The latest windows before `window` that are large enough for a reference."""
        wanted = self._options.tests.reference_windows
        # Windows without traffic leave no summary; look back further than without gaps.
        since = window.window_start - 2 * wanted * window.window_seconds
        return [
            each
            for each in self._read(since, window.window_start)
            if each.summary.events >= self._options.least_events
        ][-wanted:]

    def _read(self, start: float, end: float) -> list[WindowSummary]:
        tests = self._options.tests
        return self._store.between(start, end, tests.limit, tests.most_features)
