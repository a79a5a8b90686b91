"""Who competes, and one competitor's runs: what other processes have to be able to import."""

from __future__ import annotations

import importlib

from rich.console import Console

from benchmarks.label_efficiency.gate import Entrant, ours
from benchmarks.label_efficiency.published import entropy_sampler, iwal
from benchmarks.label_efficiency.runs import Run, compete
from benchmarks.label_efficiency.streams import Stream

__all__ = ["BUDGETS_TRIED", "entrants", "one_gate"]

BUDGETS_TRIED = (0.05, 0.01, 0.10)
#: Those that decide on an item at once and are for the best model, at the whole budget.
_POLICIES = (
    "quantile",
    "variable_threshold",
    "randomised_variable_threshold",
    "split",
    "balanced_incremental_quantile_filter",
)
_PEERS = {"skactiveml_gates": "scikit-activeml", "moa_gates": "capymoa, with Java"}

_screen = Console(stderr=True)


def entrants() -> list[Entrant]:
    """All gates that can run here."""
    found = [
        ours("random", "quantile"),
        *(ours("margin", policy) for policy in _POLICIES),
        ours("entropy", "quantile"),
        entropy_sampler,
        iwal,
    ]
    for name, wanted in _PEERS.items():
        try:
            found += importlib.import_module(f"benchmarks.label_efficiency.{name}").ENTRANTS
        except ImportError as error:
            _screen.print(f"[yellow]left out, {wanted} is not installed: {error}[/]")
    return found


def one_gate(stream: Stream, name: str, seeds: int) -> list[Run]:
    """All budgets and seeds of one gate; the unit that is spread over processes."""
    (entrant,) = [each for each in entrants() if f"{each.library} {each.name}" == name]
    return [run for budget in BUDGETS_TRIED for run in compete(stream, entrant, budget, seeds)]
