"""Metrics of the people who answer; the leading trainer shows them."""

from __future__ import annotations

from typing import Final

from streamal.telemetry.catalogue.spec import TRAINER, Kind, MetricSpec

__all__ = ["ANNOTATION_METRICS"]

ANNOTATION_METRICS: Final = (
    MetricSpec(
        "annotators_quarantined",
        "streamal_annotators_quarantined",
        Kind.GAUGE,
        "Annotators whose answers are held until a lead decides about them.",
        "Look at their answers with `streamal annotators list`, then release or dismiss them.",
        (TRAINER,),
    ),
    MetricSpec(
        "labels_held",
        "streamal_labels_held",
        Kind.GAUGE,
        "Answers of annotators in quarantine; neither learned nor lost.",
        "They are learned when the annotator is released, and dropped when dismissed.",
        (TRAINER,),
    ),
    MetricSpec(
        "disputes_open",
        "streamal_disputes_open",
        Kind.GAUGE,
        "Items whose answers disagree and that wait for a lead to adjudicate.",
        "Rising: leads fall behind, or the guideline leaves a kind of item open.",
        (TRAINER,),
    ),
    MetricSpec(
        "annotator_alpha",
        "streamal_annotator_alpha",
        Kind.GAUGE,
        "Krippendorff's alpha of the newest items with several answers; 1 is agreement, 0 chance. "
        "Of a regression's numbers it is the one for interval data.",
        "Below 0.67: sharpen the guideline before you trust labels or the accuracy estimate.",
        (TRAINER,),
    ),
    MetricSpec(
        "annotator_noise",
        "streamal_annotator_noise_ratio",
        Kind.GAUGE,
        "Probability that a single answer is wrong, from how often two annotators differ.",
        "High: ask for more annotators per item, labels.required.",
        (TRAINER,),
        unit="ratio",
    ),
    MetricSpec(
        "answer_noise",
        "streamal_answer_noise_ratio",
        Kind.GAUGE,
        "Probability that a final answer is wrong, given the votes that carry it.",
        "It bounds how far noise can move the accuracy estimate.",
        (TRAINER,),
        unit="ratio",
    ),
    MetricSpec(
        "answer_error",
        "streamal_answer_absolute_error",
        Kind.GAUGE,
        "Regression only: expected distance of a final answer from the truth, in the truth's unit, "
        "from how far answers to the same item lie apart.",
        "It bounds how far noise can move the estimate of the mean absolute error.",
        (TRAINER,),
    ),
    MetricSpec(
        "noise_dominates",
        "streamal_accuracy_noise_dominated",
        Kind.GAUGE,
        "1 when noise in the answers may move the accuracy estimate (in a regression that of the "
        "mean absolute error) by more than its interval.",
        "More labels do not help then; more annotators per item, or a better guideline, do.",
        (TRAINER,),
    ),
    MetricSpec(
        "annotator_agreement",
        "streamal_annotator_agreement_ratio",
        Kind.GAUGE,
        "How often an annotator agrees with consensus, leads and gold items.",
        "Low for one: talk to them. Low for all: the guideline is unclear.",
        (TRAINER,),
        labels=("annotator",),
        unit="ratio",
    ),
    MetricSpec(
        "annotator_kappa",
        "streamal_annotator_kappa",
        Kind.GAUGE,
        "An annotator's mean Cohen's kappa with those who answered the same items.",
        "Around 0: their answers carry no information. Below 0: they answer the opposite.",
        (TRAINER,),
        labels=("annotator",),
    ),
    MetricSpec(
        "annotator_answers",
        "streamal_annotator_answers",
        Kind.GAUGE,
        "Answers that an annotator has given, revisions included.",
        "Compare the pace of annotators over time.",
        (TRAINER,),
        labels=("annotator",),
    ),
)
