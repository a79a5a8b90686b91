"""What is known about each annotator: standing, agreement, the guard's state, and the panels.

Everything here is a function of the labels in their order: panels are kept by number, not by age,
so that what Dawid-Skene and the agreement measures see does not depend on when it is asked.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

import orjson

from streamal.core.annotation import Answer, CollapseDetector, Fit

__all__ = ["Annotator", "Annotators", "Guard", "Standing"]

#: Panels that are kept: enough for agreement to within a few points, few enough for one query.
KEPT_PANELS: Final = 500
#: A prior of four right answers in five, so that a newcomer weighs a little more than chance.
_PRIOR_AGREED: Final = 4.0
_PRIOR_COMPARED: Final = 5.0


class Standing(StrEnum):
    """How an annotator's answers are treated."""

    TRUSTED = "trusted"
    QUARANTINED = "quarantined"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Guard:
    """When an annotator is quarantined.

    Attributes:
        detector: the sequential test; None never quarantines.
        least_comparisons: how many comparisons it takes at least, >= 1.
    """

    detector: CollapseDetector | None = None
    least_comparisons: int = 20


@dataclass(frozen=True, slots=True)
class Annotator:
    """One annotator as the labels show them.

    Attributes:
        name: who.
        standing: how their answers are treated.
        since: when that began, epoch seconds.
        answers: labels they have given, revisions included.
        agreed: sum of agreements, each in [0, 1].
        compared: number of comparisons: with others, with leads, with gold items.
        gold_agreed: gold items answered rightly.
        gold_compared: gold items answered.
        wealth: state of the guard's test.
    """

    name: str
    standing: Standing
    since: float
    answers: int = 0
    agreed: float = 0.0
    compared: int = 0
    gold_agreed: int = 0
    gold_compared: int = 0
    wealth: tuple[float, ...] = ()

    @property
    def agreement(self) -> float | None:
        """Mean agreement, in [0, 1]; None before the first comparison."""
        return self.agreed / self.compared if self.compared else None

    @property
    def accuracy(self) -> float:
        """P(right) as consensus weighs it: the agreement, drawn towards 0.8 while it is young."""
        return (self.agreed + _PRIOR_AGREED) / (self.compared + _PRIOR_COMPARED)


class Annotators:
    """Reads and writes the annotators' tables, inside of the caller's transaction.

    Changes of annotators exist in memory only until they are flushed.
    """

    def __init__(self, connection: sqlite3.Connection, guard: Guard) -> None:
        self._connection = connection
        self._guard = guard
        self._known: dict[str, Annotator] = {}
        self._changed: dict[str, Annotator] = {}
        self._seated: set[str] | None = None

    def get(self, name: str) -> Annotator:
        """What is known; a newcomer is trusted."""
        known = self._known.get(name)
        if known is None:
            row = self._connection.execute(
                "SELECT * FROM annotators WHERE annotator = ?", (name,)
            ).fetchone()
            known = Annotator(name, Standing.TRUSTED, 0.0) if row is None else _annotator(row)
            self._known[name] = known
        return known

    def flush(self) -> None:
        """Write what has changed; what is known stays known."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO annotators VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_row(annotator) for annotator in self._changed.values()],
        )
        self._changed.clear()

    def forget(self) -> None:
        """Drop everything, unwritten changes included."""
        self._known.clear()
        self._changed.clear()
        self._seated = None

    def all(self) -> list[Annotator]:
        """Everybody who was flushed, by name."""
        rows = self._connection.execute("SELECT * FROM annotators ORDER BY annotator")
        return [_annotator(row) for row in rows]

    def accuracies(self, names: Iterable[str]) -> dict[str, float]:
        """P(right) of each."""
        return {name: self.get(name).accuracy for name in names}

    def count_answer(self, name: str) -> None:
        """One more label of theirs."""
        known = self.get(name)
        self._put(replace(known, answers=known.answers + 1))

    def observe(self, name: str, agreement: float, *, gold: bool = False) -> bool:
        """Take in a comparison; whether the annotator is to be quarantined for it.

        Args:
            name: who.
            agreement: in [0, 1].
            gold: whether it was a gold item.
        """
        known, detector = self.get(name), self._guard.detector
        wealth = known.wealth
        if detector is not None:
            wealth = detector.update(wealth or detector.start(), agreement)
        compared = known.compared + 1
        self._put(
            replace(
                known,
                agreed=known.agreed + agreement,
                compared=compared,
                gold_agreed=known.gold_agreed + (int(agreement) if gold else 0),
                gold_compared=known.gold_compared + int(gold),
                wealth=wealth,
            )
        )
        return (
            detector is not None
            and known.standing is Standing.TRUSTED
            and compared >= self._guard.least_comparisons
            and detector.alarms(wealth)
        )

    def set_standing(self, name: str, standing: Standing, at: float) -> None:
        """Change how an annotator is treated; the guard's test starts anew."""
        self._put(replace(self.get(name), standing=standing, since=at, wealth=()))

    def _put(self, annotator: Annotator) -> None:
        self._known[annotator.name] = self._changed[annotator.name] = annotator

    def set_panel(self, event_id: str, answers: Mapping[str, Answer]) -> int | None:
        """Remember who said what about one item; forgotten with fewer than two answers.

        Returns:
            The item's number when it is new, counting from 1; None otherwise.
        """
        seated = self._panel_events()
        if len(answers) < 2:
            if event_id in seated:
                seated.remove(event_id)
                self._connection.execute("DELETE FROM panels WHERE event_id = ?", (event_id,))
            return None
        text = orjson.dumps(dict(answers), option=orjson.OPT_SORT_KEYS).decode()
        if event_id in seated:
            self._connection.execute(
                "UPDATE panels SET answers = ? WHERE event_id = ?", (text, event_id)
            )
            return None
        last = self._connection.execute("SELECT max(position) FROM panels").fetchone()[0]
        position: int = (last or 0) + 1
        self._connection.execute("INSERT INTO panels VALUES (?, ?, ?)", (position, event_id, text))
        seated.add(event_id)
        for (gone,) in self._connection.execute(
            "DELETE FROM panels WHERE position <= ? RETURNING event_id", (position - KEPT_PANELS,)
        ).fetchall():
            seated.remove(gone)
        return position

    def _panel_events(self) -> set[str]:
        """Most events have a single answer and no panel, which is not worth a query each."""
        if self._seated is None:
            rows = self._connection.execute("SELECT event_id FROM panels")
            self._seated = {event_id for (event_id,) in rows}
        return self._seated

    def panels(self) -> list[dict[str, str]]:
        """The remembered items of a classification, oldest first: annotator to class."""
        return [
            {name: answer for name, answer in panel.items() if isinstance(answer, str)}
            for panel in self._panels()
            if isinstance(next(iter(panel.values())), str)
        ]

    def number_panels(self) -> list[dict[str, float]]:
        """The remembered items of a regression, oldest first: annotator to number."""
        return [
            {name: float(answer) for name, answer in panel.items()}
            for panel in self._panels()
            if not isinstance(next(iter(panel.values())), str)
        ]

    def _panels(self) -> list[dict[str, Answer]]:
        rows = self._connection.execute("SELECT answers FROM panels ORDER BY position")
        return [orjson.loads(row[0]) for row in rows]

    def keep_fit(self, fit: Fit) -> None:
        """Remember the newest Dawid-Skene fit."""
        text = orjson.dumps({"priors": fit.priors, "errors": fit.errors}).decode()
        self._connection.execute("INSERT OR REPLACE INTO fits VALUES (1, ?)", (text,))

    def fit(self) -> Fit | None:
        """The newest Dawid-Skene fit; None before the first."""
        row = self._connection.execute("SELECT fit FROM fits").fetchone()
        return None if row is None else Fit(**orjson.loads(row[0]))


def _annotator(row: tuple[Any, ...]) -> Annotator:
    name, standing, since, answers, agreed, compared, gold_agreed, gold_compared, wealth = row
    return Annotator(
        name=name,
        standing=Standing(standing),
        since=since,
        answers=answers,
        agreed=agreed,
        compared=compared,
        gold_agreed=gold_agreed,
        gold_compared=gold_compared,
        wealth=tuple(orjson.loads(wealth)),
    )


def _row(annotator: Annotator) -> tuple[object, ...]:
    return (
        annotator.name,
        annotator.standing.value,
        annotator.since,
        annotator.answers,
        annotator.agreed,
        annotator.compared,
        annotator.gold_agreed,
        annotator.gold_compared,
        orjson.dumps(annotator.wealth).decode(),
    )
