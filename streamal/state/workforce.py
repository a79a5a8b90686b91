"""Questions about the people: what waits for a lead, and how far answers can be trusted."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from streamal.core.annotation import (
    annotator_noise,
    answer_spread,
    interval_alpha,
    krippendorff_alpha,
    mean_kappas,
    verdict_error,
    verdict_noise,
)
from streamal.state.annotators import Annotator, Annotators, Standing

__all__ = ["Workforce", "WorkforceMeasures"]

#: Final answers over which their error is averaged: the newest, like the panels.
_RECENT_ANSWERS: Final = 500


@dataclass(frozen=True, slots=True)
class Workforce:
    """How the people are doing.

    Attributes:
        annotators: everybody who was compared or quarantined, most answers first.
        kappas: annotator to mean Cohen's kappa with those who answered the same items.
        alpha: Krippendorff's alpha of the newest items with several answers, nominal for classes
            and interval for numbers; None without any.
        annotator_noise: P(a single answer is wrong), from how often two differ; None without any,
            and in a regression.
        answer_noise: P(a final answer is wrong), given the votes that carry it; None without any,
            and in a regression.
        quarantined: annotators who wait for a lead's decision.
        held: their answers.
        disputes: items that wait for a lead's answer.
        answer_error: in a regression, expected |final answer - truth| in the truth's unit, from how
            far answers to the same item lie apart; None without any.
    """

    annotators: tuple[Annotator, ...]
    kappas: dict[str, float]
    alpha: float | None
    annotator_noise: float | None
    answer_noise: float | None
    quarantined: int
    held: int
    disputes: int
    answer_error: float | None = None


class WorkforceMeasures:
    """See the module docstring.

    Args:
        connection: of the pending view.
        annotators: their tables.
        classes: number of possible classes; 0 takes as many as are found in the answers.
    """

    def __init__(
        self, connection: sqlite3.Connection, annotators: Annotators, classes: int = 0
    ) -> None:
        self._connection = connection
        self._annotators = annotators
        self._classes = classes

    def workforce(self, now: float) -> Workforce:
        """Everything at once; `now` in epoch seconds."""
        panels, everybody = self._annotators.panels(), self._annotators.all()
        found = {answer for panel in panels for answer in panel.values()}
        classes = max(2, self._classes or len(found))
        noise = annotator_noise(panels, classes)
        numbers = self._annotators.number_panels()
        spread = answer_spread(numbers)
        return Workforce(
            annotators=tuple(sorted(everybody, key=lambda each: (-each.answers, each.name))),
            kappas=mean_kappas(panels),
            alpha=interval_alpha(numbers) if numbers else krippendorff_alpha(panels),
            annotator_noise=noise,
            answer_noise=None if noise is None else self._answer_noise(noise, classes),
            quarantined=sum(each.standing is Standing.QUARANTINED for each in everybody),
            held=self._count("SELECT count(*) FROM votes WHERE held = 1"),
            disputes=self._count(
                "SELECT count(*) FROM disputes WHERE is_open = 1 AND expires_at >= ?", now
            ),
            answer_error=None if spread is None else self._answer_error(spread),
        )

    def _answer_error(self, spread: float) -> float | None:
        """The mean of the newest final answers; a lead's counts as right."""
        rows: Sequence[tuple[int, int]] = self._connection.execute(
            "SELECT (SELECT count(*) FROM votes WHERE votes.event_id = newest.event_id AND "
            "held = 0 AND feedback IS NULL AND votes.value IS NOT NULL), "
            "EXISTS (SELECT 1 FROM adjudications "
            "WHERE adjudications.event_id = newest.event_id) "
            "FROM (SELECT event_id FROM reviews WHERE answered_at IS NOT NULL "
            "AND value IS NOT NULL ORDER BY answered_at DESC LIMIT ?) AS newest",
            (_RECENT_ANSWERS,),
        ).fetchall()
        if not rows:
            return None
        errors = [
            0.0 if adjudicated else verdict_error(spread, max(1, votes))
            for votes, adjudicated in rows
        ]
        return sum(errors) / len(errors)

    def _answer_noise(self, noise: float, classes: int) -> float | None:
        """The mean error of the newest final answers; a lead's counts as right."""
        rows: Sequence[tuple[int, int, int]] = self._connection.execute(
            "SELECT (SELECT count(*) FROM votes WHERE votes.event_id = newest.event_id AND "
            "held = 0 AND feedback IS NULL AND votes.label = newest.label), "
            "(SELECT count(*) FROM votes WHERE votes.event_id = newest.event_id AND "
            "held = 0 AND feedback IS NULL AND votes.label <> newest.label), "
            "EXISTS (SELECT 1 FROM adjudications "
            "WHERE adjudications.event_id = newest.event_id) "
            "FROM (SELECT event_id, label FROM reviews WHERE answered_at IS NOT NULL "
            "AND label IS NOT NULL AND NOT synthetic ORDER BY answered_at DESC LIMIT ?) AS newest",
            (_RECENT_ANSWERS,),
        ).fetchall()
        if not rows:
            return None
        errors = [
            0.0 if adjudicated else verdict_noise(noise, max(1, votes_for), against, classes)
            for votes_for, against, adjudicated in rows
        ]
        return sum(errors) / len(errors)

    def _count(self, query: str, *values: float) -> int:
        count: int = self._connection.execute(query, values).fetchone()[0]
        return count
