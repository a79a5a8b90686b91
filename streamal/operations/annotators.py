"""Annotators as the label log shows them, and a lead's decisions about them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel

from streamal.bootstrap import Pipeline
from streamal.core.annotation import pairwise
from streamal.errors import SettingsInvalid
from streamal.events import AnnotatorRuling
from streamal.operations.replay import replayed_view
from streamal.state.annotators import Annotator

__all__ = ["AnnotatorReport", "PairReport", "WorkforceReport", "annotators", "rule"]


class AnnotatorReport(BaseModel):
    """One annotator.

    Attributes:
        annotator: who.
        standing: `trusted`, `quarantined` or `dismissed`.
        since: RFC 3339; None for those who always were trusted.
        answers: labels given, revisions included.
        held: answers that wait for a lead's decision.
        agreement: mean agreement with consensus, leads and gold items; None before a comparison.
        compared: number of comparisons.
        gold: share of gold items answered rightly; None before the first.
        kappa: mean Cohen's kappa with those who answered the same items; None without any.
    """

    annotator: str
    standing: str
    since: str | None
    answers: int
    held: int
    agreement: float | None
    compared: int
    gold: float | None
    kappa: float | None


class PairReport(BaseModel):
    """Two annotators on the items that both answered.

    Attributes:
        first: one of them.
        second: the other.
        items: how many of the newest items both answered.
        kappa: Cohen's kappa.
    """

    first: str
    second: str
    items: int
    kappa: float


class WorkforceReport(BaseModel):
    """Everybody.

    Attributes:
        annotators: one entry each, most answers first.
        pairs: one entry for each two that share items.
        alpha: Krippendorff's alpha of the newest items with several answers.
        annotator_noise: estimated probability that a single answer is wrong.
        answer_noise: estimated probability that a final answer is wrong.
        answer_error: in a regression, expected distance of a final answer from the truth.
        disputes: items that wait for a lead to adjudicate.
    """

    annotators: list[AnnotatorReport]
    pairs: list[PairReport]
    alpha: float | None
    annotator_noise: float | None
    answer_noise: float | None
    answer_error: float | None
    disputes: int


def annotators(pipeline: Pipeline) -> WorkforceReport:
    """Everybody, from the topics alone.

    Raises:
        TopicsInvalid: topics are missing or of the wrong shape.
        BrokerUnavailable: no broker answers.
    """
    with replayed_view(pipeline) as view:
        found = view.workforce(pipeline.clock.now())
        return WorkforceReport(
            annotators=[
                _report(each, found.kappas.get(each.name), view.held(each.name))
                for each in found.annotators
            ],
            pairs=[
                PairReport(first=each.first, second=each.second, items=each.items, kappa=each.kappa)
                for each in pairwise(view.annotators.panels())
            ],
            alpha=found.alpha,
            annotator_noise=found.annotator_noise,
            answer_noise=found.answer_noise,
            answer_error=found.answer_error,
            disputes=found.disputes,
        )


def _report(annotator: Annotator, kappa: float | None, held: int) -> AnnotatorReport:
    gold = annotator.gold_compared
    return AnnotatorReport(
        annotator=annotator.name,
        standing=annotator.standing.value,
        since=datetime.fromtimestamp(annotator.since, UTC).isoformat() if annotator.since else None,
        answers=annotator.answers,
        held=held,
        agreement=annotator.agreement,
        compared=annotator.compared,
        gold=annotator.gold_agreed / gold if gold else None,
        kappa=kappa,
    )


def rule(
    pipeline: Pipeline,
    annotator: str,
    ruling: Literal["quarantine", "release", "dismiss"],
    *,
    ruled_by: str,
    note: str | None = None,
) -> None:
    """Publish a lead's decision on `labels`, where it takes its place among the answers.

    Raises:
        SettingsInvalid: `ruled_by` is not one of `labels.leads`.
        BrokerUnavailable: no broker answers.
    """
    leads = pipeline.settings.labels.leads
    if leads and ruled_by not in leads:
        raise SettingsInvalid(f"--by = '{ruled_by}': is not one of labels.leads")
    event = AnnotatorRuling(
        annotator=annotator,
        ruling=ruling,
        ruled_by=ruled_by,
        ruled_at=datetime.fromtimestamp(pipeline.clock.now(), UTC),
        note=note,
    )
    producer = pipeline.broker.producer()
    try:
        producer.send(pipeline.settings.topics.labels, event.to_bytes(), key=annotator.encode())
        producer.flush()
    finally:
        producer.close()
