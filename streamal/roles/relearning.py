"""Forgetting or re-weighting the online model: what it has learned, learned again.

Only labels that the model contains take part, in the order of the log, so the outcome is a function
of the model, the label log up to its offsets, and the instant of the change. It becomes a snapshot
in the transaction that reports it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from streamal.core.learners import Model
from streamal.roles.lineage import Lineage
from streamal.state.learned import LearnedReviews

__all__ = ["MOST_LABELS", "relearn"]

_log = logging.getLogger(__name__)

#: Labels that are learned again at most, the newest: some seconds for the slowest learner.
MOST_LABELS = 2_000


def relearn(
    lineage: Lineage,
    how: str,
    answers: LearnedReviews,
    since: float,
    new_model: Callable[[], Model],
) -> Lineage:
    """The lineage that goes on after a drift.

    Args:
        lineage: as it is; its model may be changed.
        how: "reset" for a new model, "reweight" to keep the old one.
        answers: of the view.
        since: first event time that is learned again, epoch seconds.
        new_model: makes a model that has learned nothing.
    """
    contained = [
        each for each in answers.since(since) if each.offset < lineage.offsets.get(each.source, 0)
    ][-MOST_LABELS:]
    if how == "reset":
        changed = Lineage.new(new_model(), lineage.version)
        changed.offsets = dict(lineage.offsets)
        changed.chunks = lineage.chunks
        lineage = changed
    learned = sum(lineage.learn_again(each.lesson) for each in contained)
    _log.warning("drift: learner %s, %d labels learned again", how, learned)
    return lineage
